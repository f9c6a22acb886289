"""The matrix product y = x W + b, native, with its gradient; a ReLU may follow (`ending.py`), or a shortcut be added.

    dx = dz W^T      dW = x^T dz      db = sum over rows of dz      dz = dy, with a ReLU where y > 0

All are products, so one native function serves them, told which of its factors lies transposed; another reads dz once
for dW and db. A product of products is differentiated the same way, to any order.

Shapes: x [.., features], W [features, units], b [units], y [.., units].
"""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp

from thalweg.kernels import ending, library
from thalweg.types import Array, Float, ShapeDtype

NATIVE = {jnp.dtype(jnp.float32): "matmul", jnp.dtype(jnp.bfloat16): "matmul_bf16"}
"""The native function for a dtype. That of bfloat16 adds up in float32 and rounds once."""

SMALLEST = 2**15
"""Multiplications below which XLA's own product is as fast as a call out of it."""


def serves(x: Float[Array, "... features"], kernel: Float[Array, "features units"]) -> bool:
    """Whether the native product runs for these."""
    if x.dtype != kernel.dtype or x.dtype not in NATIVE or x.size * kernel.shape[-1] < SMALLEST:
        return False
    level = library.level()
    # bfloat16 without tiles is widened first, which only wide vectors make up for
    return level is not None and (x.dtype == jnp.float32 or level in ("avx512", "amx"))


def reference(x: Array, kernel: Array, bias: Array | None, relu: bool = False) -> Array:
    """The product by XLA."""
    return ending.apply(jax.lax.dot_general(x, kernel, (((x.ndim - 1,), (0,)), ((), ()))), bias, relu)


def linear(
    x: Float[Array, "... features"],
    kernel: Float[Array, "features units"],
    bias: Float[Array, " units"] | None = None,
    relu: bool = False,
) -> Float[Array, "... units"]:
    """The product y = x W + b on the last axis, by whichever is the faster."""
    if not serves(x, kernel):
        return reference(x, kernel, bias, relu)
    rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    y: Any = product(rows, kernel, False, False) if bias is None and not relu else ended(rows, kernel, bias, relu)
    return jnp.reshape(y, (*x.shape[:-1], kernel.shape[-1]))


def _native(
    a: Array, b: Array, bias: Array | None, a_transposed: bool, b_transposed: bool, relu: bool, *shortcut: Array
) -> Array:
    shape = ShapeDtype((a.shape[1 if a_transposed else 0], b.shape[0 if b_transposed else 1]), a.dtype)
    added = (*shortcut, jnp.zeros(0, a.dtype))[:1] if a.dtype == jnp.float32 else ()
    return library.call(
        NATIVE[a.dtype], shape, a, b, ending.or_nothing(bias, a.dtype), *added,
        x_transposed=a_transposed, w_transposed=b_transposed, relu=relu,
    )  # fmt: skip


def _product(a: Array, b: Array, a_transposed: bool, b_transposed: bool) -> Array:
    """The product a b of two matrices, each of which may be given transposed."""
    return _native(a, b, None, a_transposed, b_transposed, False)


product = jax.custom_vjp(_product, nondiff_argnums=(2, 3))


def _product_forward(a: Array, b: Array, a_t: bool, b_t: bool) -> tuple[Array, tuple[Array, Array]]:
    return product(a, b, a_t, b_t), (a, b)


def _product_backward(a_t: bool, b_t: bool, saved: tuple[Array, Array], dy: Array) -> tuple[Any, Any]:
    a, b = saved
    da = product(b, dy, b_t, True) if a_t else product(dy, b, False, not b_t)
    db = product(dy, a, True, a_t) if b_t else product(a, dy, not a_t, False)
    return da, db


product.defvjp(_product_forward, _product_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def ended(x: Array, kernel: Array, bias: Array | None, relu: bool) -> Array:
    """The product with a bias or a ReLU or both."""
    return _native(x, kernel, bias, False, False, relu)


def _ended_forward(x: Array, kernel: Array, bias: Array | None, relu: bool) -> tuple[Array, Any]:
    y: Any = ended(x, kernel, bias, relu)
    return y, (x, kernel, bias, y if relu else None)


def _ended_backward(relu: bool, saved: Any, dy: Array) -> tuple[Any, Any, Any]:
    x, kernel, bias, y = saved
    dz = ending.relu_gradient(y, dy) if relu else dy
    dw, db = gradient(x, dz)
    return product(dz, kernel, False, True), dw, None if bias is None else db


ended.defvjp(_ended_forward, _ended_backward)


@jax.custom_vjp
def added(x: Array, kernel: Array, bias: Array | None, shortcut: Array) -> Array:
    """The sum x W + b + shortcut, of float32."""
    return _native(x, kernel, bias, False, False, False, shortcut)


def _added_forward(x: Array, kernel: Array, bias: Array | None, shortcut: Array) -> tuple[Array, Any]:
    y: Any = added(x, kernel, bias, shortcut)
    return y, (x, kernel, bias, None)


def _added_backward(saved: Any, dy: Array) -> tuple[Any, ...]:
    return *_ended_backward(False, saved, dy), dy


added.defvjp(_added_forward, _added_backward)


@jax.custom_vjp
def gradient(x: Array, dy: Array) -> tuple[Array, Array]:
    """DW and db, from one pass over dy."""
    if x.dtype != jnp.float32:
        return product(x, dy, True, False), product(jnp.ones((1, len(x)), x.dtype), dy, False, False)[0]
    dw, db = ShapeDtype((x.shape[1], dy.shape[1]), x.dtype), ShapeDtype(dy.shape[1:], dy.dtype)
    return library.call("linear_gradient", (dw, db), x, dy)


def _gradient_forward(x: Array, dy: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    return gradient(x, dy), (x, dy)


def _gradient_backward(saved: tuple[Array, Array], given: tuple[Array, Array]) -> tuple[Any, Any]:
    (x, dy), (of_dw, of_db) = saved, given
    return product(dy, of_dw, False, True), ended(x, of_dw, of_db, False)


gradient.defvjp(_gradient_forward, _gradient_backward)
