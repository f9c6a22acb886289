"""A text in parts in its order, and texts shuffled into parts."""

import pytest

from thalweg.errors import DataError
from thalweg.recipes.language import parts


def test_parts_in_order_are_the_whole():
    whole = parts.in_order(list(range(1000)), 0.2)
    assert {name: len(part) for name, part in whole.items()} == {"train": 720, "validation": 180, "test": 100}
    assert whole["train"] + whole["validation"] + whole["test"] == list(range(1000))


def test_drawn_parts_share_nothing_and_follow_the_seed():
    texts = [f"text {n}" for n in range(50)]
    one, two = (parts.shuffle(texts, 0.1, ("train", "test"), seed) for seed in (0, 1))
    assert sorted(one["train"] + one["test"]) == sorted(texts)
    assert len(one["test"]) == 5
    assert one["test"] != two["test"]
    with pytest.raises(DataError, match="cannot be parted"):
        parts.shuffle(texts[:1], 0.1, ("train", "test"), 0)
