"""GPT: a decoder-only Transformer, which says of each step what comes next."""

from typing import ClassVar

from thalweg.architectures import base
from thalweg.architectures.base import Cache
from thalweg.core import Context, Module
from thalweg.errors import ContractError
from thalweg.layers import LayerNormalization, PositionEmbedding, TransformerEncoderBlock
from thalweg.layers.common import Activation, call_method, finish, part
from thalweg.ops.initializers import RandomNormal
from thalweg.ranges import COUNT, RATE
from thalweg.types import Array, Float, Int, Tree

BEGIN = RandomNormal(stddev=0.02)


class GPT(Module):
    """p(token_t+1 | token_1 .. token_t) for every t: blocks of causal self-attention, norms first, GELU between.

    tokens: [batch, time]; the output: [batch, time, vocabulary_size].

    Args:
        vocabulary_size: how many tokens there are.
        context: the longest sequence; positions are learned.
        num_layers: how many blocks.
        num_heads: how many heads of attention; it divides the width.
        width: the features of a step.
        intermediate_dim: the features inside a block's dense layers; 4 times the width where None.
        dropout: the share that is dropped in training, of the embeddings and of each branch.
        attention_dropout: the share of the attention's weights that is dropped; above 0 the native kernel cannot serve.
        tied: whether the output's weights are those of the embedding (Press and Wolf 2017, arXiv:1608.05859).
        activation: at the end; losses are taken from the logits before it.

    Radford et al. 2019, "Language models are unsupervised multitask learners"; without its scaling of the first weights
    by depth.

    >>> import jax.numpy as jnp
    >>> from thalweg import core, random
    >>> model = GPT(10, context=8, num_layers=1, num_heads=2, width=4)
    >>> params, state = core.init(model, random.key(0), jnp.ones((1, 8), int))
    >>> core.apply(model, params, state, jnp.ones((1, 5), int))[0].shape
    (1, 5, 10)
    """

    vocabulary_size: int
    context: int = 128
    num_layers: int = 4
    num_heads: int = 4
    width: int = 128
    intermediate_dim: int | None = None
    dropout: float = 0.0
    attention_dropout: float = 0.0
    tied: bool = False
    activation: Activation = "softmax"

    limits: ClassVar = {
        "vocabulary_size": COUNT, "context": COUNT, "num_layers": COUNT, "num_heads": COUNT, "width": COUNT,
        "intermediate_dim": COUNT, "dropout": RATE, "attention_dropout": RATE,
    }  # fmt: skip

    def __call__(self, cx: Context, tokens: Int[Array, "batch time"]) -> Float[Array, "batch time vocabulary"]:
        """The model on `tokens`."""
        x = self._embedded(cx, tokens, None)
        for i in range(self.num_layers):
            x = self._block()(part(cx, "blocks", str(i)), x)
        return finish(cx, self._logits(cx, x))

    def indices(self, port: int | str = 0) -> int:
        """Below which number the tokens must be."""
        del port
        return self.vocabulary_size

    def start(self, cx: Context, rows: int, size: int, source: Tree = None) -> Cache:
        """An empty cache for `rows` sequences of up to `size` tokens."""
        if size > self.context:
            raise ContractError(
                f"{size} positions are needed, prompt and continuation; this model has context={self.context}.\n"
                f"  Ask for fewer steps, cut the prompt, or train with context={size}."
            )
        dtype = cx.call.policy.compute
        state = tuple(self._block().start_cache(rows, size, self.width, dtype) for _ in range(self.num_layers))
        return Cache(base.empty(rows), state)

    def step(
        self, cx: Context, tokens: Int[Array, "rows time"], cache: Cache, lengths: Int[Array, " rows"] | None = None
    ) -> tuple[Float[Array, "rows time vocabulary"], Cache]:
        """Logits for the next `tokens`, of which `lengths` are real, and the cache with them."""
        x, layers = self._embedded(cx, tokens, cache.length), []
        for i, old in enumerate(cache.state):
            x, new = call_method(part(cx, "blocks", str(i)), self._block(), "step", x, old, cache.length)
            layers.append(new)
        return self._logits(cx, x), base.advanced(cache, tuple(layers), tokens, lengths)

    def _block(self) -> TransformerEncoderBlock:
        return TransformerEncoderBlock(
            self.intermediate_dim or 4 * self.width, self.num_heads, self.dropout, "gelu", norm_first=True,
            attention_dropout=self.attention_dropout, kernel_initializer=BEGIN, causal=True,
        )  # fmt: skip

    def _embedded(self, cx: Context, tokens: Array, start: Array | None) -> Array:
        x = base.embedded(cx, "embedding", tokens, (self.vocabulary_size, self.width), BEGIN, mask=False)
        x = PositionEmbedding(self.context, BEGIN)(part(cx, "positions"), x, start)
        return base.dropped(cx, self.dropout, "dropout", x)

    def _logits(self, cx: Context, x: Array) -> Array:
        x = LayerNormalization(epsilon=1e-5)(part(cx, "norm"), x)
        shape = self.vocabulary_size, self.width
        return base.logits(cx, x, shape[0], base.table(cx, "embedding", shape, BEGIN) if self.tied else None)
