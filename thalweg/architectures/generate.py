"""Generation: a prompt read once, then one compiled loop that feeds each token back, over the model's cache.

    tokens = generate(model, prompt, 100, search=Sample(temperature=0.8, top_k=40), seed=1)
    for token in stream(model, prompt, 100): ...

The same model, prompt, search and seed give the same tokens, in one loop or in a stream's pieces. A row of the batch
draws with a key of its own, so it does not depend on the rows beside it. A model is anything with `start` and `step`
(`architectures/base.py`).
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import compilation, random, tree
from thalweg.architectures import beam
from thalweg.architectures.base import Cache, Generator, called
from thalweg.architectures.beam import Beam
from thalweg.architectures.search import Greedy, Sample
from thalweg.core import Module, Policy, plain
from thalweg.core.policy import FLOAT32
from thalweg.errors import ContractError
from thalweg.types import Array, Bool, Float, Int, Tree

Search = Greedy | Sample | Beam

CHUNK = 16
"""Tokens that a stream computes at a time."""

GREEDY, BEAM = Greedy(), Beam()


class Plan(NamedTuple):
    """What a compiled loop is made for."""

    module: Module
    search: Search
    steps: int
    end: int  # -1 where no token ends a text
    pad: int
    policy: Policy


class Prompt(NamedTuple):
    """What a text begins with."""

    tokens: Int[Array, "rows time"]
    lengths: Int[Array, " rows"]
    source: Tree
    key: Array


class Carry(NamedTuple):
    """The loop between two tokens."""

    step: Int[Array, ""]
    token: Int[Array, " rows"]
    done: Bool[Array, " rows"]
    cache: Cache


def generate(
    model: Any,
    prompt: Any,
    steps: int,
    *,
    search: Search = GREEDY,
    source: Any = None,
    lengths: Any = None,
    end: int | None = None,
    pad: int = 0,
    seed: int = 0,
) -> np.ndarray:
    """`steps` tokens after each row of `prompt`.

    Args:
        model: a trained `thalweg.Model` whose network is a model of this room, or a pair `(module, params)`.
        prompt: tokens [rows, time]; for an encoder-decoder the start token of each target, [rows, 1].
        steps: how many tokens at most.
        search: `Greedy()`, `Sample(temperature, top_k, top_p)` or `Beam(beams, length_penalty)`.
        source: what an encoder reads, [rows, steps].
        lengths: how many tokens of each prompt are real, [rows], where they stand padded at their ends.
        end: the token that ends a text; it is part of it.
        pad: what stands after the end.
        seed: of what is drawn.

    Returns:
        Tokens, int32, [rows, steps].

    Raises:
        ContractError: the model cannot generate, or the prompt does not fit.

    >>> from thalweg import core
    >>> from thalweg.architectures.gpt import GPT
    >>> gpt = GPT(10, context=8, num_layers=1, num_heads=2, width=4)
    >>> params, _ = core.init(gpt, random.key(0), jnp.ones((1, 8), int))
    >>> generate((gpt, params), [[1, 2]], 5).shape
    (1, 5)
    """
    plan, params, given = _prepared(model, prompt, steps, search, source, lengths, end, pad, seed)
    if isinstance(search, Beam):
        return np.asarray(_beams(plan)(params, given)[0][:, 0])
    carry = _begun(plan)(params, given)
    _, rest = _advanced(plan, steps - 1)(params, given.key, carry)
    return np.concatenate([np.asarray(carry.token)[:, None], np.asarray(rest)], axis=1)


def beam_search(
    model: Any, prompt: Any, steps: int, *, search: Beam = BEAM, source: Any = None, lengths: Any = None,
    end: int | None = None, pad: int = 0,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """All beams of `generate(..., search=Beam())`, best first, and scores: [rows, beams, steps], [rows, beams]."""
    plan, params, given = _prepared(model, prompt, steps, search, source, lengths, end, pad, 0)
    tokens, scores = _beams(plan)(params, given)
    return np.asarray(tokens), np.asarray(scores)


def stream(
    model: Any, prompt: Any, steps: int, *, search: Search = GREEDY, chunk: int = CHUNK, **settings: Any
) -> Iterator[np.ndarray]:
    """The tokens of `generate` one by one, [rows] each, until every text has ended: for a person who reads along.

    `chunk` tokens are computed at a time; the other arguments are those of `generate`, and so are the tokens.

    Raises:
        ContractError: a beam search knows its text at the end alone.
    """
    if isinstance(search, Beam):
        raise ContractError("a beam search knows its text at the end.\n  Write search=Sample(), or call generate.")
    if chunk < 1:
        raise ContractError(f"chunk must be at least 1; it is {chunk}.\n  Write chunk=16, for example.")
    given = {"source": None, "lengths": None, "end": None, "pad": 0, "seed": 0} | settings
    return _streamed(chunk, *_prepared(model, prompt, steps, search, **given))


def _streamed(chunk: int, plan: Plan, params: Tree, given: Prompt) -> Iterator[np.ndarray]:
    carry = _begun(plan)(params, given)
    yield np.asarray(carry.token)
    left = plan.steps - 1
    while left > 0 and not bool(carry.done.all()):
        carry, tokens = _advanced(plan, min(chunk, left))(params, given.key, carry)
        done = np.logical_or.accumulate(np.asarray(tokens) == plan.end, axis=1).all(axis=0)
        stop = int(done.argmax()) + 1 if done.any() and bool(carry.done.all()) else tokens.shape[1]
        yield from np.asarray(tokens).T[:stop]
        left -= chunk


def _prepared(
    model: Any, prompt: Any, steps: int, search: Search, source: Any, lengths: Any, end: int | None, pad: int, seed: int
) -> tuple[Plan, Tree, Prompt]:
    module, params = model if isinstance(model, tuple) else (model.module, _weights(model))
    module = plain(module) if isinstance(module, Module) else module  # programs are kept by it, and would keep arrays
    if not (isinstance(module, Module) and isinstance(module, Generator)):
        raise ContractError(
            f"{type(module).__name__} cannot continue a text: it has no start and step.\n"
            "  Use GPT, RecurrentLM, Transformer or Seq2Seq of thalweg.architectures, or write these two methods."
        )
    tokens = np.asarray(prompt)
    if tokens.ndim != 2 or not tokens.size or tokens.dtype.kind not in "iu":
        raise ContractError(
            f"a prompt is whole numbers [rows, time], at least one; this has shape {tokens.shape} and type "
            f"{tokens.dtype}.\n  Write [[3, 1, 4]] for one row; an encoder-decoder begins with its start token."
        )
    if steps < 1:
        raise ContractError(f"steps must be at least 1; it is {steps}.\n  Write steps=100, for example.")
    real = np.full(len(tokens), tokens.shape[1]) if lengths is None else np.asarray(lengths)
    if real.shape != tokens.shape[:1] or real.min() < 1 or real.max() > tokens.shape[1]:
        raise ContractError(
            f"lengths must be {len(tokens)} numbers from 1 to {tokens.shape[1]}; they are {real.tolist()}.\n"
            "  Give the number of real tokens of each row, or leave lengths out."
        )
    read = None if source is None else jax.tree.map(jnp.asarray, source)
    _check_tokens(module, tokens, read, end)
    plan = Plan(module, search, steps, -1 if end is None else end, pad, getattr(model, "precision", FLOAT32))
    given = Prompt(jnp.asarray(tokens, jnp.int32), jnp.asarray(real, jnp.int32), read, random.key(seed))
    return plan, params, given


def _check_tokens(module: Module, tokens: np.ndarray, source: Tree, end: int | None) -> None:
    """Every token has a row in the table that reads it, where the module says of how many: `indices(port)`."""
    indices = getattr(module, "indices", None)
    if indices is None:
        return
    prompt = 0 if source is None else 1
    rows = len(jax.tree.leaves(source)[0]) if prompt else len(tokens)
    if rows != len(tokens):
        raise ContractError(
            f"source has {rows} rows and the prompt {len(tokens)}.\n  Give one start token for each row of the source."
        )
    parts = {"the prompt": (tokens, prompt), "source": (source, 0), "end": (end, prompt)}
    for name, (value, port) in parts.items():
        known = indices(port)
        given = np.concatenate([[0], *(np.ravel(a) for a in jax.tree.leaves(value))])
        bad = given[(given < 0) | (given >= known) | (given != np.rint(given))]
        if bad.size:
            raise ContractError(
                f"{name} holds {', '.join(f'{v:g}' for v in np.unique(bad)[:5])}; the model knows whole numbers from 0 "
                f"to {known - 1}.\n  Give what is not in the vocabulary an index of its own, as the tokenizer does."
            )


def _weights(model: Any) -> Tree:
    return tree.unflatten((tuple(name.split(".")), value) for name, value in model.weights.items())


def _step(plan: Plan, params: Tree, *args: Any) -> tuple[Array, Cache]:
    logits, cache = called(plan.module, params, "step", *args, policy=plan.policy)
    return logits.astype(jnp.float32), cache


def _read(plan: Plan, params: Tree, given: Prompt) -> tuple[Cache, Float[Array, "rows vocabulary"]]:
    """The prompt in the cache, and the logits after its last real token."""
    rows, time = given.tokens.shape
    sized = rows, time + plan.steps - 1, given.source
    cache = called(plan.module, params, "start", *sized, policy=plan.policy)
    logits, cache = _step(plan, params, given.tokens, cache, given.lengths)
    return cache, jax.vmap(lambda row, n: row[n - 1])(logits, given.lengths)


def _chosen(plan: Plan, logits: Array, key: Array, step: Any) -> Int[Array, " rows"]:
    at_step = random.fold(key, step)
    keys = jax.vmap(lambda row: random.fold(at_step, row))(jnp.arange(logits.shape[0], dtype=jnp.int32))
    assert not isinstance(plan.search, Beam)
    return plan.search.choose(logits, keys)


@compilation.kept
def _begun(plan: Plan) -> Callable[[Tree, Prompt], Carry]:
    """The compiled loop up to its first token."""

    def begun(params: Tree, given: Prompt) -> Carry:
        cache, logits = _read(plan, params, given)
        token = _chosen(plan, logits, given.key, jnp.int32(0))
        return Carry(jnp.int32(1), token, token == plan.end, cache)

    return compilation.ByShape(begun, inputs=(1,))


@compilation.kept
def _advanced(plan: Plan, steps: int) -> Callable[[Tree, Array, Carry], tuple[Carry, Int[Array, "rows steps"]]]:
    """The compiled loop `steps` tokens later, or at the end of all texts, and those tokens."""

    def advanced(params: Tree, key: Array, carry: Carry) -> tuple[Carry, Int[Array, "rows steps"]]:
        first, blank = carry.step, jnp.full((carry.token.shape[0], steps), plan.pad, jnp.int32)

        def going(at: tuple[Carry, Array]) -> Array:
            return (at[0].step - first < steps) & ~jnp.all(at[0].done)

        def step(at: tuple[Carry, Array]) -> tuple[Carry, Array]:
            carry, tokens = at
            logits, cache = _step(plan, params, carry.token[:, None], carry.cache)
            token = jnp.where(carry.done, plan.pad, _chosen(plan, logits[:, 0], key, carry.step))
            tokens = jax.lax.dynamic_update_index_in_dim(tokens, token, carry.step - first, axis=1)
            return Carry(carry.step + 1, token, carry.done | (token == plan.end), cache), tokens

        return jax.lax.while_loop(going, step, (carry, blank))

    return compilation.ByShape(advanced, inputs=(2,))


@compilation.kept
def _beams(plan: Plan) -> Callable[[Tree, Prompt], tuple[Int[Array, "rows beams steps"], Float[Array, "rows beams"]]]:
    """The compiled search: all beams, best first, and their scores."""
    search = plan.search
    assert isinstance(search, Beam)

    def searched(params: Tree, given: Prompt) -> tuple[Int[Array, "rows beams steps"], Float[Array, "rows beams"]]:
        def step(b: beam.Beams) -> beam.Beams:
            logits, cache = _step(plan, params, beam.last_tokens(b), b.cache)
            return beam.continued(search, b, logits[:, 0], cache, plan.end)

        cache, logits = _read(plan, params, given)
        start = beam.first(search, cache, logits, plan.steps, plan.end, plan.pad)
        return beam.ranked(search, jax.lax.while_loop(lambda b: beam.undecided(search, b, plan.steps), step, start))

    return compilation.ByShape(searched, inputs=(1,))
