"""baseline: language models that count, which need no network: what one that learns has to beat.

    unigram   p(b) = (n_b + 1) / (n + V)              bigram   p(b | a) = (n_ab + 1) / (n_a + V)

n_b is how often token b stands in the training texts as a target, n_ab how often it follows a, n_a how often anything
follows a, V how many tokens there are. The 1 is Laplace's: what was never seen keeps a small probability.

Manning and Schuetze 1999, "Foundations of statistical natural language processing", chapter 6.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import model_validator

from thalweg.data.text import PADDING
from thalweg.errors import FormatError
from thalweg.forms import Count, Form

NAMES = {1: "unigram", 2: "bigram"}
MOST = 300_000  # pairs that a model file holds; where a text has more, tokens are counted instead


class Counts(Form):
    """What `count` gives, as JSON holds it."""

    order: Literal[1, 2]
    size: Count
    grams: list[list[Count]]
    counts: list[Count]

    @model_validator(mode="after")
    def _fit(self) -> "Counts":
        if (
            not self.grams
            or len(self.grams) != len(self.counts)
            or any(len(gram) != self.order or max(gram) >= self.size for gram in self.grams)
        ):
            raise FormatError("grams, counts and size do not go together")
        return self


def count(ids: Sequence[np.ndarray], order: int, size: int) -> dict[str, Any]:
    """What the training texts hold, as JSON keeps it: n-grams as lists of equal length, and how often each stands.

    Args:
        ids: the tokens of each text.
        order: 1 counts tokens, 2 pairs of neighbours.
        size: V.

    >>> count([np.array([0, 1, 0, 1])], 2, 2)
    {'order': 2, 'size': 2, 'grams': [[0, 1], [1, 0]], 'counts': [2, 1]}
    """
    last = np.concatenate([row[1:] for row in ids]).astype(np.int64)
    first = np.concatenate([row[:-1] for row in ids]).astype(np.int64)
    codes, counts = np.unique(first * size + last if order == 2 else last, return_counts=True)
    if len(codes) > MOST and order == 2:
        return count(ids, 1, size)
    grams = np.stack(np.divmod(codes, size)[2 - order :], axis=1)
    return {"order": order, "size": size, "grams": grams.tolist(), "counts": counts.tolist()}


def loss(model: dict[str, Any], x: np.ndarray, y: np.ndarray) -> float:
    """The mean of -log p over the targets `y`, each after its token of `x`; padding does not count.

    Args:
        model: see `count`.
        x: tokens.
        y: the token after each of them.

    >>> model = count([np.array([0, 1, 1, 1])], 1, 2)
    >>> round(loss(model, np.array([[0]]), np.array([[1]])), 4)  # -log (4 / 5)
    0.2231
    """
    size, order = model["size"], model["order"]
    grams, counts = np.asarray(model["grams"], np.int64), np.asarray(model["counts"], np.int64)
    real = y != PADDING
    last, first = y[real].astype(np.int64), x[real].astype(np.int64)
    codes = grams @ [size, 1] if order == 2 else grams[:, 0]  # in their order, as `count` left them
    queries = first * size + last if order == 2 else last
    place = np.minimum(np.searchsorted(codes, queries), len(codes) - 1)
    seen = np.where(codes[place] == queries, counts[place], 0)
    before = np.bincount(grams[:, 0], counts, size)[first] if order == 2 else counts.sum()
    return float(-np.log((seen + 1) / (before + size)).mean())
