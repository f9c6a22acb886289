"""Normalisation, native: by the statistics of each row, or by those of each column of a batch.

    y = gamma (x - mu) rstd + beta      rstd = 1 / sqrt(var + epsilon)

With g = gamma dy, h = (x - mu) rstd and the means taken as mu is:

    dx = rstd (g - mean(g) - h mean(g h))      dgamma = sum h dy      dbeta = sum dy

Root mean square normalisation has mu = 0, and no mean(g). The mean is taken of differences from one number of the row,
so that the mean of equal numbers is that number, and the variance in two passes: the mean of squares minus the square
of the mean loses all digits where the mean is large.

Where a variance overflows, in float32 that of numbers from about 1e19, rstd is NaN: it would be 0, and so would y.

Shapes: x, y [rows, n]. Of rows: gamma, beta [n], mu, rstd [rows]. Of columns: gamma, beta, mu, var [n].
"""

import functools
import math
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.kernels import library
from thalweg.kernels.closed import closed
from thalweg.kernels.precision import WIDENED, unless_infinite, widen
from thalweg.types import Array, Float, ShapeDtype

Scale: TypeAlias = Array | None

SMALLEST = 2**12
"""Numbers of x below which a call out of XLA costs as much as it saves."""


def serves(x: Float[Array, "..."], *scales: Scale) -> bool:
    """Whether the native normalisation runs for these."""
    narrow = all(a.dtype in WIDENED for a in (x, *(s for s in scales if s is not None)))
    return narrow and x.size >= SMALLEST and library.serves()


# ------------------------------------------------------------------------------------------------ the formulas


def mean(x: Array, axes: tuple[int, ...], rows: Array | None) -> Array:
    """The mean over `axes`, weighted by `rows` of the first of them."""
    if rows is None:
        return jnp.mean(x, axes, keepdims=True)
    weight = rows.astype(x.dtype).reshape(rows.shape + (1,) * (x.ndim - 1))
    # a mean over the other axes, then over the real rows; a batch of padding alone gives 0
    by_row = jnp.mean(x, [a for a in axes if a > 0], keepdims=True)
    return jnp.sum(by_row * weight, 0, keepdims=True) / jnp.maximum(jnp.sum(weight), 1)


def moments(x: Array, axes: tuple[int, ...], rows: Array | None = None) -> tuple[Array, Array]:
    """Mean and variance (divided by n, not n - 1) over `axes`, which stay with size 1."""
    wide = widen(x)
    origin = jax.lax.stop_gradient(_one_of(wide, axes, rows))
    mu = origin + mean(wide - origin, axes, rows)
    return mu, mean(jnp.square(wide - mu), axes, rows)


def _one_of(x: Array, axes: tuple[int, ...], rows: Array | None) -> Array:
    """The first number along `axes`, of a row that counts; 0 where no row does."""
    first = x if rows is None else jax.lax.dynamic_slice_in_dim(x, jnp.argmax(rows), 1)
    first = first[tuple(slice(1) if a in axes else slice(None) for a in range(x.ndim))]
    return first if rows is None else jnp.where(jnp.any(rows > 0), first, 0)


def _rooted(square: Array, epsilon: float) -> Array:
    return jax.lax.rsqrt(unless_infinite(square) + epsilon)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def reciprocal(d: Array, axes: tuple[int, ...], epsilon: float, rows: Array | None = None) -> Array:
    """1 / sqrt(mean(d^2) + epsilon) = rstd, whose derivative is -rstd mean(h rstd), h = d rstd.

    That by way of the variance, rstd^3 / 2, is lost below the smallest number from |d| of about 1e13 in float32.
    """
    return _rooted(mean(jnp.square(d), axes, rows), epsilon)


@reciprocal.defjvp
def _reciprocal_tangent(axes: tuple[int, ...], epsilon: float, primals: Any, tangents: Any) -> tuple[Array, Array]:
    d, rows = primals
    rstd = reciprocal(d, axes, epsilon, rows)
    return rstd, -rstd * mean(d * rstd * (rstd * tangents[0]), axes, rows)


def affine(x: Array, mu: Array, var: Array, gamma: Scale, beta: Scale, epsilon: float) -> Array:
    """The map gamma (x - mu) / sqrt(var + epsilon) + beta, all of the rank of x."""
    return _scaled(widen(x) - widen(mu), _rooted(widen(var), epsilon), gamma, beta).astype(x.dtype)


def _scaled(d: Array, rstd: Array, gamma: Scale, beta: Scale) -> Array:
    y = d * (rstd if gamma is None else rstd * widen(gamma))
    return y if beta is None else y + widen(beta)


