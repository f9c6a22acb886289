"""How many edits lie between what was said and what was heard: word, character and label error rates.

    d(i, j) = min(d(i-1, j) + 1, d(i, j-1) + 1, d(i-1, j-1) + [a_i is not b_j]),   d(i, 0) = i, d(0, j) = j

A row of that table needs its own left neighbour, d(i, j-1) + 1; of candidates c from the row above it is
d(i, j) = j + min over k <= j of (c(k) - k), a running minimum, so that a row is one operation. Levenshtein 1966.
"""

from collections.abc import Hashable, Sequence
from dataclasses import field

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.errors import ContractError
from thalweg.metrics import sums
from thalweg.metrics.base import Metric, wide
from thalweg.ops.ctc import is_label
from thalweg.ops.ctc_decode import ctc_greedy
from thalweg.types import Array, Int, ShapeDtype, Tree


def edit_distance(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """The least number of insertions, deletions and substitutions that turn `a` into `b`.

    >>> edit_distance("kitten", "sitting")
    3
    >>> edit_distance(["the", "cat"], ["the", "black", "cat"])
    1
    """
    numbers = {item: i for i, item in enumerate(dict.fromkeys([*a, *b]))}
    other, places = np.array([numbers[item] for item in b], int), np.arange(len(b) + 1)
    row = places
    for item in a:
        candidates = row + 1
        candidates[1:] = np.minimum(candidates[1:], row[:-1] + (other != numbers[item]))
        row = places + np.minimum.accumulate(candidates - places)
    return int(row[-1])


def word_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Edits of words, over all sentences, divided by the words of the references. It may exceed 1.

    Args:
        references: what was said, a text for each sentence; words are what spaces part.
        hypotheses: what was heard, in the same order.

    Raises:
        ContractError: their numbers differ, or no reference has a word.

    >>> word_error_rate(["the cat sat", "on it"], ["the cat", "in it"])
    0.4
    """
    _check(references, hypotheses, "word_error_rate")
    return _rate([text.split() for text in references], [text.split() for text in hypotheses])


def character_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Edits of characters divided by the characters of the references, spaces counted: for Chinese, and for spelling.

    >>> character_error_rate(["今天天气好"], ["今天天气很好"])
    0.2
    """
    _check(references, hypotheses, "character_error_rate")
    return _rate(references, hypotheses)


def _check(references: Sequence[str], hypotheses: Sequence[str], name: str) -> None:
    if isinstance(references, str) or isinstance(hypotheses, str) or len(references) != len(hypotheses):
        kinds = [f"{len(t)} {'characters' if isinstance(t, str) else 'texts'}" for t in (references, hypotheses)]
        raise ContractError(
            f"{name} compares a list of texts with another as long; it was given {' and '.join(kinds)}.\n"
            "  Give one hypothesis for each reference, each in a list."
        )
    if not any(text.strip() for text in references):
        raise ContractError(f"{name}: the references are empty, so there is no rate.\n  Give some text that was said.")


def _rate(references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]) -> float:
    return sum(map(edit_distance, references, hypotheses)) / sum(map(len, references))


class LabelErrorRate(Metric):
    """Edits between CTC's greedy labels and the targets, over the epoch, divided by the labels of the targets.

    With characters as labels it is the character error rate of the greedy decoding; it may exceed 1. Rows as in
    `losses.CTC`.

    Args:
        blank: the class that stands for no label; None for that of the loss.
    """

    name: str = field(default="label_error_rate", kw_only=True)
    blank: int | None = field(default=None, kw_only=True)

    def init(self, rows: int, output: ShapeDtype) -> Tree:
        """See `Metric.init`."""
        del rows
        return {"edits": sums.zero(dtype=wide(output)), "labels": sums.zero(dtype=wide(output))}

    def update(self, acc: Tree, target: Array, prediction: Array, weight: Array) -> Tree:
        """See `Metric.update`; `weight` may also be one of steps, [batch, time]."""
        steps = weight > 0 if weight.ndim == 2 else None
        row = (weight if steps is None else jnp.max(weight, axis=1)) > 0
        blank, labels = self.blank or 0, target.astype(jnp.int32)
        heard, said = ctc_greedy(prediction, steps, blank), is_label(labels, blank)
        edits = _edits(heard, labels, jnp.sum(said, axis=1, dtype=jnp.int32))
        parts = {"edits": edits, "labels": jnp.sum(said, axis=1, dtype=jnp.int32)}
        return {name: sums.plus(acc[name], jnp.sum(jnp.where(row, part, 0))) for name, part in parts.items()}

    def result(self, acc: Tree) -> float | np.ndarray:
        """See `Metric.result`."""
        return float(sums.ratio(sums.value(acc["edits"]), sums.value(acc["labels"]), empty=np.nan))


def _edits(a: Int[Array, "batch time"], b: Int[Array, "batch n"], length: Int[Array, " batch"]) -> Int[Array, " batch"]:
    """The edit distance of each row; `a` ends before its first -1, `b` after `length`."""
    places = jnp.arange(b.shape[1] + 1, dtype=jnp.int32)[None, :]

    def step(row: Array, item: Array) -> tuple[Array, None]:
        replaced = jnp.pad(
            row[:, :-1] + (b != item[:, None]).astype(jnp.int32), ((0, 0), (1, 0)), constant_values=2**30
        )
        candidates = jnp.minimum(row + 1, replaced)
        after = places + jax.lax.cummin(candidates - places, axis=1)
        return jnp.where(item[:, None] >= 0, after, row), None

    row, _ = jax.lax.scan(step, jnp.broadcast_to(places, (len(b), b.shape[1] + 1)), a.T)
    return jnp.take_along_axis(row, length[:, None], axis=1)[:, 0]
