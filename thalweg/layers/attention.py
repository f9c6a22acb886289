"""Attention of one head over a list [query, value] or [query, value, key]; the key is the value where none is given.

A value's padding is never seen: its mask, or the key's, is read from the context; the query's is handed on. The
mathematics is in `ops/attention.py`; heads side by side are in `layers/multihead.py`.
"""

from typing import Any, ClassVar, NamedTuple, TypeAlias

import jax.numpy as jnp

from thalweg import ops
from thalweg.core import Context, Module
from thalweg.errors import ConfigError
from thalweg.layers.common import Constraint, Initializer, Regularizer, weight
from thalweg.ops.attention import apart
from thalweg.ops.initializers import initializer
from thalweg.ops.precision import rounded, widen
from thalweg.ranges import RATE
from thalweg.record import Record
from thalweg.types import Array

Inputs: TypeAlias = Any
"""A list of two or three arrays; `_inputs` says so where it is not."""
SCORE_MODES = ("dot", "concat")


class AttentionInputs(NamedTuple):
    """What an attention layer of one head reads: [batch, time, features] each, which keys and which queries count."""

    q: Array
    v: Array
    k: Array
    mask: Array | None
    of_query: Array | None


def seen_keys(cx: Context, value: Array, key: Array | None) -> Array | None:
    """True for each real step of the keys, [batch, 1, 1, keys]; None where all are."""
    masks = [m for m in (cx.mask_of(value), None if key is None else cx.mask_of(key)) if m is not None]
    if not masks:
        return None
    return (masks[0] if len(masks) == 1 else masks[0] & masks[1])[:, None, None]


def dropped(cx: Context, p: Array) -> Array:
    """The weights `p`, of which in training the layer's `dropout` is dropped and the rest scaled up."""
    rate = getattr(cx.module, "dropout", 0)
    return ops.dropout(p, cx.hyper("dropout", rate), cx.key()) if cx.train and rate else p


