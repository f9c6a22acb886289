"""The matrix product y = x W + b, native, with its gradient.

    dx = dy W^T      dW = x^T dy      db = sum over rows of dy

All three are products, so one native function serves them, told which of its factors lies transposed. A product of
products is differentiated the same way, to any order.

Shapes: x [.., features], W [features, units], b [units], y [.., units].
"""

import math
from typing import Any

import jax
import jax.numpy as jnp

from thalweg.kernels import library
from thalweg.types import Array, Float, ShapeDtype

NATIVE = {jnp.dtype(jnp.float32): "matmul", jnp.dtype(jnp.bfloat16): "matmul_bf16"}
"""The native function for a dtype. That of bfloat16 adds up in float32 and rounds once."""

SMALLEST = 2**16
"""Multiplications below which XLA's own product is as fast as a call out of it."""


def serves(x: Float[Array, "... features"], kernel: Float[Array, "features units"]) -> bool:
    """Whether the native product runs for these."""
    if x.dtype != kernel.dtype or x.dtype not in NATIVE or x.size * kernel.shape[-1] < SMALLEST:
        return False
    level = library.level()
    # bfloat16 without tiles is widened first, which only wide vectors make up for
    return level is not None and (x.dtype == jnp.float32 or level in ("avx512", "amx"))


def reference(x: Array, kernel: Array, bias: Array | None) -> Array:
    """The product by XLA."""
    y = jax.lax.dot_general(x, kernel, (((x.ndim - 1,), (0,)), ((), ())))
    return y if bias is None else y + bias.reshape((1,) * (y.ndim - 1) + bias.shape)


def linear(
    x: Float[Array, "... features"], kernel: Float[Array, "features units"], bias: Float[Array, " units"] | None = None
) -> Float[Array, "... units"]:
    """The product y = x W + b on the last axis, by whichever is the faster."""
    if not serves(x, kernel):
        return reference(x, kernel, bias)
    rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    y = product(rows, kernel, False, False) if bias is None else biased(rows, kernel, bias)
    return jnp.reshape(y, (*x.shape[:-1], kernel.shape[-1]))


def _native(a: Array, b: Array, bias: Array, a_transposed: bool, b_transposed: bool) -> Array:
    shape = (a.shape[1 if a_transposed else 0], b.shape[0 if b_transposed else 1])
    return library.call(
        NATIVE[a.dtype], ShapeDtype(shape, a.dtype), a, b, bias, x_transposed=a_transposed, w_transposed=b_transposed
    )


def _product(a: Array, b: Array, a_transposed: bool, b_transposed: bool) -> Array:
    """The product a b of two matrices, each of which may be given transposed."""
    return _native(a, b, jnp.zeros(0, a.dtype), a_transposed, b_transposed)


product = jax.custom_vjp(_product, nondiff_argnums=(2, 3))


def _product_forward(a: Array, b: Array, a_t: bool, b_t: bool) -> tuple[Array, tuple[Array, Array]]:
    return product(a, b, a_t, b_t), (a, b)


def _product_backward(a_t: bool, b_t: bool, saved: tuple[Array, Array], dy: Array) -> tuple[Any, Any]:
    a, b = saved
    da = product(b, dy, b_t, True) if a_t else product(dy, b, False, not b_t)
    db = product(dy, a, True, a_t) if b_t else product(a, dy, not a_t, False)
    return da, db


product.defvjp(_product_forward, _product_backward)


@jax.custom_vjp
def biased(x: Array, kernel: Array, bias: Array) -> Array:
    """The product with a bias."""
    return _native(x, kernel, bias, False, False)


def _biased_forward(x: Array, kernel: Array, bias: Array) -> tuple[Array, tuple[Array, Array]]:
    return biased(x, kernel, bias), (x, kernel)


def _biased_backward(saved: tuple[Array, Array], dy: Array) -> tuple[Any, Any, Array]:
    return *_product_backward(False, False, saved, dy), jnp.sum(dy, axis=0)


biased.defvjp(_biased_forward, _biased_backward)