def normalized_by(
    x: Array, axes: tuple[int, ...], gamma: Scale, beta: Scale, epsilon: float, rows: Array | None = None
) -> tuple[Array, Array, Array]:
    """The map with the moments over `axes`, and these: (y, mu, var)."""
    mu, var = moments(x, axes, rows)
    d = widen(x) - mu
    return _scaled(d, reciprocal(d, axes, epsilon, rows), gamma, beta).astype(x.dtype), mu, var


def root_mean_square(x: Array, axes: tuple[int, ...], scale: Scale, epsilon: float) -> Array:
    """The map scale x / sqrt(mean(x^2) + epsilon), `scale` of the rank of x."""
    wide = widen(x)
    y = wide * reciprocal(wide, axes, epsilon)
    return (y if scale is None else y * widen(scale)).astype(x.dtype)


# ------------------------------------------------------------------------------- each row by its own statistics


def reference(x: Array, gamma: Array, beta: Array, centered: bool, epsilon: float) -> Array:
    """Rows [rows, n] by the formula; an empty gamma or beta is none."""
    gamma_, beta_ = (s.reshape(1, -1) if s.size else None for s in (gamma, beta))
    if not centered:
        y = root_mean_square(x, (1,), gamma_, epsilon)
        return y if beta_ is None else y + beta_
    return normalized_by(x, (1,), gamma_, beta_, epsilon)[0]


def by_row(x: Array, axes: int, gamma: Scale, beta: Scale, centered: bool, epsilon: float) -> Array:
    """Each row by itself over the last `axes` axes of x, natively."""
    return (
        normalized(_rows(x, axes), _flat(gamma), _flat(beta), centered, float(epsilon))[0]
        .reshape(x.shape)
        .astype(x.dtype)
    )


def by_row_beside(x: Array, axes: int, gamma: Scale, beta: Scale, epsilon: float) -> tuple[Array, Array]:
    """`by_row`, and x: for what goes on beside the norm too, whose gradients are then added in one pass."""
    both: Any = branched(_rows(x, axes), _flat(gamma), _flat(beta), float(epsilon))
    y, beside = both
    return y.reshape(x.shape).astype(x.dtype), beside.reshape(x.shape).astype(x.dtype)


def _rows(x: Array, axes: int) -> Array:
    cut = x.ndim - axes
    return widen(x).reshape(math.prod(x.shape[:cut]), math.prod(x.shape[cut:]))


def _flat(scale: Scale) -> Array:
    return jnp.zeros(0, jnp.float32) if scale is None else widen(scale).reshape(scale.size)


def _normalized(x: Array, gamma: Array, beta: Array, centered: bool, epsilon: float) -> Any:
    """(y, mu, rstd); only y is to be differentiated."""
    statistic = ShapeDtype(x.shape[:1], x.dtype)
    results = (ShapeDtype(x.shape, x.dtype), statistic, statistic)
    return library.call("layer_norm", results, x, gamma, beta, centered=centered, epsilon=np.float32(epsilon))


normalized = jax.custom_vjp(_normalized, nondiff_argnums=(3, 4))


def _normalized_forward(x: Array, gamma: Array, beta: Array, centered: bool, epsilon: float) -> Any:
    y, mu, rstd = normalized(x, gamma, beta, centered, epsilon)
    return (y, mu, rstd), (x, gamma, beta, mu, rstd)


def _normalized_backward(centered: bool, epsilon: float, saved: Any, cotangents: Any) -> Any:
    return _gradient(centered, epsilon)(*saved, cotangents[0], jnp.zeros(0, jnp.float32))


