"""Models that count: their losses beside loops."""

from itertools import pairwise

import numpy as np
import pytest

from thalweg.recipes.language import baseline

TEXTS = [np.array([2, 4, 5, 4, 3]), np.array([2, 5, 5, 3])]
SIZE = 7


def by_loops(order, x, y):
    """-log p a token, from the definition."""
    total, count = 0.0, 0
    for a, b in zip(x.ravel(), y.ravel(), strict=True):
        if b == 0:
            continue
        pairs = [(p, q) for text in TEXTS for p, q in pairwise(text)]
        fitting = [q for p, q in pairs if order == 1 or p == a]
        total -= np.log((fitting.count(b) + 1) / (len(fitting) + SIZE))
        count += 1
    return total / count


@pytest.mark.parametrize("order", [1, 2])
def test_the_loss_is_that_of_counts_with_laplaces_one(order):
    x, y = np.array([[2, 4, 6, 3], [5, 5, 3, 0]]), np.array([[4, 6, 1, 5], [5, 3, 0, 0]])  # 6 and 1 were never seen
    counts = baseline.count(TEXTS, order, SIZE)
    assert baseline.loss(counts, x, y) == pytest.approx(by_loops(order, x, y), rel=1e-12)


def test_where_there_are_too_many_pairs_tokens_are_counted(monkeypatch):
    monkeypatch.setattr(baseline, "MOST", 3)
    counts = baseline.count(TEXTS, 2, SIZE)
    assert counts == baseline.count(TEXTS, 1, SIZE)
    assert baseline.NAMES[counts["order"]] == "unigram"
