"""Attention, native: softmax(scale Q K^T) V without the matrix of scores, in blocks that stay in the cache.

    o = P V      P = exp(scale Q K^T - L)      L = log sum exp of a row, the one thing kept for the way back
    dV = P^T dO      dS = scale P (dO V^T - delta), delta = sum dO O      dQ = dS K      dK = dS^T Q

Milakov and Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022, arXiv:2205.14135. A query that sees nothing gets 0.

Shapes: q, o [batch, queries, heads, size]; k, v [batch, keys, groups, size], a group serving heads / groups heads;
mask [1 or batch, 1 or heads, 1 or queries, keys] or empty; lengths [batch] or empty.

The kernel reads what one projection gave without copying it apart: where v is None, k has the heads of both, [batch,
keys, 2 groups, size]; where k is None too, q has the heads of all three, [batch, queries, heads + 2 groups, size].
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.kernels import library
from thalweg.kernels.closed import closed
from thalweg.kernels.precision import WIDENED, widen
from thalweg.types import Array, Bool, Float, Int, ShapeDtype

SMALLEST = 2**15
"""Multiplications of Q K^T below which XLA's products are as fast."""

Query = Float[Array, "batch queries heads size"]
Key = Float[Array, "batch keys groups size"]
Value = Float[Array, "batch keys groups depth"]


def serves(q: Array, k: Array | None, v: Array | None) -> bool:
    """Whether the native kernel runs for these."""
    keys = q if k is None else k
    alike = v is None or (v.dtype == keys.dtype and v.shape == keys.shape)
    known = q.dtype == keys.dtype and q.dtype in WIDENED
    return alike and known and q.size * keys.shape[1] >= SMALLEST and library.serves()


def apart(q: Array, k: Array | None, v: Array | None, groups: int) -> tuple[Query, Key, Value]:
    """Queries, keys and values, each by itself; `groups` are the keys' heads."""
    if k is None:
        q, k, v = jnp.split(q, [q.shape[2] - 2 * groups, q.shape[2] - groups], axis=2)
    elif v is None:
        k, v = jnp.split(k, 2, axis=2)
    assert v is not None
    return q, k, v


def seen(
    q: Query, k: Key, mask: Bool[Array, "..."], lengths: Int[Array, "..."], causal: bool
) -> Bool[Array, "#batch #heads #queries keys"] | None:
    """Which keys a query sees, with axes of 1 where all are alike; None where it sees all."""
    parts = [mask] if mask.size else []
    key = jnp.arange(k.shape[1])[None, None, None, :]
    if lengths.size:
        parts.append(key < lengths.astype(key.dtype)[:, None, None, None])
    if causal:
        parts.append(key <= jnp.arange(q.shape[1])[None, None, :, None])
    return functools.reduce(jnp.logical_and, parts) if parts else None


def softmax_of_seen(
    s: Float[Array, "batch heads queries keys"], visible: Bool[Array, "#batch #heads #queries #keys"] | None
) -> Float[Array, "batch heads queries keys"]:
    """The softmax of the scores along the keys that a query sees; a query that sees none gets 0."""
    hidden = s if visible is None else jnp.where(visible, s, -jnp.inf)
    top = jax.lax.stop_gradient(jnp.max(hidden, axis=-1, keepdims=True, initial=-jnp.inf))
    p = jnp.exp(hidden - jnp.where(jnp.isfinite(top), top, 0))
    total = jnp.sum(p, axis=-1, keepdims=True)
    return p / jnp.where(total == 0, 1, total)


def weights(
    q: Query, k: Key, mask: Bool[Array, "..."], lengths: Int[Array, "..."], causal: bool, scale: float
) -> Float[Array, "batch heads queries keys"]:
    """P, in at least float32; an empty mask or lengths is none."""
    batch, queries, heads, size = q.shape
    groups = k.shape[2]
    grouped = q.reshape(batch, queries, groups, heads // groups, size)
    s = widen(jnp.einsum("bqgrd,bkgd->bgrqk", grouped, k)).reshape(batch, heads, queries, k.shape[1]) * scale
    return softmax_of_seen(s, seen(q, k, mask, lengths, causal))


def mix(p: Float[Array, "batch heads queries keys"], v: Value) -> Float[Array, "batch queries heads depth"]:
    """P V, in the precision of V."""
    batch, heads, queries, keys = p.shape
    groups, depth = v.shape[2:]
    grouped = p.astype(v.dtype).reshape(batch, groups, heads // groups, queries, keys)
    return jnp.einsum("bgrqk,bkgd->bqgrd", grouped, v).reshape(batch, queries, heads, depth)


def reference(
    q: Array, k: Array | None, v: Array | None, mask: Array, lengths: Array, causal: bool, scale: float, groups: int
) -> Float[Array, "batch queries heads depth"]:
    """With the matrix of scores, by XLA."""
    q, k, v = apart(q, k, v, groups)
    return mix(weights(q, k, mask, lengths, causal, scale), v)


def _arguments(q: Array, k: Array | None, v: Array | None, groups: int) -> tuple[tuple[Array, Array, Array], int]:
    """Three arrays as the native function takes them, and which of them are joined: what lies elsewhere is empty."""
    empty = jnp.zeros((q.shape[0], 0, groups, q.shape[3]), q.dtype)
    if k is None:
        return (q, empty, empty), 2
    return ((q, k, empty), 1) if v is None else ((q, k, v), 0)


def _native(
    q: Array, k: Array | None, v: Array | None, mask: Array, lengths: Array, causal: bool, scale: float, groups: int
) -> Any:
    """(o, L); only o is to be differentiated."""
    given, joined = _arguments(q, k, v, groups)
    batch, queries, heads, size = q.shape
    heads -= 2 * groups if joined == 2 else 0
    results = ShapeDtype((batch, queries, heads, size), q.dtype), ShapeDtype((batch, heads, queries), q.dtype)
    settings: dict[str, Any] = {"causal": causal, "scale": np.float32(scale), "joined": joined}
    o, log_sum = library.call("attention", results, *given, mask, lengths.astype(jnp.int32), **settings)
    return o, log_sum


native = jax.custom_vjp(_native, nondiff_argnums=(5, 6, 7))


def _forward(
    q: Array, k: Array | None, v: Array | None, mask: Array, lengths: Array, causal: bool, scale: float, groups: int
) -> Any:
    o, log_sum = native(q, k, v, mask, lengths, causal, scale, groups)
    return (o, log_sum), (q, k, v, mask, lengths, o, log_sum)


def _backward(causal: bool, scale: float, groups: int, saved: Any, cotangents: Any) -> Any:
    return *_gradient(causal, scale, groups)(*saved, cotangents[0]), None, None


native.defvjp(_forward, _backward)


@functools.cache
def _gradient(causal: bool, scale: float, groups: int) -> Any:
    def run(q: Array, k: Array | None, v: Array | None, mask: Array, lengths: Array, *rest: Array) -> Any:
        given, joined = _arguments(q, k, v, groups)
        settings: dict[str, Any] = {"causal": causal, "scale": np.float32(scale), "joined": joined}
        arguments = (*given, mask, lengths.astype(jnp.int32), *rest)
        gradients = library.call("attention_backward", tuple(library.like(*given)), *arguments, **settings)
        return tuple(None if of is None else d for of, d in zip((q, k, v), gradients, strict=True))

    def formula(q: Array, k: Array | None, v: Array | None, mask: Array, lengths: Array, *rest: Array) -> Any:
        return jax.vjp(lambda q, k, v: reference(q, k, v, mask, lengths, causal, scale, groups), q, k, v)[1](rest[-1])

    return closed(run, formula)