def attend(
    cx: Context, q: Array, k: Array | None, v: Array | None, with_scores: bool, groups: int | None = None, **seen: Any
) -> tuple[Array, Array | None]:
    """The values mixed for each query, and the weights where they are asked for: heads stand on the third axis.

    What is joined is as for `ops.attention`. Weights that are looked at or dropped must be there, so the formula runs
    in place of the native kernel.
    """
    if not with_scores and not (cx.train and getattr(cx.module, "dropout", 0)):
        return ops.attention(q, k, v, groups=groups, **seen), None
    q, k, v = apart(q, k, v, groups or q.shape[2] // 3)
    p = dropped(cx, ops.attention_weights(q, k, **seen))
    return ops.mix(p, v), p if with_scores else None


class OneHead(Module):
    """The base of the layers here: each mixes the values in its own way, by `mixed`."""

    casts: ClassVar[bool] = True
    keeps_mask: ClassVar[bool] = False
    limits: ClassVar = {"dropout": RATE}

    def __call__(
        self, cx: Context, inputs: Inputs, return_attention_scores: bool = False, use_causal_mask: bool = False
    ) -> Any:
        """The layer on `[query, value]` or `[query, value, key]`; with the weights p where they are asked for.

        p is [batch, queries, keys]; the query's mask is handed on.
        """
        given = _inputs(cx, inputs)
        y, p = self.mixed(cx, given, return_attention_scores, use_causal_mask)
        y = cx.masked(y, given.of_query)
        return y if p is None or not return_attention_scores else (y, p[:, 0])

    def mixed(self, cx: Context, given: AttentionInputs, with_scores: bool, causal: bool) -> tuple[Array, Array | None]:
        """The values mixed for each query, and the weights p where they are asked for, [batch, 1, queries, keys]."""
        raise NotImplementedError


def _inputs(cx: Context, inputs: Any) -> AttentionInputs:
    if not isinstance(inputs, tuple | list) or len(inputs) not in (2, 3):
        raise ValueError("it takes a list.\n  Write layer([query, value]) or layer([query, value, key]).")
    q, v, k = (*inputs, inputs[1])[:3]
    return AttentionInputs(q, v, k, seen_keys(cx, v, None if k is v else k), cx.mask_of(q))


def _by_products(cx: Context, given: AttentionInputs, with_scores: bool, causal: bool) -> tuple[Array, Array | None]:
    q, v, k = (a[:, :, None] for a in given[:3])  # batch time 1 features
    y, p = attend(cx, q, k, v, with_scores, mask=given.mask, scale=1.0, causal=causal)
    return y[:, :, 0], p


def _by_sums(cx: Context, given: AttentionInputs, w: Array | None, causal: bool) -> tuple[Array, Array]:
    p = dropped(cx, ops.additive_weights(given.q, given.k, w, causal=causal, mask=given.mask))
    return ops.mix(p, given.v[:, :, None])[:, :, 0], p


class Attention(OneHead):
    """o_t = sum_s p_ts v_s, p_t = softmax over s of (g q_t . k_s). Luong et al. 2015, arXiv:1508.04025.

    q: [batch, queries, features]; v: [batch, keys, depth]; k: [batch, keys, features]; o: [batch, queries, depth].

    Args:
        use_scale: whether g, `scale`, is learned, from 1 on; it is 1 otherwise.
        score_mode: "dot" as above; "concat" has w sum_i tanh(g (q_ti + k_si)) as scores, w `concat_score_weight`.
        dropout: the share of p that is dropped in training.
    """

    use_scale: bool = False
    score_mode: str = "dot"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        if self.score_mode not in SCORE_MODES:
            raise ConfigError(
                f"Attention: score_mode must be 'dot' or 'concat'; it is {self.score_mode!r}.\n"
                "  Write score_mode='dot'; for learned products there is MultiplicativeAttention."
            )

    def mixed(self, cx: Context, given: AttentionInputs, with_scores: bool, causal: bool) -> tuple[Array, Array | None]:
        """See the class."""
        one = initializer("ones")
        if self.use_scale:
            given = given._replace(q=rounded(jnp.multiply, given.q, cx.param("scale", one, ())))
        if self.score_mode == "dot":
            return _by_products(cx, given, with_scores, causal)
        if self.use_scale:
            given = given._replace(k=rounded(jnp.multiply, given.k, cx.param("scale", one, ())))
        w = jnp.broadcast_to(widen(cx.param("concat_score_weight", one, ())), given.q.shape[-1:])
        return _by_sums(cx, given, w, causal)


class AdditiveAttention(OneHead):
    """o_t = sum_s p_ts v_s, p_t = softmax over s of (sum_i w_i tanh(q_ti + k_si)).

    Bahdanau et al. 2015, arXiv:1409.0473, whose matrices before the sum are `Dense` layers in front of this one.

    q: [batch, queries, features]; v: [batch, keys, depth]; k: [batch, keys, features]; w: `scale`, [features].

    Args:
        use_scale: whether w is learned; it is 1 otherwise.
        dropout: the share of p that is dropped in training.
    """

    use_scale: bool = True
    dropout: float = 0.0

    def mixed(self, cx: Context, given: AttentionInputs, with_scores: bool, causal: bool) -> tuple[Array, Array | None]:
        """See the class."""
        w = cx.param("scale", initializer("glorot_uniform"), given.q.shape[-1:]) if self.use_scale else None
        return _by_sums(cx, given, w, causal)


class MultiplicativeAttention(OneHead):
    """o_t = sum_s p_ts v_s, p_t = softmax over s of (q_t W k_s): the "general" score of Luong et al. 2015.

    q: [batch, queries, features]; v: [batch, keys, depth]; k: [batch, keys, size]; W: `kernel`, [features, size].

    Args:
        dropout: the share of p that is dropped in training.
        kernel_initializer: of W.
        kernel_regularizer: of W.
        kernel_constraint: of W.

    arXiv:1508.04025.
    """

    dropout: float = 0.0
    kernel_initializer: Initializer = "glorot_uniform"
    kernel_regularizer: Regularizer = None
    kernel_constraint: Constraint = None

    def mixed(self, cx: Context, given: AttentionInputs, with_scores: bool, causal: bool) -> tuple[Array, Array | None]:
        """See the class."""
        kernel = weight(cx, "kernel", (given.q.shape[-1], given.k.shape[-1]))
        turned = given._replace(q=ops.linear(given.q, kernel))
        return _by_products(cx, turned, with_scores, causal)
