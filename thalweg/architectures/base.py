"""What the architectures share: the protocol of generation, the cache, the way from tokens in to logits out.

    cache = model.start(cx, rows, size, source)           room for `size` steps of `rows` sequences
    logits, cache = model.step(cx, tokens, cache)         the next tokens, one or many, and what they make of the cache

The cache is a plain value, given and returned: nothing is hidden in the model. A model that has these two methods
generates (`architectures/generate.py`). They are called at the model's own place, so `called` runs them from outside.
"""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp

from thalweg import ops
from thalweg.core import Context, Module, Policy
from thalweg.core.context import Call
from thalweg.core.policy import FLOAT32
from thalweg.layers import Dense, Dropout, Embedding
from thalweg.layers.common import Initializer, call_method, part
from thalweg.ops.initializers import initializer
from thalweg.types import Array, Float, Int, Tree


class Cache(NamedTuple):
    """What a model keeps of the sequences so far; each array has its rows first.

    `length` is how many steps of each row are in it, `state` what a step changes (keys and values, recurrent states),
    `memory` what a step only reads (an encoder's output).
    """

    length: Int[Array, " rows"]
    state: Tree
    memory: Tree = ()


@runtime_checkable
class Generator(Protocol):
    """A module that continues sequences. `step` gives logits, whatever activation the model ends in."""

    def start(self, cx: Context, rows: int, size: int, source: Tree = None) -> Cache:
        """An empty cache for `rows` sequences of up to `size` steps, after `source` where the model has one."""
        ...

    def step(self, cx: Context, tokens: Array, cache: Cache, lengths: Array | None = None) -> tuple[Array, Cache]:
        """Logits [rows, time, vocabulary] for the next `tokens` [rows, time], of which `lengths` are real."""
        ...


def called(module: Module, params: Tree, method: str, *args: Any, policy: Policy = FLOAT32) -> Any:
    """`module.method(cx, *args)` in evaluation, with `params`: what `core.apply` is for the call."""
    return call_method(Context(Call(params, params, policy=policy)), module, method, *args)


def pair(inputs: Any) -> tuple[Any, Any]:
    """The source and the target that an encoder-decoder is called with."""
    if not isinstance(inputs, tuple | list) or len(inputs) != 2:
        raise ValueError("it takes a list: [source, target].\n  Write model.fit([source, target], next_words).")
    return inputs[0], inputs[1]


def advanced(cache: Cache, state: Tree, tokens: Array, lengths: Array | None) -> Cache:
    """The cache after `tokens`, of which `lengths` in each row were real."""
    steps = jnp.full(tokens.shape[:1], tokens.shape[1], jnp.int32) if lengths is None else lengths.astype(jnp.int32)
    return cache._replace(length=cache.length + steps, state=state)


def empty(rows: int) -> Int[Array, " rows"]:
    """The length of a cache at the start."""
    return jnp.zeros(rows, jnp.int32)


def table(cx: Context, name: str, shape: tuple[int, int], begin: Initializer) -> Float[Array, "rows size"]:
    """The rows of the embedding at `name`, to be read again as the output's weights."""
    return part(cx, name).param("embeddings", initializer(begin), shape)


def embedded(
    cx: Context, name: str, tokens: Int[Array, "rows time"], shape: tuple[int, int], begin: Initializer, mask: bool
) -> Float[Array, "rows time size"]:
    """The tokens' rows of the embedding at `name`."""
    return Embedding(*shape, embeddings_initializer=begin, mask_zero=mask)(part(cx, name), tokens)


def padded(cx: Context, y: Array, tokens: Array, mask: bool) -> Array:
    """The output `y` for target `tokens`, of which 0 is padding where `mask`: it does not count in the loss.

    Padding stands at the end of a target, where no step before it looks; so nothing inside needs to know of it, and a
    text in which the model itself writes a 0 is read the same from its cache as at once.
    """
    return cx.masked(y, tokens != 0) if mask else y


def dropped(cx: Context, rate: float, name: str, x: Array) -> Array:
    """`x` with dropout in training; the mask of padding stays."""
    return Dropout(rate)(part(cx, name), x) if rate else x


def logits(cx: Context, x: Float[Array, "rows time size"], vocabulary: int, tied: Array | None) -> Array:
    """A score for each word: by a dense layer, `head`, or by the embedding's own rows where they are `tied`."""
    return Dense(vocabulary)(part(cx, "head"), x) if tied is None else ops.linear(x, tied.T)
