"""The softmax over the last axis, and the place of the largest number, native.

    p_k = exp(z_k) / sum_j exp(z_j)      dz_k = p_k (dp_k - sum_j p_j dp_j)

Shapes: z, p [.., classes]; the place [..].
"""

from typing import Any

import jax
import jax.numpy as jnp

from thalweg.kernels import library
from thalweg.kernels.closed import closed
from thalweg.types import Array, Float, Int, ShapeDtype

SMALLEST = 2**17
"""Numbers below which XLA's own loop is as fast."""


def serves(z: Float[Array, "... classes"]) -> bool:
    """Whether the native pass runs for these."""
    return z.dtype == jnp.float32 and z.ndim > 0 and z.size >= SMALLEST and library.serves()


@jax.custom_vjp
def native(z: Float[Array, "... classes"]) -> Float[Array, "... classes"]:
    """The softmax, natively."""
    return library.call("softmax", ShapeDtype(z.shape, z.dtype), z)


def _forward(z: Array) -> tuple[Array, Array]:
    p = native(z)
    return p, p


def _backward_native(p: Array, dp: Array) -> Array:
    return library.call("softmax_backward", ShapeDtype(p.shape, p.dtype), p, dp, aliases={1: 0})


def _backward_formula(p: Array, dp: Array) -> Array:
    return p * (dp - jnp.sum(p * dp, axis=-1, keepdims=True))


_gradient = closed(_backward_native, _backward_formula)


def _backward(p: Array, dp: Array) -> tuple[Any]:
    return (_gradient(p, dp),)


native.defvjp(_forward, _backward)


def softmax(z: Float[Array, "... classes"]) -> Float[Array, "... classes"]:
    """The softmax over the last axis, by whichever is the faster."""
    return native(z) if serves(z) else jax.nn.softmax(z)


def argmax(z: Float[Array, "... classes"]) -> Int[Array, "..."]:
    """The place of the largest number of each row; of equals the first, and a NaN counts as the largest."""
    if not serves(z):
        return jnp.argmax(z, axis=-1).astype(jnp.int32)
    return library.call("argmax", ShapeDtype(z.shape[:-1], jnp.int32), jax.lax.stop_gradient(z))