normalized.defvjp(_normalized_forward, _normalized_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def branched(x: Array, gamma: Array, beta: Array, epsilon: float) -> tuple[Array, Array]:
    """(y, x)."""
    return normalized(x, gamma, beta, True, epsilon)[0], x


def _branched_forward(x: Array, gamma: Array, beta: Array, epsilon: float) -> Any:
    (y, *_), saved = _normalized_forward(x, gamma, beta, True, epsilon)
    return (y, x), saved


def _branched_backward(epsilon: float, saved: Any, cotangents: Any) -> Any:
    return _gradient(True, epsilon)(*saved, *cotangents)


branched.defvjp(_branched_forward, _branched_backward)


@functools.cache
def _gradient(centered: bool, epsilon: float) -> Any:
    def native(x: Array, gamma: Array, beta: Array, mu: Array, rstd: Array, dy: Array, beside: Array) -> Any:
        results, given = library.like(x, gamma, beta), (x, gamma, mu, rstd, dy, beside)
        return library.call("layer_norm_backward", results, *given, aliases={4: 0}, centered=centered)

    def formula(x: Array, gamma: Array, beta: Array, mu: Array, rstd: Array, dy: Array, beside: Array) -> Any:
        del mu, rstd  # functions of x
        f = jax.vjp(lambda x, gamma, beta: reference(x, gamma, beta, centered, epsilon), x, gamma, beta)[1]
        dx, *rest = f(dy)
        return dx + beside if beside.size else dx, *rest

    return closed(native, formula)


# --------------------------------------------------------------------------- each column by those of the batch


def columns_reference(x: Array, w: Array, gamma: Array, beta: Array, epsilon: float, least: float) -> Any:
    """(y, mu, var) of the columns of x [rows, n]; an empty w, gamma or beta is none."""
    rows = w / least if w.size else None  # the mean is then over max(W, least)
    if rows is None:
        mu, var = moments(x, (0,))
    else:
        count = jnp.maximum(jnp.sum(w), least)
        origin = jax.lax.stop_gradient(_one_of(x, (0,), w))
        mu = jnp.sum(w) / count * origin + mean(x - origin, (0,), rows)
        var = mean(jnp.square(x - mu), (0,), rows)
    gamma_, beta_ = (s.reshape(1, -1) if s.size else None for s in (gamma, beta))
    return _scaled(x - mu, reciprocal(x - mu, (0,), epsilon, rows), gamma_, beta_), mu[0], var[0]


def by_column(x: Array, gamma: Scale, beta: Scale, epsilon: float, rows: Scale) -> tuple[Array, Array, Array]:
    """(y, mu, var) of each number of the last axis over all others, natively; mu and var keep the rank of x."""
    flat = widen(x).reshape(math.prod(x.shape[:-1]), x.shape[-1])
    each = len(flat) // max(x.shape[0], 1)  # rows of `flat` that share a weight
    w = jnp.zeros(0, jnp.float32) if rows is None else jnp.repeat(rows.astype(jnp.float32), each)
    y, mu, var = by_batch(flat, w, _flat(gamma), _flat(beta), float(epsilon), float(each))
    one = (1,) * (x.ndim - 1)
    return y.reshape(x.shape).astype(x.dtype), mu.reshape(*one, -1), var.reshape(*one, -1)


def _by_batch(x: Array, w: Array, gamma: Array, beta: Array, epsilon: float, least: float) -> Any:
    statistic = ShapeDtype(x.shape[1:], x.dtype)
    results = (ShapeDtype(x.shape, x.dtype), statistic, statistic)
    settings: dict[str, Any] = {"epsilon": np.float32(epsilon), "least": np.float32(least)}
    return library.call("batch_norm", results, x, w, gamma, beta, **settings)


by_batch = jax.custom_vjp(_by_batch, nondiff_argnums=(4, 5))


def _by_batch_forward(x: Array, w: Array, gamma: Array, beta: Array, epsilon: float, least: float) -> Any:
    y, mu, var = by_batch(x, w, gamma, beta, epsilon, least)
    return (y, mu, var), (x, w, gamma, beta, mu, var)


def _by_batch_backward(epsilon: float, least: float, saved: Any, cotangents: Any) -> Any:
    x, w, gamma, beta, mu, var = saved
    dx, dgamma, dbeta = _batch_gradient(epsilon, least)(x, w, gamma, mu, var, *cotangents)
    return dx, jnp.zeros_like(w), dgamma if gamma.size else gamma, dbeta if beta.size else beta


by_batch.defvjp(_by_batch_forward, _by_batch_backward)


@functools.cache
def _batch_gradient(epsilon: float, least: float) -> Any:
    def native(x: Array, w: Array, gamma: Array, *rest: Array) -> Any:
        settings: dict[str, Any] = {"epsilon": np.float32(epsilon), "least": np.float32(least)}
        results = library.like(x, rest[0], rest[0])
        return library.call("batch_norm_backward", results, x, w, gamma, *rest, aliases={5: 0}, **settings)

    def formula(x: Array, w: Array, gamma: Array, mu: Array, var: Array, *cotangents: Array) -> Any:
        del var  # a function of x, as is mu
        scale = gamma if gamma.size else jnp.ones_like(mu)
        shift = jnp.zeros_like(mu)
        return jax.vjp(lambda x, g, b: columns_reference(x, w, g, b, epsilon, least), x, scale, shift)[1](cotangents)

    return closed(native, formula)
