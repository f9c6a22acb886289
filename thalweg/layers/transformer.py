"""The Transformer's blocks: attention and a feed-forward network, each around a shortcut and a norm.

    norms last (Vaswani et al. 2017)    x <- norm(x + f(x))
    norms first (Xiong et al. 2020)     x <- x + f(norm(x))

for f the self-attention, in a decoder the attention to a memory, and two dense layers with an activation between. A
block makes its layers of its own settings as it computes; they stand at its path: `attention`, `cross_attention`, `up`,
`down`, and a norm for each branch. Dropout falls on each branch before it is added.

arXiv:1706.03762, arXiv:2002.04745.
"""

from collections.abc import Callable
from dataclasses import field
from typing import Any, ClassVar

from thalweg.core import Context, Module
from thalweg.errors import ContractError
from thalweg.layers.common import Activation, Initializer, call_method, observed, part, plus
from thalweg.layers.dense import Dense, feed_forward
from thalweg.layers.dropout import Dropout
from thalweg.layers.multihead import Memory, MultiHeadAttention
from thalweg.layers.normalization import LayerNormalization
from thalweg.ranges import COUNT, POSITIVE, RATE
from thalweg.types import Array, Bool, Dtype, Float, Int

Sequences = Float[Array, "batch time features"]


class TransformerBlock(Module):
    """The base of the two blocks: their settings, and a branch around its shortcut."""

    intermediate_dim: int
    num_heads: int
    dropout: float = 0.0
    activation: Activation = "relu"
    norm_first: bool = False
    attention_dropout: float = field(default=0.0, kw_only=True)
    epsilon: float = field(default=1e-5, kw_only=True)
    kernel_initializer: Initializer = field(default="glorot_uniform", kw_only=True)
    bias_initializer: Initializer = field(default="zeros", kw_only=True)
    causal: bool = field(default=False, kw_only=True)
    rotary: Module | None = field(default=None, kw_only=True)

    casts: ClassVar[bool] = True
    keeps_mask: ClassVar[bool] = False
    limits: ClassVar = {
        "intermediate_dim": COUNT, "num_heads": COUNT, "dropout": RATE, "attention_dropout": RATE, "epsilon": POSITIVE,
    }  # fmt: skip

    def ending(self) -> tuple[Module, None]:
        """The activation is inside: it cannot be set apart from the block."""
        return self, None

    def start_cache(self, rows: int, size: int, features: int, dtype: Dtype = "float32") -> Memory:
        """An empty cache for `rows` sequences of up to `size` steps of `features`."""
        return MultiHeadAttention(self.num_heads, features // self.num_heads).start_cache(rows, size, dtype)

    @property
    def _initializers(self) -> dict[str, Any]:
        return {"kernel_initializer": self.kernel_initializer, "bias_initializer": self.bias_initializer}

    def _attention(self, cx: Context, features: int, **settings: Any) -> MultiHeadAttention:
        """An attention over sequences of so many features."""
        if features % self.num_heads:
            raise ContractError(
                f"{cx.name} {self!r} splits {features} features into {self.num_heads} heads, which does not come out.\n"
                f"  Give num_heads a divisor of {features}."
            )
        settings |= {"dropout": self.attention_dropout, **self._initializers}
        return MultiHeadAttention(self.num_heads, features // self.num_heads, **settings)

    def _self_attention(self, cx: Context, x: Array) -> MultiHeadAttention:
        return self._attention(cx, x.shape[-1], causal=self.causal, rotary=self.rotary)

    def _fed_forward(self, cx: Context, x: Array) -> Array:
        """The branch of the two dense layers."""
        up = Dense(self.intermediate_dim, self.activation, **self._initializers)
        down = Dense(x.shape[-1], **self._initializers)
        return self._around(cx, "feed_forward", x, lambda y, shortcut: feed_forward(cx, y, up, down, shortcut))

    def _around(self, cx: Context, name: str, x: Array, branch: Callable[[Array, Array | None], Array]) -> Array:
        """The branch `name` around its shortcut, with its norm first or last.

        Where nothing stands between, and nobody looks, the branch adds the shortcut itself: in the pass of its last
        product, as the norm adds up the gradients of both ways in its own.
        """
        norm, place = LayerNormalization(epsilon=self.epsilon), part(cx, f"{name}_norm")
        h, shortcut = x, x
        if self.norm_first:
            h, shortcut = (norm(place, x), x) if observed(cx) else call_method(place, norm, "beside", x)
        if self.dropout or observed(cx):
            y = branch(h, None)
            y = shortcut + (Dropout(self.dropout)(part(cx, f"{name}_dropout"), y) if self.dropout else y)
        else:
            y = branch(h, shortcut)
        y = cx.masked(y, cx.mask_of(x))
        return y if self.norm_first else norm(place, y)


class TransformerEncoderBlock(TransformerBlock):
    """Self-attention, then a feed-forward network: x -> [batch, time, features], as x.

    A mask of x (padding) is kept out of the attention and handed on.

    Args:
        intermediate_dim: the features between the two dense layers.
        num_heads: how many heads; it divides the features.
        dropout: the share of each branch's output that is dropped in training.
        activation: between the dense layers.
        norm_first: whether a branch begins with its norm, which trains deep networks more steadily.
        attention_dropout: the share of the attention's weights that is dropped; above 0 the native kernel cannot serve.
        epsilon: of the norms.
        kernel_initializer: of every matrix.
        bias_initializer: of every bias.
        causal: whether a step sees the steps before it alone: with norms first, the block of a GPT.
        rotary: a `RotaryEmbedding` for the self-attention, or None.
    """

    axes: ClassVar[str] = "batch time features"

    def __call__(
        self, cx: Context, x: Sequences, attention_mask: Bool[Array, "batch time time"] | None = None
    ) -> Sequences:
        """The block on `x`; `attention_mask` is True where a step sees another."""
        attention = self._self_attention(cx, x)

        def branch(y: Array, shortcut: Array | None) -> Array:
            return attention(part(cx, "attention"), y, y, None, attention_mask, shortcut=shortcut)

        x = self._around(cx, "attention", x, branch)
        return self._fed_forward(cx, x)

    def step(self, cx: Context, x: Sequences, cache: Memory, length: Int[Array, " batch"]) -> tuple[Sequences, Memory]:
        """The causal block on the next steps `x` of sequences whose first `length` steps are in the cache."""
        attention, caches = self._self_attention(cx, x), [cache]

        def branch(y: Array, shortcut: Array | None) -> Array:
            y, caches[0] = call_method(part(cx, "attention"), attention, "step", y, cache, length)
            return plus(y, shortcut)

        x = self._around(cx, "attention", x, branch)
        return self._fed_forward(cx, x), caches[0]


class TransformerDecoderBlock(TransformerBlock):
    """Causal self-attention, attention to a memory, then a feed-forward network: (x, memory) -> as x.

    x: [batch, time, features]; memory: [batch, steps, size], an encoder's output. The masks of both are kept out, and
    that of x is handed on.

    Args:
        intermediate_dim: the features between the two dense layers.
        num_heads: how many heads; it divides the features.
        dropout: the share of each branch's output that is dropped in training.
        activation: between the dense layers.
        norm_first: whether a branch begins with its norm.
        attention_dropout: the share of the attention's weights that is dropped; above 0 the native kernel cannot serve.
        epsilon: of the norms.
        kernel_initializer: of every matrix.
        bias_initializer: of every bias.
        causal: whether a step sees the steps before it alone.
        rotary: a `RotaryEmbedding` for the self-attention, or None.
    """

    causal: bool = field(default=True, kw_only=True)

    def __call__(self, cx: Context, inputs: Any) -> Sequences:
        """The block on the list `[x, memory]`."""
        if not isinstance(inputs, tuple | list) or len(inputs) != 2:
            raise ValueError("it takes a list.\n  Write block([x, memory]).")
        x, memory = inputs
        own, other, place = self._self_attention(cx, x), self._attention(cx, x.shape[-1]), part(cx, "cross_attention")
        x = self._around(cx, "attention", x, lambda y, r: own(part(cx, "attention"), y, shortcut=r))
        x = self._around(cx, "cross_attention", x, lambda y, r: other(place, y, memory, shortcut=r))
        return self._fed_forward(cx, x)

    def remember(self, cx: Context, memory: Sequences, features: int) -> Memory:
        """The k and v of the memory for a block over `features`, computed once for all steps."""
        return call_method(part(cx, "cross_attention"), self._attention(cx, features), "remember", memory)

    def step(
        self,
        cx: Context,
        x: Sequences,
        cache: Memory,
        length: Int[Array, " batch"],
        memory: Memory,
        mask: Bool[Array, "batch steps"] | None,
    ) -> tuple[Sequences, Memory]:
        """The block on the next steps `x`, with the cache of the steps before and what `remember` gave."""
        own, other, caches = self._self_attention(cx, x), self._attention(cx, x.shape[-1]), [cache]

        def to_itself(y: Array, shortcut: Array | None) -> Array:
            y, caches[0] = call_method(part(cx, "attention"), own, "step", y, cache, length)
            return plus(y, shortcut)

        def to_memory(y: Array, shortcut: Array | None) -> Array:
            return plus(call_method(part(cx, "cross_attention"), other, "recall", y, memory, mask), shortcut)

        x = self._around(cx, "attention", x, to_itself)
        x = self._around(cx, "cross_attention", x, to_memory)
        return self._fed_forward(cx, x), caches[0]
