"""Attention of several heads: each its own projections, side by side, joined by one more.

    o_t = concat over heads h of (attention(q W_q,h, k W_k,h, v W_v,h)) W_o

Vaswani et al. 2017, arXiv:1706.03762; with a group of query heads to each head of keys, Ainslie et al. 2023,
arXiv:2305.13245.

The matrices of all heads stand side by side in one. So do those of what is projected from one sequence: in the
attention of a sequence to itself queries, keys and values, else keys and values. A call is then two or three products.
The two layers differ in their settings alone.

A cache holds the k and v of the steps so far, `{"k": [rows, size, groups, key], "v": [rows, size, groups, value]}`. It
is given and returned: `step` writes the new steps in and reads up to them. What is attended to but does not grow, an
encoder's output, is projected once by `remember` and read by `recall`.
"""

from dataclasses import field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from thalweg import ops
from thalweg.core import Context, Module
from thalweg.layers.attention import attend, seen_keys
from thalweg.layers.common import Constraint, Initializer, Regularizer, penalized, plus
from thalweg.layers.projection import (
    Heads,
    Memory,
    attended,
    in_three,
    memory_of,
    of_itself,
    positions_of,
    projected,
    queries_of,
)
from thalweg.ranges import COUNT, RATE
from thalweg.types import Array, Bool, Dtype, Float, Int

Sequences = Float[Array, "batch time features"]


class MultiHead(Module):
    """The base of the two layers: the settings that both have, and all that they do. Each says its `heads`."""

    kernel_initializer: Initializer = field(default="glorot_uniform", kw_only=True)
    bias_initializer: Initializer = field(default="zeros", kw_only=True)
    kernel_regularizer: Regularizer = field(default=None, kw_only=True)
    bias_regularizer: Regularizer = field(default=None, kw_only=True)
    activity_regularizer: Regularizer = field(default=None, kw_only=True)
    kernel_constraint: Constraint = field(default=None, kw_only=True)
    bias_constraint: Constraint = field(default=None, kw_only=True)
    causal: bool = field(default=False, kw_only=True)
    rotary: Module | None = field(default=None, kw_only=True)

    axes: ClassVar[str] = "batch time features"
    keeps_mask: ClassVar[bool] = False

    @property
    def heads(self) -> Heads:
        """The heads and their sizes."""
        raise NotImplementedError

    def __call__(
        self,
        cx: Context,
        query: Sequences,
        value: Float[Array, "batch keys size"] | None = None,
        key: Float[Array, "batch keys size"] | None = None,
        attention_mask: Array | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
        shortcut: Sequences | None = None,
    ) -> Any:
        """The layer on `query` and `value`; on `query` alone it is self-attention. The key is the value where None.

        `attention_mask` is True, or 1, where a query sees a key: [batch, queries, keys]. With
        `return_attention_scores` the weights come too, [batch, heads, queries, keys]. A `shortcut`, as the output, is
        added to it in the same pass. The query's mask is handed on.
        """
        heads, value = self.heads, query if value is None else value
        q, k, v = attended(cx, heads, query, value, None if key is value else key)
        seen = _both(_of_heads(attention_mask), seen_keys(cx, value, key))
        causal = use_causal_mask or self.causal
        y, p = attend(cx, q, k, v, return_attention_scores, heads.groups, mask=seen, causal=causal)
        o = cx.masked(self._joined(cx, query, y, shortcut), cx.mask_of(query))
        return o if p is None else (o, p)

    def start_cache(self, rows: int, size: int, dtype: Dtype = "float32") -> Memory:
        """An empty cache for `rows` sequences of up to `size` steps."""
        sizes = {"k": self.heads.key, "v": self.heads.value}
        return {name: jnp.zeros((rows, size, self.heads.groups, n), dtype) for name, n in sizes.items()}

    def step(
        self, cx: Context, x: Sequences, cache: Memory, length: Int[Array, " batch"]
    ) -> tuple[Float[Array, "batch time output"], Memory]:
        """Causal self-attention of the next steps `x` of sequences whose first `length` steps are in the cache.

        Returns the output and the cache with these steps. The cache must have room for them.
        """
        time, size = x.shape[1], cache["k"].shape[1]
        positions = length[:, None] + jnp.arange(time, dtype=length.dtype)[None]  # batch time
        q, new = in_three(cx, self.heads, of_itself(cx, self.heads, x), positions)
        cache = {name: _written(cache[name], new[name], length) for name in cache}
        if time == 1:
            y = ops.attention(q, cache["k"], cache["v"], lengths=length + 1)
        else:
            seen = jnp.arange(size, dtype=length.dtype)[None, None] <= positions[..., None]  # batch time size
            y = ops.attention(q, cache["k"], cache["v"], mask=seen[:, None])
        return self._joined(cx, x, y), cache

    def remember(self, cx: Context, memory: Sequences) -> Memory:
        """The k and v of a memory that does not grow, for `recall`."""
        return memory_of(cx, self.heads, memory, None, positions_of(memory))

    def recall(
        self, cx: Context, query: Sequences, memory: Memory, mask: Bool[Array, "batch keys"] | None
    ) -> Float[Array, "batch time output"]:
        """The layer on `query` over what `remember` gave; `mask` is True for its real steps."""
        q = queries_of(cx, self.heads, query, positions_of(query))
        seen = None if mask is None else mask[:, None, None]
        return self._joined(cx, query, ops.attention(q, memory["k"], memory["v"], mask=seen))

    def _joined(self, cx: Context, query: Array, y: Array, shortcut: Array | None = None) -> Array:
        """The heads joined: [batch, time, heads, value] -> [batch, time, features of the output]."""
        features = getattr(self, "output_shape", None) or query.shape[-1]
        y = y.reshape(*y.shape[:2], -1)  # batch time heads*value
        if shortcut is not None and self.activity_regularizer is None:
            return projected(cx, "output", (features,), y, shortcut)
        return plus(penalized(cx, projected(cx, "output", (features,), y)), shortcut)


