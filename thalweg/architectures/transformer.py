"""The Transformer: an encoder reads the source, a decoder writes the target."""

from typing import Any, ClassVar

from thalweg.architectures import base
from thalweg.architectures.base import Cache
from thalweg.core import Context, Module
from thalweg.errors import ContractError
from thalweg.layers import LayerNormalization, SinusoidalPosition, TransformerDecoderBlock, TransformerEncoderBlock
from thalweg.layers.common import Activation, call_method, finish, part
from thalweg.ops.initializers import RandomNormal
from thalweg.ranges import COUNT, RATE
from thalweg.types import Array, Float, Int


class Transformer(Module):
    """p(target_t+1 | target_1 .. target_t, source) for every t.

    source: [batch, steps]; target: [batch, time], beginning with a start token; the output: [batch, time, words].
    Embeddings begin at a standard deviation of width^(-1/2) and are multiplied by width^(1/2); positions are sinusoids.

    Args:
        vocabulary_size: how many tokens the source has.
        target_vocabulary_size: how many the target has; as the source where None.
        num_layers: how many blocks the encoder has, and how many the decoder.
        num_heads: how many heads of attention; it divides the width.
        width: the features of a step.
        intermediate_dim: the features inside a block's dense layers; 4 times the width where None.
        dropout: the share that is dropped in training, of the embeddings and of each branch.
        attention_dropout: the share of the attention's weights that is dropped; above 0 the native kernel cannot serve.
        norm_first: whether norms come first in a branch, and one more at each end; the paper has them last.
        tied: whether the output's weights are those of the target's embedding.
        mask_zero: whether the token 0 is padding, at the ends: not read in the source, not counted in the target.
        activation: at the end; losses are taken from the logits before it.

    Vaswani et al. 2017, arXiv:1706.03762.
    """

    vocabulary_size: int
    target_vocabulary_size: int | None = None
    num_layers: int = 3
    num_heads: int = 8
    width: int = 256
    intermediate_dim: int | None = None
    dropout: float = 0.1
    attention_dropout: float = 0.0
    norm_first: bool = True
    tied: bool = False
    mask_zero: bool = True
    activation: Activation = "softmax"

    keeps_mask: ClassVar[bool] = False
    limits: ClassVar = {
        "vocabulary_size": COUNT, "target_vocabulary_size": COUNT, "num_layers": COUNT, "num_heads": COUNT,
        "width": COUNT, "intermediate_dim": COUNT, "dropout": RATE, "attention_dropout": RATE,
    }  # fmt: skip

    def __call__(self, cx: Context, inputs: Any) -> Float[Array, "batch time words"]:
        """The model on the list `[source, target]`."""
        source, target = base.pair(inputs)
        memory = self._encoded(cx, source)
        x = self._target(cx, target, None)
        for i in range(self.num_layers):
            x = self._decoder_block()(part(cx, "decoder", str(i)), (x, memory))
        return base.padded(cx, finish(cx, self._logits(cx, x)), target, self.mask_zero)

    def indices(self, port: int | str = 0) -> int:
        """Below which number the tokens must be: those of the source, port 0, and those of the target."""
        return self.vocabulary_size if port == 0 else self._words

    def start(self, cx: Context, rows: int, size: int, source: Int[Array, "rows steps"] | None = None) -> Cache:
        """The source read, its keys and values computed, and an empty cache for `rows` targets of up to `size`."""
        if source is None:
            raise ContractError("this model writes a target for a source.\n  Give source=, tokens [rows, steps].")
        memory, block = self._encoded(cx, source), self._decoder_block()
        places = [part(cx, "decoder", str(i)) for i in range(self.num_layers)]
        known = tuple(call_method(place, block, "remember", memory, self.width) for place in places)
        dtype = cx.call.policy.compute
        state = tuple(block.start_cache(rows, size, self.width, dtype) for _ in places)
        return Cache(base.empty(rows), state, {"layers": known, "mask": cx.mask_of(memory)})

    def step(
        self, cx: Context, tokens: Int[Array, "rows time"], cache: Cache, lengths: Int[Array, " rows"] | None = None
    ) -> tuple[Float[Array, "rows time words"], Cache]:
        """Logits for the next `tokens` of the target, of which `lengths` are real, and the cache with them."""
        x, layers = self._target(cx, tokens, cache.length), []
        for i, old in enumerate(cache.state):
            given = old, cache.length, cache.memory["layers"][i], cache.memory["mask"]
            x, new = call_method(part(cx, "decoder", str(i)), self._decoder_block(), "step", x, *given)
            layers.append(new)
        return self._logits(cx, x), base.advanced(cache, tuple(layers), tokens, lengths)

    @property
    def _words(self) -> int:
        return self.target_vocabulary_size or self.vocabulary_size

    @property
    def _begin(self) -> RandomNormal:
        return RandomNormal(stddev=self.width**-0.5)

    def _block_settings(self) -> dict[str, object]:
        return {
            "intermediate_dim": self.intermediate_dim or 4 * self.width, "num_heads": self.num_heads,
            "dropout": self.dropout, "norm_first": self.norm_first, "attention_dropout": self.attention_dropout,
        }  # fmt: skip

    def _decoder_block(self) -> TransformerDecoderBlock:
        return TransformerDecoderBlock(**self._block_settings())  # pyright: ignore[reportArgumentType]

    def _encoded(self, cx: Context, source: Array) -> Array:
        x = self._embedded(cx, "source_embedding", source, self.vocabulary_size, None, self.mask_zero)
        block = TransformerEncoderBlock(**self._block_settings())  # pyright: ignore[reportArgumentType]
        for i in range(self.num_layers):
            x = block(part(cx, "encoder", str(i)), x)
        return self._normed(cx, "encoder_norm", x)

    def _target(self, cx: Context, tokens: Array, start: Array | None) -> Array:
        return self._embedded(cx, "target_embedding", tokens, self._words, start, mask=False)

    def _embedded(self, cx: Context, name: str, tokens: Array, words: int, start: Array | None, mask: bool) -> Array:
        x = base.embedded(cx, name, tokens, (words, self.width), self._begin, mask)
        x = cx.masked(x * self.width**0.5, cx.mask_of(x))
        return base.dropped(cx, self.dropout, f"{name}_dropout", SinusoidalPosition()(part(cx, "positions"), x, start))

    def _normed(self, cx: Context, name: str, x: Array) -> Array:
        return LayerNormalization(epsilon=1e-5)(part(cx, name), x) if self.norm_first else x

    def _logits(self, cx: Context, x: Array) -> Array:
        x, shape = self._normed(cx, "decoder_norm", x), (self._words, self.width)
        tied = base.table(cx, "target_embedding", shape, self._begin) if self.tied else None
        return base.logits(cx, x, self._words, tied)
