"""Validation rows that are training rows: each is found, and what chance alone would repeat is no leak."""

import re
import warnings

import jax.numpy as jnp
import numpy as np
import pytest

import thalweg
from thalweg import data, layers
from thalweg.train.contract import LeakWarning, check_overlap
from thalweg.train.contract.overlap import shared


def numbers(*shape):
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def overlap(training, validation):
    training, validation = np.asarray(training), np.asarray(validation)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_overlap((training, np.arange(len(training))), (validation, np.arange(len(validation))))
    assert all(w.category is LeakWarning for w in caught)
    return [str(w.message) for w in caught]


def test_validation_rows_that_are_training_rows_are_counted():
    x = numbers(100, 7)
    assert overlap(x[:80], x[80:]) == []
    assert "20 of the 20 validation rows are also training rows" in overlap(x, x[80:])[0]
    assert "1 of the 20" in overlap(x[:81], x[80:])[0]
    assert "3 of the 5" in overlap(x[:3], np.append(x[:3], x[7:9], 0).astype(np.float64))[0]
    assert "np.unique(x, axis=0)" in overlap(x, x)[0]
    assert overlap(x, x[:, :3]) == []


def test_rows_that_differ_in_one_bit_are_told_apart():
    x = np.zeros((4000, 100), np.float32)
    x[:, 1::2] = np.random.default_rng(0).integers(0, 2, (4000, 50))
    x = np.unique(x, axis=0)
    assert overlap(x[::2], x[1::2]) == []
    wide = np.repeat(numbers(1, 10_000), 2, axis=0)
    wide[1, -1] += 1
    assert overlap(wide[:1], wide[1:]) == []


def test_what_repeats_itself_is_no_leak():
    xor = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert overlap(xor, xor) == []
    assert overlap(np.eye(8), np.eye(8)) == []
    for seed in range(5):
        table = np.random.default_rng(seed).integers(0, 30, (1000, 2)).astype(np.float32)
        assert overlap(table[:800], table[800:]) == []
    assert overlap(numbers(20, 3), numbers(20, 3)) != []


def split_of(x, seed=0, **options):
    """How many of the validation rows of a split are training rows, and how many chance may repeat."""
    parts = data.split(len(x), 0.2, seed=seed, **options)
    return shared(x, parts.train, x, parts.validation)


@pytest.mark.parametrize("seed", range(3))
def test_copies_are_told_from_what_chance_repeats(seed):
    rng = np.random.default_rng(seed)
    x, labels = numbers(500, 7), np.arange(1000) % 500 % 2
    pictures = np.repeat(rng.integers(0, 256, (200, 14, 14)).astype(np.uint8), 2, axis=0)
    tokens = np.zeros((1000, 12), np.int32)
    for row in tokens:
        length = rng.integers(1, 12)
        row[:length] = np.minimum(rng.zipf(1.5, length), 5000)
    oversampled = np.concatenate([x, np.repeat(x[:20], 15, axis=0)])
    copied = [np.tile(x, (2, 1)), np.tile(x[:, :2], (2, 1)), np.tile(x, (3, 1)), oversampled, pictures]
    for rows in (*copied, np.tile(tokens[:500], (2, 1))):
        count, expected, _ = split_of(rows, seed)
        assert count > 1.5 * expected, rows.shape
    assert split_of(np.tile(x, (2, 1)), seed, labels=labels)[0] > 100
    kinds = rng.integers(0, 3, 1000)
    natural = [
        np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (100, 1)),  # a truth table, often
        rng.integers(0, 30, (1000, 2)),
        rng.integers(0, 1000, (1000, 1)),
        np.eye(100)[rng.integers(0, 100, 1000)],
        np.stack([kinds, rng.random(1000) < 0.35, np.clip(kinds + rng.integers(0, 2, 1000), 0, 3)], axis=1),
        rng.random((1000, 10)) < 0.1,
        rng.normal(size=(3000, 1)).round(1),
        tokens,
    ]
    for rows in natural:
        count, expected, _ = split_of(rows.astype(np.float32), seed)
        assert 0 < count <= expected, rows.shape


def test_groups_keep_copies_in_one_part():
    x, labels = np.tile(numbers(500, 7), (2, 1)), np.arange(1000) % 500 % 2
    for options in ({}, {"labels": labels}):
        assert split_of(x, groups=data.equal_rows(x), **options)[0] == 0


@pytest.mark.parametrize("how", ["share", "rows", "stratified", "source"])
def test_fit_says_that_rows_are_copies(how):
    x = np.tile(numbers(200, 5), (2, 1))
    y = (np.arange(400) % 200 % 2).astype(np.int32)
    model = thalweg.Sequential([layers.Dense(1 if how == "share" else 2)])
    model.compile("sgd", "mse" if how == "share" else "sparse_categorical_crossentropy")
    parts = data.split(400, 0.2)
    options = {"validation_split": 0.2}
    if how == "rows":
        options = {"validation_data": (x[parts.validation], y[parts.validation])}
        x, y = x[parts.train], y[parts.train]
    given = (data.from_arrays(x, y),) if how == "source" else (x, x[:, :1] if how == "share" else y)
    with pytest.warns(LeakWarning, match=r"\d\d of the 80 validation rows are also training rows.*\n  Take copies out"):
        model.fit(*given, epochs=1, verbose=0, **options)


