"""Beam search: the best of many continuations that are followed side by side.

    score(Y) = log P(Y) / lp(|Y|)      lp(n) = ((5 + n) / 6)^alpha

Wu et al. 2016, arXiv:1609.08144, section 7, without its coverage penalty. |Y| counts the end token. At every step each
beam is continued by every token; of the 2 B best continuations those that end are kept by score, and the B best of the
others go on. At most B of the 2 B can end, one a beam, so there are always B to go on with. The search stops when no
beam that goes on can still beat the worst that is kept: its log P only falls, and lp is largest at the last step.
"""

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from thalweg.architectures.base import Cache
from thalweg.ranges import COUNT, NONNEGATIVE
from thalweg.record import Record
from thalweg.types import Array, Float, Int, Tree


class Beam(Record):
    """The best of `beams` continuations followed side by side.

    Args:
        beams: how many.
        length_penalty: alpha; 0 prefers short texts, 1 weighs by the mean log-probability nearly.
    """

    beams: int = 4
    length_penalty: float = 0.6

    limits: ClassVar = {"beams": COUNT, "length_penalty": NONNEGATIVE}

    def penalty(self, length: Any) -> Array:
        """Lp of a text of so many tokens."""
        return ((5 + jnp.asarray(length, jnp.float32)) / 6) ** self.length_penalty


class Beams(NamedTuple):
    """The search at one moment: texts that go on, with log P; texts that ended, with scores."""

    step: Int[Array, ""]
    logp: Float[Array, "rows beams"]
    tokens: Int[Array, "rows beams steps"]
    scores: Float[Array, "rows beams"]
    ended: Int[Array, "rows beams steps"]
    cache: Cache


def repeated(cache: Cache, beams: int) -> Cache:
    """The cache with each row `beams` times, one behind the other."""
    return jax.tree.map(lambda a: jnp.repeat(a, beams, axis=0), cache)


def first(search: Beam, cache: Cache, logits: Float[Array, "rows vocabulary"], steps: int, end: int, pad: int) -> Beams:
    """The beams after one token: there is one text so far, so its first beam alone goes on."""
    rows, n = logits.shape[0], search.beams
    blank = jnp.full((rows, n, steps), pad, jnp.int32)
    nothing = jnp.full((rows, n), -jnp.inf)
    start = Beams(jnp.int32(0), nothing.at[:, 0].set(0), blank, nothing, blank, repeated(cache, n))
    return continued(search, start, jnp.repeat(logits, n, axis=0), start.cache, end)


def continued(search: Beam, b: Beams, logits: Float[Array, "all vocabulary"], cache: Cache, end: int) -> Beams:
    """The beams one token later, given the logits of each and the cache that goes with them."""
    rows, n = b.logp.shape
    logp = jax.nn.log_softmax(logits, axis=-1).reshape(rows, n, -1)  # rows beams vocabulary
    words = logp.shape[-1]
    total, place = jax.lax.top_k((b.logp[:, :, None] + logp).reshape(rows, n * words), min(2 * n, n * words))
    beam, token = place // words, (place % words).astype(jnp.int32)
    texts = _at(b.tokens, beam).at[:, :, b.step].set(token)
    ends = token == end
    scores = jnp.where(ends, total / search.penalty(b.step + 1), -jnp.inf)
    scores, kept = jax.lax.top_k(jnp.concatenate([b.scores, scores], axis=1), n)
    ended = _at(jnp.concatenate([b.ended, texts], axis=1), kept)
    logp, on = jax.lax.top_k(jnp.where(ends, -jnp.inf, total), n)
    return Beams(b.step + 1, logp, _at(texts, on), scores, ended, _moved(cache, _at(beam, on)))


def undecided(search: Beam, b: Beams, steps: int) -> Array:
    """Whether a beam that goes on may still be better than one that is kept."""
    hope = jnp.max(b.logp, axis=1) / search.penalty(steps)
    return (b.step < steps) & jnp.any(hope > jnp.min(b.scores, axis=1))


def last_tokens(b: Beams) -> Int[Array, "all 1"]:
    """The newest token of each beam, a step for each row of the cache."""
    return jax.lax.dynamic_index_in_dim(b.tokens, b.step - 1, axis=2, keepdims=False).reshape(-1, 1)


def ranked(search: Beam, b: Beams) -> tuple[Int[Array, "rows beams steps"], Float[Array, "rows beams"]]:
    """The best texts first, those that never ended among them, and their scores."""
    going = b.logp / search.penalty(b.step)
    scores, place = jax.lax.top_k(jnp.concatenate([b.scores, going], axis=1), b.logp.shape[1])
    return _at(jnp.concatenate([b.ended, b.tokens], axis=1), place), scores


def _at(values: Array, index: Array) -> Array:
    """Row by row, the entries of the second axis that `index` names."""
    return jax.vmap(lambda v, i: v[i])(values, index)


def _moved(cache: Cache, beam: Int[Array, "rows beams"]) -> Cache:
    """The state of the beams that go on; the memory is the same for all beams of a row."""
    rows, n = beam.shape
    place = (jnp.arange(rows, dtype=beam.dtype)[:, None] * n + beam).reshape(-1)

    def move(state: Tree) -> Tree:
        return jax.tree.map(lambda a: a[place], state)

    return cache._replace(state=move(cache.state))
