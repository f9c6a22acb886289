"""Cross-entropies of rows of logits, native: no row of probabilities ever lies in memory.

    -log p_y = log Z - (z_y - m)      z_y - mean(z)      -sum_k y_k log p_k = log Z sum_k y_k - sum_k y_k (z_k - m)

with m = max(z), log Z = log sum_k exp(z_k - m). All is taken from m: of logits around 40,000 differences keep their
digits, where two numbers of that size lose them. The gradients are of one form,

    dz_k = a p_k + b [k = y] + c / classes,      or a p_k + b y_k

Shapes: z [.., classes]; y [..] (class numbers) or [.., classes] (shares); the results [..].
"""

from typing import Any

import jax
import jax.numpy as jnp

from thalweg.kernels import library
from thalweg.kernels.closed import closed
from thalweg.types import Array, Bool, Float, Int, ShapeDtype

SMALLEST = 2**19
"""Logits below which XLA's own loop is as fast."""


def serves(z: Float[Array, "... classes"]) -> bool:
    """Whether the native pass runs for these."""
    return z.dtype == jnp.float32 and z.size >= SMALLEST and library.serves()


def sparse_reference(z: Float[Array, "... classes"], y: Int[Array, "..."]) -> tuple[Array, Array]:
    """(-log p_y, z_y - mean(z)); a class out of range has z_y = 0.

    A comparison with the class number, summed: it fuses into its neighbours, backward too, where a gather's derivative
    is a scatter.
    """
    m = jax.lax.stop_gradient(jnp.max(z, axis=-1))
    m = jnp.where(jnp.isfinite(m), m, 0)
    d = z - m[..., None]
    known = (y >= 0) & (y < z.shape[-1])
    d_y = jnp.where(known, jnp.sum(jnp.where(_is_class(y, z), d, 0), axis=-1), -m)
    return jnp.log(jnp.sum(jnp.exp(d), axis=-1)) - d_y, d_y - jnp.mean(d, axis=-1)


def dense_reference(z: Float[Array, "... classes"], y: Float[Array, "... classes"]) -> Array:
    """-sum_k y_k log p_k: log Z taken from each logit first, which XLA fuses with the sum."""
    return -jnp.sum(y * jax.nn.log_softmax(z), axis=-1)


def _is_class(y: Array, z: Array) -> Bool[Array, "... classes"]:
    return jax.lax.broadcasted_iota(y.dtype, z.shape, z.ndim - 1) == y[..., None]


def _parts(name: str, z: Array, y: Array) -> Any:
    """Log Z, z_y - m or sum_k y_k (z_k - m), mean(z) - m or sum_k y_k, and m."""
    return library.call(name, (ShapeDtype(z.shape[:-1], z.dtype),) * 4, z, y)


@jax.custom_vjp
def sparse(z: Float[Array, "... classes"], y: Int[Array, "..."]) -> tuple[Array, Array]:
    """`sparse_reference`, natively."""
    return _sparse_forward(z, y)[0]


def _sparse_forward(z: Array, y: Array) -> Any:
    log_z, d_y, mean, m = _parts("cross_entropy", z, y.astype(jnp.int32))
    return (log_z - d_y, d_y - mean), (z, y, log_z, m)


def _sparse_backward(saved: Any, cotangents: Any) -> Any:
    a, s = cotangents
    return _sparse_gradient(*saved, a, s - a, -s), None


def _sparse_native(z: Array, y: Array, log_z: Array, m: Array, *abc: Array) -> Array:
    shape = ShapeDtype(z.shape, z.dtype)
    return library.call("cross_entropy_backward", shape, z, y.astype(jnp.int32), log_z, m, *abc)


def _sparse_formula(z: Array, y: Array, log_z: Array, m: Array, *abc: Array) -> Array:
    del log_z, m  # functions of z
    a, b, c = (v[..., None] for v in abc)
    return a * jax.nn.softmax(z) + jnp.where(_is_class(y, z), b, 0) + c / z.shape[-1]


_sparse_gradient = closed(_sparse_native, _sparse_formula)
sparse.defvjp(_sparse_forward, _sparse_backward)


@jax.custom_vjp
def dense(z: Float[Array, "... classes"], y: Float[Array, "... classes"]) -> Array:
    """`dense_reference`, natively."""
    return _dense_forward(z, y)[0]


def _dense_forward(z: Array, y: Array) -> Any:
    log_z, dot, total, m = _parts("cross_entropy_dense", z, y)
    return log_z * total - dot, (z, y, log_z, total, m)


def _dense_backward(saved: Any, g: Array) -> Any:
    z, y, log_z, total, m = saved
    dy = g[..., None] * (log_z[..., None] - (z - m[..., None]))
    return _dense_gradient(z, y, log_z, m, g * total, -g), dy


def _dense_native(z: Array, y: Array, log_z: Array, m: Array, a: Array, b: Array) -> Array:
    return library.call("cross_entropy_dense_backward", ShapeDtype(z.shape, z.dtype), z, y, log_z, m, a, b)


def _dense_formula(z: Array, y: Array, log_z: Array, m: Array, a: Array, b: Array) -> Array:
    del log_z, m
    return a[..., None] * jax.nn.softmax(z) + b[..., None] * y


_dense_gradient = closed(_dense_native, _dense_formula)
dense.defvjp(_dense_forward, _dense_backward)
