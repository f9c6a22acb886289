"""How the next token is chosen from logits: the largest, or drawn; beam search is in `architectures/beam.py`."""

from typing import ClassVar

import jax
import jax.numpy as jnp

from thalweg.ranges import COUNT, POSITIVE, Range
from thalweg.record import Record
from thalweg.types import Array, Float, Int, Key

Logits = Float[Array, "rows vocabulary"]


class Greedy(Record):
    """The most probable token at every step."""

    def choose(self, logits: Logits, key: Key[Array, " rows"]) -> Int[Array, " rows"]:
        """The token of each row; nothing is drawn."""
        return jnp.argmax(logits, axis=-1).astype(jnp.int32)


class Sample(Record):
    """A token drawn from softmax(logits / temperature), after the rarest are left out.

    Args:
        temperature: below 1 the probable become more so, above 1 less so. Towards 0 it is `Greedy()`.
        top_k: how many tokens are left, the most probable; all where None. Fan et al. 2018, arXiv:1805.04833.
        top_p: the smallest set of tokens that has this probability together; all where None. Holtzman et al. 2020,
            arXiv:1904.09751. With both, it is taken of what `top_k` left.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    limits: ClassVar = {"temperature": POSITIVE, "top_k": COUNT, "top_p": Range(0, 1, open_low=True)}

    def choose(self, logits: Logits, key: Key[Array, " rows"]) -> Int[Array, " rows"]:
        """The token of each row, drawn with its own key."""
        return jax.vmap(jax.random.categorical)(key, self.filtered(logits)).astype(jnp.int32)

    def filtered(self, logits: Logits) -> Logits:
        """The logits that are drawn from: those left out are -inf."""
        logits = logits / self.temperature
        if self.top_k is not None:
            logits = top_k(logits, self.top_k)
        return logits if self.top_p is None else top_p(logits, self.top_p)


def top_k(logits: Logits, k: int) -> Logits:
    """The `k` largest of each row, the others -inf; equals of the last one stay.

    >>> top_k(jnp.array([[1.0, 3.0, 2.0]]), 2).tolist()
    [[-inf, 3.0, 2.0]]
    """
    least = jax.lax.top_k(logits, min(k, logits.shape[-1]))[0][:, -1:]
    return jnp.where(logits >= least, logits, -jnp.inf)


def top_p(logits: Logits, p: float) -> Logits:
    """The most probable of each row that together have at least `p`, the others -inf.

    >>> top_p(jnp.log(jnp.array([[0.5, 0.3, 0.2]])), 0.7).round(1).tolist()
    [[-0.699999988079071, -1.2000000476837158, -inf]]
    """
    ordered = jnp.sort(logits, axis=-1, descending=True)
    probability = jax.nn.softmax(ordered, axis=-1)
    before = jnp.cumsum(probability, axis=-1) - probability  # of those more probable
    least = jnp.min(jnp.where(before < p, ordered, jnp.inf), axis=-1, keepdims=True)
    return jnp.where(logits >= least, logits, -jnp.inf)
