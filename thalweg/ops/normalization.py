"""Normalisation: x - mu over sigma, with the statistics of a batch, a row, a group of channels, or from outside.

    y = gamma (x - mu) / sqrt(var + epsilon) + beta

What differs between the kinds is the axes over which mu and var are taken, so there is one function with one backward
pass, which needs x and two numbers per statistic where automatic differentiation would keep each step of the way:

    t = gamma dy,  xhat = (x - mu) rstd
    dx = rstd (t - mean(t) - xhat mean(t xhat)),  dgamma = sum(dy xhat),  dbeta = sum(dy)

Statistics are taken in at least float32, the variance in two passes: the mean of squares minus the square of the mean
loses all digits where the mean is large.
"""

import functools
import math
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from thalweg.ops.precision import widen
from thalweg.types import Array, Float

Axes: TypeAlias = int | tuple[int, ...]
Scale: TypeAlias = Float[Array, "..."] | None


def positive(axes: Axes, rank: int) -> tuple[int, ...]:
    """`axes` counted from the front and sorted.

    Raises:
        ValueError: there is no such axis.

    >>> positive((-1, 1), 4)
    (1, 3)
    """
    given = axes if isinstance(axes, tuple) else (axes,)
    if not all(-rank <= a < rank for a in given):
        raise ValueError(f"axis {axes} of an input with {rank} axes does not exist")
    return tuple(sorted(a % rank for a in given))


def others(axes: Axes, rank: int) -> tuple[int, ...]:
    """All axes but `axes`."""
    return tuple(a for a in range(rank) if a not in positive(axes, rank))


