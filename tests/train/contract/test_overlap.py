"""Validation rows that are training rows: each is found, and what chance alone would repeat is no leak."""

import warnings

import jax.numpy as jnp
import numpy as np

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


def test_trees_and_jax_arrays_leak_by_whole_rows():
    a, b = numbers(50, 3), np.arange(50)
    same, other = {"a": jnp.asarray(a), "b": b}, {"a": a, "b": b + 1}
    chosen, others = np.arange(40), np.arange(30, 50)
    assert shared(same, chosen, same, others)[0] == 10
    assert shared(same, chosen, other, others)[0] == 0
