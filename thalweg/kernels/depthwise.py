"""Depthwise convolution, native in one and two dimensions, with its gradients.

    y[n, i, c] = sum_t x[n, s i + d t - lo, c] K[t, c]

Each of the two gradients is a sum of the same products, dealt out otherwise, so the three functions are closed under
differentiation: the derivative of each is made of the other two.

Shapes: x [batch, *places, channels], K [*taps, channels], y [batch, *out, channels].
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from thalweg.kernels import library
from thalweg.kernels.precision import widen
from thalweg.kernels.windows import Windows, in_blocks, pad, views
from thalweg.types import Array, ShapeDtype, Tree

# the formula


def reference(x: Array, kernel: Array, w: Windows) -> Array:
    """The convolution by XLA: a sum of shifted products, tap by tap."""
    return _over_taps(w.unpadded(), pad(x, w), kernel.reshape(w.taps, -1))


def _sum_of_taps(w: Windows, x: Array, k: Array) -> Array:
    terms = (widen(v) * _per_channel(kt, v) for v, kt in zip(views(x, w), widen(k), strict=True))
    return functools.reduce(jnp.add, terms).astype(x.dtype)


_over_taps = jax.custom_vjp(_sum_of_taps, nondiff_argnums=(0,))


def _over_taps_forward(w: Windows, x: Array, k: Array) -> tuple[Array, tuple[Array, Array]]:
    return _over_taps(w, x, k), (x, k)


def _over_taps_backward(w: Windows, saved: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    x, k = saved
    dx, *_ = jax.vjp(lambda x: _sum_of_taps(w, x, k), x)[1](dy)
    rows = in_blocks(functools.partial(_tap_sums, w), (x, dy), w.taps * dy[0].size)  # [batch, taps, channels]
    return dx, jnp.sum(rows, axis=0).astype(k.dtype)


_over_taps.defvjp(_over_taps_forward, _over_taps_backward)


def _tap_sums(w: Windows, x_dy: Tree) -> Array:
    x, dy = x_dy
    terms = jnp.stack([widen(v) * widen(dy) for v in views(x, w)], axis=1)  # [batch, taps, *places, channels]
    return jnp.sum(terms, axis=tuple(range(2, terms.ndim - 1)))


def _per_channel(k: Array, like: Array) -> Array:
    return k.reshape((1,) * (like.ndim - 1) + k.shape)


# the native functions: pictures of two axes


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def forward(x: Array, kernel: Array, w: Windows) -> Array:
    """y, [batch, height, width, channels]."""
    shape = (x.shape[0], *w.outputs(x.shape[1:-1]), x.shape[-1])
    return library.call("depthwise", ShapeDtype(shape, x.dtype), x, kernel, window=w.numbers())


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def data(dy: Array, kernel: Array, w: Windows, places: tuple[int, ...]) -> Array:
    """dx, [batch, *places, channels]."""
    shape = (dy.shape[0], *places, dy.shape[-1])
    return library.call("depthwise_data", ShapeDtype(shape, dy.dtype), dy, kernel, window=w.numbers())


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def kernel(x: Array, dy: Array, w: Windows) -> Array:
    """dK, [*taps, channels]."""
    shape = ShapeDtype((*w.size, x.shape[-1]), x.dtype)
    return library.call("depthwise_kernel", shape, x, dy, window=w.numbers())


def _forward_backward(w: Windows, saved: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    x, k = saved
    return data(dy, k, w, x.shape[1:-1]), kernel(x, dy, w)


def _data_backward(w: Windows, _: Any, saved: tuple[Array, Array], dx: Array) -> tuple[Array, Array]:
    dy, k = saved
    return forward(dx, k, w), kernel(dx, dy, w)


def _kernel_backward(w: Windows, saved: tuple[Array, Array], dk: Array) -> tuple[Array, Array]:
    x, dy = saved
    return data(dy, dk, w, x.shape[1:-1]), forward(x, dk, w)


forward.defvjp(lambda x, k, w: (forward(x, k, w), (x, k)), _forward_backward)
data.defvjp(lambda dy, k, w, places: (data(dy, k, w, places), (dy, k)), _data_backward)
kernel.defvjp(lambda x, dy, w: (kernel(x, dy, w), (x, dy)), _kernel_backward)