def _of_heads(mask: Array | None) -> Array | None:
    """An attention mask as the product takes it, [batch, heads, queries, keys]."""
    if mask is None:
        return None
    if mask.ndim not in (3, 4):
        raise ValueError(
            f"attention_mask must be [batch, queries, keys]; it has shape {mask.shape}.\n"
            "  Write attention_mask=mask[:, None] for a mask of [batch, keys], which all queries share."
        )
    return (mask if mask.ndim == 4 else mask[:, None]).astype(bool)


def _both(a: Array | None, b: Array | None) -> Array | None:
    return b if a is None else a if b is None else a & b


def _written(buffer: Array, new: Array, start: Array) -> Array:
    def row(old: Array, new: Array, start: Array) -> Array:
        return jax.lax.dynamic_update_slice_in_dim(old, new.astype(old.dtype), start, 0)

    return jax.vmap(row)(buffer, new, start)


class MultiHeadAttention(MultiHead):
    """Attention of `num_heads` heads, each with projections of its own to `key_dim` features.

    query: [batch, queries, features]; value, key: [batch, keys, size]; the output: [batch, queries, output_shape].
    A call is self-attention where `value` is None or the query itself. Its parameters: `query_key_value_kernel`
    [features, heads (2 key_dim + value_dim)]. Those of attention to another sequence: `query_kernel` [features, heads
    key_dim], `key_value_kernel` [size, heads (key_dim + value_dim)]. Of both: `output_kernel` [heads value_dim,
    output_shape], and a bias for each.

    Args:
        num_heads: how many heads.
        key_dim: the size of a head's queries and keys.
        value_dim: the size of a head's values; `key_dim` where None.
        dropout: the share of the weights that is dropped in training, where above 0 the native kernel cannot serve.
        use_bias: whether the projections have biases.
        output_shape: the features of the output; those of the query where None.
        kernel_initializer: of each projection's matrix.
        bias_initializer: of the biases.
        kernel_regularizer: of the matrices.
        bias_regularizer: of the biases.
        activity_regularizer: of the output, per row of the batch.
        kernel_constraint: of the matrices.
        bias_constraint: of the biases.
        causal: whether query t sees the keys 0 to t alone in every call.
        rotary: a `RotaryEmbedding` that turns queries and keys by their positions, or None.
    """

    num_heads: int
    key_dim: int
    value_dim: int | None = None
    dropout: float = 0.0
    use_bias: bool = True
    output_shape: int | None = None

    limits: ClassVar = {
        "num_heads": COUNT, "key_dim": COUNT, "value_dim": COUNT, "output_shape": COUNT, "dropout": RATE,
    }  # fmt: skip

    @property
    def heads(self) -> Heads:
        """The heads and their sizes."""
        return Heads(self.num_heads, self.num_heads, self.key_dim, self.value_dim or self.key_dim)


class GroupQueryAttention(MultiHead):
    """Attention in which a group of query heads shares a head of keys and values: a smaller cache, fewer weights.

    Shapes and parameters are those of `MultiHeadAttention`, with `num_key_value_heads` heads of keys and of values.

    Args:
        head_dim: the size of a head's queries, keys and values.
        num_query_heads: how many heads of queries.
        num_key_value_heads: how many heads of keys and values; it divides `num_query_heads`.
        dropout: the share of the weights that is dropped in training, where above 0 the native kernel cannot serve.
        use_bias: whether the projections have biases.
        kernel_initializer: of each projection's matrix.
        bias_initializer: of the biases.
        kernel_regularizer: of the matrices.
        bias_regularizer: of the biases.
        activity_regularizer: of the output, per row of the batch.
        kernel_constraint: of the matrices.
        bias_constraint: of the biases.
        causal: whether query t sees the keys 0 to t alone in every call.
        rotary: a `RotaryEmbedding` that turns queries and keys by their positions, or None.

    Ainslie et al. 2023, arXiv:2305.13245.
    """

    head_dim: int
    num_query_heads: int
    num_key_value_heads: int
    dropout: float = 0.0
    use_bias: bool = True

    limits: ClassVar = {
        "head_dim": COUNT, "num_query_heads": COUNT, "num_key_value_heads": COUNT, "dropout": RATE,
    }  # fmt: skip

    @property
    def heads(self) -> Heads:
        """The heads and their sizes."""
        return Heads(self.num_query_heads, self.num_key_value_heads, self.head_dim, self.head_dim)
