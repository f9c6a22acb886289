"""Pairs of sentences, and the split that keeps each in one part."""

import numpy as np
import pytest

from thalweg.errors import DataError
from thalweg.recipes.translation import pairs
from thalweg.recipes.translation.pairs import Pairs


def test_no_sentence_stands_in_two_parts():
    rng = np.random.default_rng(0)
    whole = Pairs(*([f"{side}{n}" for n in rng.integers(0, 300, 200)] for side in "st"))
    rest, taken = pairs.split(whole, 0.2, 1, "here")
    assert sorted(zip(*rest, strict=True)) + sorted(zip(*taken, strict=True)) != []
    assert sorted([*zip(*rest, strict=True), *zip(*taken, strict=True)]) == sorted(zip(*whole, strict=True))
    assert not set(rest.sources) & set(taken.sources)
    assert not set(rest.targets) & set(taken.targets)
    assert 10 <= len(taken) <= 80
    assert pairs.split(whole, 0.2, 1, "here") == (rest, taken)
    assert pairs.split(whole, 0.2, 2, "here")[1] != taken


def test_pairs_that_all_share_a_sentence_cannot_be_split():
    with pytest.raises(DataError, match="30 pairs in 1 groups"):
        pairs.split(Pairs(["a"] * 30, [f"A{n}" for n in range(30)]), 0.1, 0, "here")
