"""What a cross-entropy needs of each row of logits, native: no row of probabilities ever lies in memory.

    log Z = log sum_k exp(z_k)      z_y, or sum_k y_k z_k      mean(z), or sum_k y_k

With a, b, c what reaches the three:

    dz_k = a softmax(z)_k + b [k = y] + c / classes,      or a softmax(z)_k + b y_k;      dy_k = b z_k + c

Shapes: z [.., classes]; y [..] (class numbers) or [.., classes] (shares); the three [..].
"""

from typing import Any

import jax
import jax.numpy as jnp

from thalweg.kernels import library
from thalweg.kernels.closed import closed
from thalweg.types import Array, Float, Int, ShapeDtype

SMALLEST = 2**19
"""Logits below which XLA's own loop is as fast."""


def serves(z: Float[Array, "... classes"]) -> bool:
    """Whether the native pass runs for these."""
    return z.dtype == jnp.float32 and z.size >= SMALLEST and library.serves()


def sparse_reference(z: Float[Array, "... classes"], y: Int[Array, "..."]) -> tuple[Array, Array, Array]:
    """(log Z, z_y, mean(z)); a class out of range has z_y = 0.

    A comparison with the class number, summed: it fuses into its neighbours, backward too, where a gather's derivative
    is a scatter.
    """
    at_y = jax.lax.broadcasted_iota(y.dtype, z.shape, z.ndim - 1) == y[..., None]
    return jax.nn.logsumexp(z, axis=-1), jnp.sum(jnp.where(at_y, z, 0), axis=-1), jnp.mean(z, axis=-1)


def dense_reference(z: Float[Array, "... classes"], y: Float[Array, "... classes"]) -> tuple[Array, Array, Array]:
    """(log Z, sum_k y_k z_k, sum_k y_k)."""
    return jax.nn.logsumexp(z, axis=-1), jnp.sum(y * z, axis=-1), jnp.sum(y, axis=-1)


def dense_cross_entropy(y: Float[Array, "... classes"], z: Float[Array, "... classes"]) -> Array:
    """-sum_k y_k log softmax(z)_k: log Z taken from each logit first, which XLA fuses with the sum."""
    return -jnp.sum(y * jax.nn.log_softmax(z), axis=-1)


def _three(z: Array) -> tuple[ShapeDtype, ...]:
    return (ShapeDtype(z.shape[:-1], z.dtype),) * 3


@jax.custom_vjp
def sparse(z: Float[Array, "... classes"], y: Int[Array, "..."]) -> tuple[Array, Array, Array]:
    """`sparse_reference`, natively."""
    log_z, z_y, mean = library.call("cross_entropy", _three(z), z, y.astype(jnp.int32))
    return log_z, z_y, mean


def _sparse_forward(z: Array, y: Array) -> Any:
    parts = sparse(z, y)
    return parts, (z, y, parts[0])


def _sparse_backward(saved: Any, cotangents: Any) -> Any:
    return _sparse_gradient(*saved, *cotangents), None


def _sparse_native(z: Array, y: Array, log_z: Array, *cotangents: Array) -> Array:
    shape = ShapeDtype(z.shape, z.dtype)
    return library.call("cross_entropy_backward", shape, z, y.astype(jnp.int32), log_z, *cotangents)


def _sparse_formula(z: Array, y: Array, log_z: Array, *cotangents: Array) -> Array:
    del log_z  # a function of z
    return jax.vjp(lambda z: sparse_reference(z, y), z)[1](cotangents)[0]


_sparse_gradient = closed(_sparse_native, _sparse_formula)
sparse.defvjp(_sparse_forward, _sparse_backward)


@jax.custom_vjp
def dense(z: Float[Array, "... classes"], y: Float[Array, "... classes"]) -> tuple[Array, Array, Array]:
    """`dense_reference`, natively."""
    log_z, dot, total = library.call("cross_entropy_dense", _three(z), z, y)
    return log_z, dot, total


def _dense_forward(z: Array, y: Array) -> Any:
    parts = dense(z, y)
    return parts, (z, y, parts[0])


def _dense_backward(saved: Any, cotangents: Any) -> Any:
    z, y, log_z = saved
    a, b, c = cotangents
    return _dense_gradient(z, y, log_z, a, b), b[..., None] * z + c[..., None]


def _dense_native(z: Array, y: Array, log_z: Array, a: Array, b: Array) -> Array:
    return library.call("cross_entropy_dense_backward", ShapeDtype(z.shape, z.dtype), z, y, log_z, a, b)


def _dense_formula(z: Array, y: Array, log_z: Array, a: Array, b: Array) -> Array:
    del log_z
    return a[..., None] * jax.nn.softmax(z) + b[..., None] * y


_dense_gradient = closed(_dense_native, _dense_formula)
dense.defvjp(_dense_forward, _dense_backward)
