"""A language model of recurrent layers: embedding, layers one above the other, a word at every step."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg.architectures import base
from thalweg.architectures.base import Cache
from thalweg.core import Context, Module
from thalweg.errors import ConfigError
from thalweg.layers import LSTM
from thalweg.layers.common import Activation, finish
from thalweg.ops.initializers import RandomUniform
from thalweg.ranges import COUNT, RATE
from thalweg.record import Record
from thalweg.types import Array, Float, Int, Tree

BEGIN = RandomUniform(-0.1, 0.1)


class RecurrentLM(Module):
    """p(token_t+1 | token_1 .. token_t) for every t, from the state that recurrent layers carry.

    tokens: [batch, time]; the output: [batch, time, vocabulary_size].

    Args:
        vocabulary_size: how many tokens there are.
        recurrent: the layers, such as `(LSTM(200), LSTM(200))`; each gives its sequence and its state, said or not.
        embedding_dim: the size of a token's row; that of the last layer where None.
        dropout: the share that is dropped in training, of the embeddings and of each layer's output.
        tied: whether the output's weights are those of the embedding, whose size is then the last layer's.
        activation: at the end; losses are taken from the logits before it.

    Mikolov et al. 2010, "Recurrent neural network based language model"; the dropout is that of Zaremba et al. 2014,
    arXiv:1409.2329.

    >>> RecurrentLM(100, [LSTM(8)]).recurrent
    (LSTM(8, return_sequences=True, return_state=True),)
    """

    vocabulary_size: int
    recurrent: Sequence[Any]
    embedding_dim: int | None = None
    dropout: float = 0.0
    tied: bool = False
    activation: Activation = "softmax"

    limits: ClassVar = {"vocabulary_size": COUNT, "embedding_dim": COUNT, "dropout": RATE}

    def __post_init__(self) -> None:
        whole = (dataclasses.replace(r, return_sequences=True, return_state=True) for r in self.recurrent)
        object.__setattr__(self, "recurrent", tuple(whole))
        Record.__post_init__(self)
        if not self.recurrent:
            raise ConfigError("RecurrentLM: it has no recurrent layers.\n  Write recurrent=[LSTM(200)], for example.")
        if self.tied and self._size != self.recurrent[-1].units:
            raise ConfigError(
                f"RecurrentLM: tied=True needs embedding_dim as large as the last layer, {self.recurrent[-1].units}; "
                f"it is {self.embedding_dim}.\n  Leave embedding_dim out."
            )

    def __call__(self, cx: Context, tokens: Int[Array, "batch time"]) -> Float[Array, "batch time vocabulary"]:
        """The model on `tokens`."""
        x, _ = self._over(cx, self._embedded(cx, tokens), [None] * len(self.recurrent))
        return finish(cx, self._logits(cx, x))

    def indices(self, port: int | str = 0) -> int:
        """Below which number the tokens must be."""
        del port
        return self.vocabulary_size

    def start(self, cx: Context, rows: int, size: int, source: Tree = None) -> Cache:
        """States of 0 for `rows` sequences; of any length, so `size` is not read."""
        dtype = cx.call.policy.compute
        zeros = (((jnp.zeros((rows, r.units), dtype),) * states_of(r)) for r in self.recurrent)
        return Cache(base.empty(rows), tuple(zeros))

    def step(
        self, cx: Context, tokens: Int[Array, "rows time"], cache: Cache, lengths: Int[Array, " rows"] | None = None
    ) -> tuple[Float[Array, "rows time vocabulary"], Cache]:
        """Logits for the next `tokens`, of which `lengths` are real, and the states after them."""
        x, states = self._over(cx, real(cx, self._embedded(cx, tokens), lengths), cache.state)
        return self._logits(cx, x), base.advanced(cache, states, tokens, lengths)

    @property
    def _size(self) -> int:
        return self.embedding_dim or self.recurrent[-1].units

    def _embedded(self, cx: Context, tokens: Array) -> Array:
        x = base.embedded(cx, "embedding", tokens, (self.vocabulary_size, self._size), BEGIN, mask=False)
        return base.dropped(cx, self.dropout, "embedding_dropout", x)

    def _over(self, cx: Context, x: Array, states: Sequence[Any]) -> tuple[Array, Tree]:
        after = []
        for i, (layer, old) in enumerate(zip(self.recurrent, states, strict=True)):
            x, *new = layer(cx, x, old)
            after.append(tuple(new))
            x = base.dropped(cx, self.dropout, f"recurrent_dropout_{i}", x)
        return x, tuple(after)

    def _logits(self, cx: Context, x: Array) -> Array:
        shape = self.vocabulary_size, self._size
        return base.logits(cx, x, shape[0], base.table(cx, "embedding", shape, BEGIN) if self.tied else None)


def states_of(layer: Module) -> int:
    """How many arrays the state of a recurrent layer has: h and c of an LSTM, h of the others."""
    return 2 if isinstance(layer, LSTM) else 1


def real(cx: Context, x: Array, lengths: Array | None) -> Array:
    """`x`, of which the first `lengths` steps of each row are real: a recurrent layer passes over the others."""
    if lengths is None:
        return x
    return cx.masked(x, jnp.arange(x.shape[1], dtype=lengths.dtype)[None] < lengths[:, None])