def moments(
    x: Float[Array, "..."], axes: tuple[int, ...], rows: Float[Array, " batch"] | None = None
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Mean and variance (divided by n, not n - 1) over `axes`, which stay with size 1.

    Args:
        x: any shape.
        axes: over which.
        rows: a weight per row of the first axis, such as 0 for padding; all 1 where None.
    """
    mean = functools.partial(_mean, axes=axes, rows=rows)
    mu = mean(widen(x))
    return mu, mean(jnp.square(widen(x) - mu))


def _mean(x: Array, axes: tuple[int, ...], rows: Array | None) -> Array:
    if rows is None:
        return jnp.mean(x, axes, keepdims=True)
    return jnp.sum(x * _per_row(rows, x), axes, keepdims=True) / _count(x, axes, rows)


def _per_row(rows: Array, x: Array) -> Array:
    return rows.astype(x.dtype).reshape(rows.shape + (1,) * (x.ndim - 1))


def _count(x: Array, axes: tuple[int, ...], rows: Array | None) -> Any:
    n = math.prod(x.shape[a] for a in axes)
    return n if rows is None else jnp.maximum(jnp.sum(rows), 1).astype(x.dtype) * (n // x.shape[0])


def _primal(
    axes: tuple[int, ...], epsilon: float, x: Array, gamma: Array, beta: Array, rows: Array | None
) -> tuple[Array, Array, Array]:
    mu, var = moments(x, axes, rows)
    return affine(x, mu, var, gamma, beta, epsilon), mu, var


def _normalize_forward(axes: tuple[int, ...], epsilon: float, x: Array, *rest: Any) -> tuple[Any, Any]:
    gamma, beta, rows = rest
    y, mu, var = _primal(axes, epsilon, x, gamma, beta, rows)
    return (y, mu, var), (x, mu, jax.lax.rsqrt(var + epsilon), gamma, beta, rows)


def _normalize_backward(axes: tuple[int, ...], epsilon: float, kept: Any, d_out: Any) -> tuple[Any, ...]:  # noqa: ARG001
    x, mu, rstd, gamma, beta, rows = kept
    dy = widen(d_out[0])  # mu and var are handed out without a gradient
    xhat = (widen(x) - mu) * rstd
    t = dy * widen(gamma)
    n = _count(t, axes, rows)
    shift = jnp.sum(t, axes, keepdims=True) / n + xhat * (jnp.sum(t * xhat, axes, keepdims=True) / n)
    dx = rstd * (t - (shift if rows is None else shift * _per_row(rows, x)))
    return dx.astype(x.dtype), _sum_to(gamma, dy * xhat), _sum_to(beta, dy), None


def _sum_to(scale: Array, d: Array) -> Array:
    shared = tuple(a for a, n in enumerate(scale.shape) if n == 1)
    return jnp.sum(d, shared, keepdims=True).astype(scale.dtype)


_normalize = jax.custom_vjp(_primal, nondiff_argnums=(0, 1))
_normalize.defvjp(_normalize_forward, _normalize_backward)


def affine(
    x: Float[Array, "..."], mu: Array, var: Array, gamma: Scale, beta: Scale, epsilon: float
) -> Float[Array, "..."]:
    """The map gamma (x - mu) / sqrt(var + epsilon) + beta, all of the rank of x; None means gamma 1 and beta 0."""
    factor = jax.lax.rsqrt(widen(var) + epsilon)
    if gamma is not None:
        factor = factor * widen(gamma)
    y = (widen(x) - widen(mu)) * factor
    return (y if beta is None else y + widen(beta)).astype(x.dtype)


def normalize(
    x: Float[Array, "..."],
    axes: tuple[int, ...],
    gamma: Scale = None,
    beta: Scale = None,
    epsilon: float = 1e-3,
    rows: Float[Array, " batch"] | None = None,
) -> tuple[Float[Array, "..."], Float[Array, "..."], Float[Array, "..."]]:
    """The map y = gamma (x - mu) / sqrt(var + epsilon) + beta, with mu and var taken over `axes`.

    Args:
        x: any shape.
        axes: over which the statistics are taken, counted from the front.
        gamma: of the rank of x, or None for 1.
        beta: likewise, or None for 0.
        epsilon: keeps the division finite.
        rows: see `moments`.

    Returns:
        y, and mu and var with size 1 at `axes`. No gradient flows through mu and var as returned: they are for keeping.
    """
    one = (1,) * x.ndim
    gamma = jnp.ones(one, x.dtype) if gamma is None else gamma
    beta = jnp.zeros(one, x.dtype) if beta is None else beta
    y, mu, var = _normalize(axes, epsilon, x, gamma, beta, rows)
    return y, jax.lax.stop_gradient(mu), jax.lax.stop_gradient(var)


def along(axes: Axes, x: Array, *values: Scale) -> tuple[Any, ...]:
    """Each of `values`, whose axes are the `axes` of x, at the rank of x; None stays."""
    places = positive(axes, x.ndim)
    shape = [n if a in places else 1 for a, n in enumerate(x.shape)]
    return tuple(v if v is None else v.reshape(shape) for v in values)


def layer_norm(
    x: Float[Array, "..."], gamma: Scale = None, beta: Scale = None, axes: Axes = -1, epsilon: float = 1e-3
) -> Float[Array, "..."]:
    """Each row by itself: mu and var over `axes`, and gamma, beta along them. Ba et al. 2016, arXiv:1607.06450.

    >>> layer_norm(jnp.array([[1.0, 3.0]]), epsilon=0.0).tolist()
    [[-1.0, 1.0]]
    """
    places = positive(axes, x.ndim)
    return normalize(x, places, *along(places, x, gamma, beta), epsilon=epsilon)[0]


def group_norm(
    x: Float[Array, "batch ..."],
    groups: int,
    gamma: Scale = None,
    beta: Scale = None,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> Float[Array, "batch ..."]:
    """Each row and group of channels by itself. Wu and He 2018, arXiv:1803.08494.

    Args:
        x: [batch, ...] with the channels at `axis`.
        groups: how many; -1 for one per channel (instance normalisation).
        gamma: [channels], or None.
        beta: [channels], or None.
        axis: of the channels.
        epsilon: keeps the division finite.

    Raises:
        ValueError: the channels cannot be split so.
    """
    (axis,) = positive(axis, x.ndim)
    channels = x.shape[axis]
    groups = channels if groups == -1 else groups
    if groups < 1 or channels % groups:
        best = max(g for g in range(1, max(groups, 1) + 1) if channels % g == 0)
        raise ValueError(f"{channels} channels cannot be split into {groups} groups.\n  Write groups={best}")
    split = (*x.shape[:axis], groups, channels // groups, *x.shape[axis + 1 :])
    grouped = x.reshape(split)
    scales = along((axis, axis + 1), grouped, gamma, beta)
    return normalize(grouped, others((0, axis), grouped.ndim), *scales, epsilon=epsilon)[0].reshape(x.shape)


def rms_norm(
    x: Float[Array, "..."], scale: Scale = None, axes: Axes = -1, epsilon: float = 1e-6
) -> Float[Array, "..."]:
    """Without a mean: y = scale x / sqrt(mean(x^2) + epsilon) over `axes`. Zhang and Sennrich 2019, arXiv:1910.07467.

    >>> rms_norm(jnp.array([[3.0, 3.0]]), epsilon=0.0).tolist()
    [[1.0, 1.0]]
    """
    places, wide = positive(axes, x.ndim), widen(x)
    y = wide * jax.lax.rsqrt(jnp.mean(jnp.square(wide), places, keepdims=True) + epsilon)
    (scale,) = along(places, x, scale)
    return (y if scale is None else y * widen(scale)).astype(x.dtype)
