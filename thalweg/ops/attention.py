"""Scaled dot-product attention: each query takes the mean of the values, weighted by how its key fits.

    o_t = sum_s p_ts v_s      p_t = softmax over the seen s of (scale q_t . k_s)

Vaswani et al. 2017, arXiv:1706.03762; with fewer heads of keys than of queries, Ainslie et al. 2023, arXiv:2305.13245.
`attention_weights` gives p alone, `additive_weights` another p, and `mix` takes either to the values: the way for
weights that are to be looked at, or of which some are dropped.
"""

import jax.numpy as jnp

from thalweg.errors import ContractError
from thalweg.kernels import attention as kernels
from thalweg.ops.precision import rounded, widen
from thalweg.types import Array, Bool, Float, Int


def attention(
    q: Float[Array, "batch queries _ size"],
    k: Float[Array, "batch keys _ size"] | None,
    v: Float[Array, "batch keys groups depth"] | None,
    *,
    causal: bool = False,
    mask: Bool[Array, "#batch #heads #queries #keys"] | None = None,
    lengths: Int[Array, " batch"] | None = None,
    scale: float | None = None,
    groups: int | None = None,
) -> Float[Array, "batch queries _ depth"]:
    """The values, mixed for each query.

    A query sees a key where all of `causal`, `mask` and `lengths` let it; one that sees none gets 0. What one
    projection gave need not be taken apart: without v, k has the heads of keys and values, [batch, keys, 2 groups,
    size]; without k too, q has all, [batch, queries, heads + 2 groups, size], for a sequence's attention to itself.

    Args:
        q: [batch, queries, heads, size].
        k: [batch, keys, groups, size]; groups divide heads, and head h has the keys of group h // (heads / groups).
        v: [batch, keys, groups, depth].
        causal: query t sees the keys 0 to t alone.
        mask: True where a query sees a key, [batch, heads, queries, keys], each of them or 1.
        lengths: how many keys of a row are real, as in a cache that is partly filled, [batch].
        scale: of the scores; 1 / sqrt(size) where None.
        groups: how many heads of keys there are, where q has all; as many as of queries where None.

    Returns:
        [batch, queries, heads, depth].

    Raises:
        ContractError: the groups do not divide the heads.

    >>> v = jnp.array([1.0, 3.0]).reshape(1, 2, 1, 1)
    >>> attention(jnp.zeros((1, 2, 1, 1)), v, v, causal=True).ravel().tolist()
    [1.0, 2.0]
    """
    heads, shared = _counted(q, k, v, groups)
    _check_shared(heads, shared)
    keys = q if k is None else k
    whole, limits, factor = _settings(q, keys, mask, lengths, scale)
    if kernels.serves(q, k, v):
        wide = (a if a is None else widen(a) for a in (q, k, v))
        return kernels.native(*wide, whole, limits, causal, factor, shared)[0].astype(q.dtype)
    return kernels.reference(q, k, v, whole, limits, causal, factor, shared)


def _counted(q: Array, k: Array | None, v: Array | None, groups: int | None) -> tuple[int, int]:
    """How many heads of queries and of keys there are."""
    if k is not None:
        return q.shape[2], k.shape[2] if v is not None else k.shape[2] // 2
    shared = q.shape[2] // 3 if groups is None else groups
    return q.shape[2] - 2 * shared, shared


def attention_weights(
    q: Float[Array, "batch queries heads size"],
    k: Float[Array, "batch keys groups size"],
    *,
    causal: bool = False,
    mask: Bool[Array, "#batch #heads #queries #keys"] | None = None,
    lengths: Int[Array, " batch"] | None = None,
    scale: float | None = None,
) -> Float[Array, "batch heads queries keys"]:
    """The weights p of `attention`, whose arguments these are; `mix(p, v)` is its result.

    >>> q = jnp.zeros((1, 2, 1, 1))
    >>> attention_weights(q, q, causal=True)[0, 0].tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    _check_shared(q.shape[2], k.shape[2])
    whole, limits, factor = _settings(q, k, mask, lengths, scale)
    return kernels.weights(q, k, whole, limits, causal, factor)


def additive_weights(
    q: Float[Array, "batch queries size"],
    k: Float[Array, "batch keys size"],
    w: Float[Array, " size"] | None = None,
    *,
    causal: bool = False,
    mask: Bool[Array, "#batch 1 #queries #keys"] | None = None,
) -> Float[Array, "batch 1 queries keys"]:
    """p_ts = softmax over the seen s of (sum_i w_i tanh(q_ti + k_si)); w is 1 where None.

    Bahdanau et al. 2015, arXiv:1409.0473; their matrices before the sum are dense layers of the caller's. The axis of 1
    stands where `attention_weights` has its heads, so that `mix(p, v)` takes values of one head.

    >>> additive_weights(jnp.zeros((1, 1, 2)), jnp.ones((1, 2, 2))).tolist()
    [[[[0.5, 0.5]]]]
    """
    t = widen(jnp.tanh(rounded(lambda q, k: q[:, :, None] + k[:, None], q, k)))  # batch queries keys size
    s = jnp.sum(t if w is None else t * widen(w).reshape(1, 1, 1, w.shape[0]), axis=-1)
    q, k = q[:, :, None], k[:, :, None]  # one head
    whole, none, _ = _settings(q, k, mask, None, None)
    return kernels.softmax_of_seen(s[:, None], kernels.seen(q, k, whole, none, causal))


mix = kernels.mix
apart = kernels.apart


def _check_shared(heads: int, groups: int) -> None:
    if not groups or heads % groups:
        raise ContractError(
            f"{heads} heads of queries cannot share {groups} heads of keys.\n"
            "  Give k and v a number of heads that divides q's."
        )


def _settings(
    q: Array, k: Array, mask: Array | None, lengths: Array | None, scale: float | None
) -> tuple[Array, Array, float]:
    """As the kernels take them: an empty mask or lengths is none."""
    whole = jnp.zeros((1, 1, 1, 0), bool) if mask is None else jnp.broadcast_to(mask, (*mask.shape[:3], k.shape[1]))
    limits = jnp.zeros(0, jnp.int32) if lengths is None else lengths
    return whole, limits, float(q.shape[-1] ** -0.5 if scale is None else scale)