def test_trees_and_jax_arrays_leak_by_whole_rows():
    a, b = numbers(50, 3), np.arange(50)
    same, other = {"a": jnp.asarray(a), "b": b}, {"a": a, "b": b + 1}
    chosen, others = np.arange(40), np.arange(30, 50)
    assert shared(same, chosen, same, others)[0] == 10
    assert shared(same, chosen, other, others)[0] == 0


def test_a_copy_is_named_beside_its_twin():
    x = numbers(100, 7)
    assert "(validation row 2 is training row 31)" in overlap(x[:50], np.append(x[80:82], x[31:32], 0))[0]


def test_numbers_of_two_dtypes_are_compared_as_they_are():
    whole = np.arange(40).reshape(20, 2) * 3
    assert overlap(whole, whole + 0.5) == []
    assert "20 of the 20" in overlap(whole, whole.astype(np.float64))[0]
    assert "20 of the 20" in overlap(jnp.asarray(whole, jnp.bfloat16), whole)[0]


@pytest.mark.parametrize("side", ["right", "left"])
def test_what_is_padded_to_other_lengths_is_compared_without_the_padding(side):
    rng = np.random.default_rng(0)
    short = [rng.integers(1, 5000, rng.integers(3, 6)) for _ in range(50)]
    long = [rng.integers(1, 5000, 9) for _ in range(20)]
    a, b = data.pad(short, side=side), data.pad([*short[:10], *long], side=side)
    assert "10 of the 30" in overlap(a, b)[0]
    assert "10 of the 50" in overlap(b, a)[0]
    assert overlap(a[10:], b) == []
    assert overlap(a, data.pad(long, side=side)) == []


class Rows:
    """A source: what streams cannot be held."""

    def __init__(self, x, y):
        self.x, self.y, self.read = x, y, 0

    def __len__(self):
        return len(self.x)

    def __getitem__(self, rows):
        self.read += len(rows)
        return self.x[rows], self.y[rows]


def fitted(given, **options):
    """The warnings of three epochs."""
    model = thalweg.Sequential([layers.Dense(2)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*given, epochs=3, verbose=0, **options)
    return [str(w.message) for w in caught if w.category is LeakWarning]


def streams(x, parts):
    """The ways to stream some or all of rows: `fit`'s arguments by the way's name."""
    y = (np.arange(len(x)) % 2).astype(np.int32)
    (a, b), validation = ((x[rows], y[rows]) for rows in (parts.train, parts.validation))
    return {
        "share": ((Rows(x, y),), {"validation_split": 0.2}),
        "both": ((Rows(a, b),), {"validation_data": Rows(*validation)}),
        "training": ((Rows(a, b),), {"validation_data": validation}),
        "validation": ((a, b), {"validation_data": Rows(*validation)}),
    }


@pytest.mark.parametrize("way", ["share", "both", "training", "validation"])
def test_rows_that_stream_are_compared_as_they_pass(way):
    x, parts = np.tile(numbers(200, 5), (2, 1)), data.split(400, 0.2)
    given, options = streams(x, parts)[way]
    (said,) = fitted(given, **options)  # once, of three epochs
    count = shared(x, parts.train, x, parts.validation).number
    assert f"{count} of the 80 validation rows are also training rows" in said
    a, b = map(int, re.findall(r"validation row (\d+) is training row (\d+)", said)[0])
    rows = (np.arange(400), np.arange(400)) if way == "share" else (parts.validation, parts.train)
    np.testing.assert_array_equal(x[rows[0][a]], x[rows[1][b]])


@pytest.mark.parametrize("way", ["share", "both", "training", "validation"])
def test_streams_repeat_by_chance_as_arrays_do(way):
    rng = np.random.default_rng(0)
    natural = [
        numbers(400, 5),
        np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (100, 1)),
        rng.integers(0, 30, (400, 2)),
        rng.integers(0, 100, (400, 1)),
    ]
    for x in natural:
        given, options = streams(x.astype(np.float32), data.split(400, 0.2))[way]
        assert fitted(given, **options) == []


def test_steps_that_read_a_part_of_the_rows_find_copies_among_these():
    x = np.tile(numbers(200, 5), (2, 1))
    given, options = streams(x, data.split(400, 0.2))["both"]
    (said,) = fitted(given, **options, steps_per_epoch=2)
    assert re.match(r"\d+ of the 80 validation rows are also training rows", said)
