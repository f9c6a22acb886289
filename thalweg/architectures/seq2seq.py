"""Sequence to sequence with LSTMs and attention: an encoder reads both ways, a decoder looks back at every step.

    m_s = [forward LSTM; backward LSTM] of the source    the memory
    h_t = LSTM of the target's step t                    from a state made of the encoder's last ones
    c_t = attention(h_t W_q; m, m W_k)                   what of the memory counts now
    y_t = softmax(tanh([c_t; h_t] W_c) W)

The attention follows the LSTM and feeds nothing back into it, so a whole target is read in one pass.
"""

from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg.architectures import base
from thalweg.architectures.base import Cache
from thalweg.architectures.recurrent import BEGIN, real
from thalweg.core import Context, Module
from thalweg.errors import ContractError
from thalweg.layers import LSTM, AdditiveAttention, Dense
from thalweg.layers.common import Activation, finish, part
from thalweg.ranges import COUNT, RATE
from thalweg.types import Array, Float, Int, Tree


class Seq2Seq(Module):
    """p(target_t+1 | target_1 .. target_t, source) for every t.

    source: [batch, steps]; target: [batch, time], beginning with a start token; the output: [batch, time, words].

    Args:
        vocabulary_size: how many tokens the source has.
        target_vocabulary_size: how many the target has; as the source where None.
        units: the size of the LSTMs.
        embedding_dim: the size of a token's row; as `units` where None.
        num_layers: how many LSTMs the encoder has in each direction, and how many the decoder.
        attention: `AdditiveAttention()`, the scores of Bahdanau et al., or `Attention()`, those of Luong et al.
        dropout: the share that is dropped in training, of the embeddings and of each layer's output.
        mask_zero: whether the token 0 is padding, at the ends: not read in the source, not counted in the target.
        activation: at the end; losses are taken from the logits before it.

    Sutskever et al. 2014, arXiv:1409.3215; Bahdanau et al. 2015, arXiv:1409.0473. As in Luong et al. 2015,
    arXiv:1508.04025, the attention comes after the decoder's LSTM, so that a whole target is one sequence.
    """

    vocabulary_size: int
    target_vocabulary_size: int | None = None
    units: int = 256
    embedding_dim: int | None = None
    num_layers: int = 1
    attention: Module = AdditiveAttention()
    dropout: float = 0.0
    mask_zero: bool = True
    activation: Activation = "softmax"

    keeps_mask: ClassVar[bool] = False
    limits: ClassVar = {
        "vocabulary_size": COUNT, "target_vocabulary_size": COUNT, "units": COUNT, "embedding_dim": COUNT,
        "num_layers": COUNT, "dropout": RATE,
    }  # fmt: skip

    def __call__(self, cx: Context, inputs: Any) -> Float[Array, "batch time words"]:
        """The model on the list `[source, target]`."""
        source, target = base.pair(inputs)
        memory, states = self._encoded(cx, source)
        x = self._embedded(cx, "target", target, self._words, mask=False)
        y, _ = self._decoded(cx, x, memory, self._keys(cx, memory), states)
        return base.padded(cx, finish(cx, y), target, self.mask_zero)

    def indices(self, port: int | str = 0) -> int:
        """Below which number the tokens must be: those of the source, port 0, and those of the target."""
        return self.vocabulary_size if port == 0 else self._words

    def start(self, cx: Context, rows: int, size: int, source: Int[Array, "rows steps"] | None = None) -> Cache:
        """The source read; of any length, so `size` is not read."""
        if source is None:
            raise ContractError("this model writes a target for a source.\n  Give source=, tokens [rows, steps].")
        memory, states = self._encoded(cx, source)
        known = {"memory": memory, "keys": self._keys(cx, memory), "mask": cx.mask_of(memory)}
        return Cache(base.empty(rows), states, known)

    def step(
        self, cx: Context, tokens: Int[Array, "rows time"], cache: Cache, lengths: Int[Array, " rows"] | None = None
    ) -> tuple[Float[Array, "rows time words"], Cache]:
        """Logits for the next `tokens` of the target, of which `lengths` are real, and the states after them."""
        memory = cx.masked(cache.memory["memory"], cache.memory["mask"])
        x = real(cx, self._embedded(cx, "target", tokens, self._words, mask=False), lengths)
        y, states = self._decoded(cx, x, memory, cache.memory["keys"], cache.state)
        return y, base.advanced(cache, states, tokens, lengths)

    @property
    def _words(self) -> int:
        return self.target_vocabulary_size or self.vocabulary_size

    def _embedded(self, cx: Context, name: str, tokens: Array, words: int, mask: bool) -> Array:
        shape = words, self.embedding_dim or self.units
        x = base.embedded(cx, f"{name}_embedding", tokens, shape, BEGIN, mask)
        return base.dropped(cx, self.dropout, f"{name}_dropout", x)

    def _lstm(self, **settings: Any) -> LSTM:
        return LSTM(self.units, return_sequences=True, return_state=True, **settings)

    def _encoded(self, cx: Context, source: Array) -> tuple[Array, Tree]:
        """The memory, and the states from which the decoder's layers start."""
        x, states = self._embedded(cx, "source", source, self.vocabulary_size, self.mask_zero), []
        mask = cx.mask_of(x)
        for i in range(self.num_layers):
            place = "encoder", str(i)
            y, *ahead = self._lstm()(part(cx, *place, "forward"), x)
            z, *back = self._lstm(go_backwards=True)(part(cx, *place, "backward"), x)
            x = cx.masked(jnp.concatenate([y, z[:, ::-1]], axis=-1), mask)
            x = base.dropped(cx, self.dropout, f"encoder_dropout_{i}", x)
            states.append(tuple(self._bridge(cx, i, k, ahead[k], back[k]) for k in range(2)))
        return x, tuple(states)

    def _bridge(self, cx: Context, layer: int, which: int, ahead: Array, back: Array) -> Array:
        dense = Dense(self.units, activation="tanh")
        return dense(part(cx, "bridge", str(layer), "hc"[which]), jnp.concatenate([ahead, back], axis=-1))

    def _keys(self, cx: Context, memory: Array) -> Array:
        return Dense(self.units, use_bias=False)(part(cx, "keys"), memory)

    def _decoded(self, cx: Context, x: Array, memory: Array, keys: Array, states: Tree) -> tuple[Array, Tree]:
        """The logits, and the states after `x`."""
        after = []
        for i, old in enumerate(states):
            x, *new = self._lstm()(part(cx, "decoder", str(i)), x, old)
            after.append(tuple(new))
            x = base.dropped(cx, self.dropout, f"decoder_dropout_{i}", x)
        query = Dense(self.units, use_bias=False)(part(cx, "query"), x)
        c = self.attention(cx, (query, memory, keys))  # pyright: ignore[reportCallIssue]
        y = Dense(self.units, activation="tanh")(part(cx, "combine"), jnp.concatenate([c, x], axis=-1))
        y = base.dropped(cx, self.dropout, "combine_dropout", y)
        return base.logits(cx, y, self._words, None), tuple(after)
