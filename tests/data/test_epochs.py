import collections

import numpy as np
import pytest

from thalweg.data import order, permutation
from thalweg.errors import ConfigError


def test_the_order_is_pinned():
    # these bits are a promise: a run resumed under another version of NumPy goes on in the same order
    assert permutation(10, seed=7, purpose="epoch", number=3).tolist() == PINNED


PINNED = [0, 9, 5, 8, 2, 6, 1, 7, 3, 4]


def test_each_row_once_in_whole_batches():
    batches = order(10, 4, seed=1, epoch=2)
    assert batches.dtype == np.int32
    assert batches.shape == (3, 4)
    assert batches[2, 2:].tolist() == [-1, -1]
    assert sorted(batches.ravel().tolist()) == [-1, -1, *range(10)]


def test_the_rows_of_a_split():
    rows = np.array([3, 30, 300])
    assert sorted(order(rows, 2, seed=5).ravel().tolist()) == [-1, 3, 30, 300]
    assert order(rows, 2, shuffle=False).tolist() == [[3, 30], [300, -1]]


def test_seed_and_epoch_alone_decide():
    assert np.array_equal(order(100, 10, seed=1, epoch=1), order(100, 10, seed=1, epoch=1))
    orders = [order(100, 10, seed=s, epoch=e) for s in (0, 1, -1, 2**40) for e in range(3)]
    assert len({o.tobytes() for o in orders}) == 12
    assert permutation(50, 0, "split").tolist() != permutation(50, 0, "epoch").tolist()


@pytest.mark.parametrize("rows", [1, 7, 1000, np.arange(2000, 4000, 3)])
@pytest.mark.parametrize("shuffle", [True, False])
def test_some_steps_are_the_first_of_all(rows, shuffle):
    whole = order(rows, 8, seed=3, epoch=1, shuffle=shuffle)
    for steps in (1, 2, len(whole) - 1, len(whole), len(whole) + 1):
        some = order(rows, 8, seed=3, epoch=1, shuffle=shuffle, steps=steps)
        assert np.array_equal(some, whole[:steps])


def test_no_global_generator_is_read_or_advanced():
    np.random.seed(3)
    before, first = np.random.get_state()[1].copy(), order(20, 5)
    assert np.array_equal(before, np.random.get_state()[1])
    np.random.seed(4)
    assert np.array_equal(first, order(20, 5))


def test_every_order_is_as_likely():
    counts = collections.Counter(tuple(permutation(3, seed, "epoch")) for seed in range(6000))
    assert len(counts) == 6
    chi = sum((n - 1000) ** 2 / 1000 for n in counts.values())
    assert chi < 20.5  # 99.9 % of a chi-square with five degrees of freedom


@pytest.mark.parametrize("arguments", [(10, 0), (0, 4), (np.zeros(0, int), 4)])
def test_nothing_to_order(arguments):
    with pytest.raises(ConfigError, match="both must be at least 1"):
        order(*arguments)


def test_one_row():
    assert permutation(1, 0, "epoch").tolist() == [0]
    assert permutation(0, 0, "epoch").tolist() == []
