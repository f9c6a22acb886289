"""Buckets: the lengths chosen are the best there are, and every row keeps its tokens."""

import itertools

import numpy as np
import pytest

from thalweg.data import bucketed, pad
from thalweg.data.buckets import lengths
from thalweg.errors import ConfigError, ContractError


def rows(n, longest, seed=0):
    r = np.random.default_rng(seed)
    return [r.integers(1, 99, k) for k in r.integers(1, longest + 1, n)]


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_no_other_lengths_need_fewer_places(number, seed):
    found = np.random.default_rng(seed).integers(1, 9, (12, 1))
    bucket, kept = lengths(found, (8,), number)
    assert (found[:, 0] <= kept[bucket, 0]).all()
    ours = kept[bucket, 0].sum()
    top = found.max()
    best = min(
        sum(min(c for c in (*chosen, top) if c >= n) for n in found[:, 0])
        for chosen in itertools.combinations(range(1, top + 1), min(number - 1, top))
    )
    assert ours == best
    assert len(kept) <= number


def test_many_lengths_are_rounded_until_they_can_be_weighed():
    found = np.arange(1, 3001)[:, None]
    bucket, kept = lengths(found, (3000,), 4)
    assert (found[:, 0] <= kept[bucket, 0]).all()
    np.testing.assert_allclose(kept[:, 0], [750, 1500, 2250, 3000], atol=8)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_part_is_its_rows_padded_to_its_length(side):
    ids = rows(40, 20)
    y = np.arange(40)
    source = bucketed(pad(ids, 24, side=side), y, np.ones(40), number=3, side=side, multiple=4)
    assert source.count == 3
    seen = []
    for k in range(3):
        x, labels, weight = source.part(k)
        assert x.shape == (len(labels), source.extents[24][k])
        assert weight.shape == (len(labels),)
        np.testing.assert_array_equal(x, pad([ids[n] for n in labels], x.shape[1], side=side))
        assert source.spec(k).shape == (1, x.shape[1])
        seen += labels.tolist()
    assert sorted(seen) == list(range(40))
    np.testing.assert_array_equal(source[np.array([3, 1])][0], pad([ids[3], ids[1]], 24, side=side))
    places = sum(source.part(k)[0].size for k in range(3))
    assert source.padding == pytest.approx(1 - sum(map(len, ids)) / places)


def test_a_text_and_its_translation():
    left, right = rows(50, 20, 1), rows(50, 12, 2)
    x = (pad(left, 20), pad(right, 12))
    source = bucketed(x, pad(right, 12), number=3, per_position=True, multiple=1)
    for k in range(source.count):
        (a, b), y, _ = source.part(k)
        inside = np.flatnonzero(source.bucket == k)
        assert a.shape[1] == max(len(left[n]) for n in inside)
        assert b.shape[1] == max(len(right[n]) for n in inside)
        np.testing.assert_array_equal(y, b)


def test_targets_are_cut_only_when_they_follow():
    x, tags = np.array([[5, 0, 0], [6, 7, 8]]), np.array([[0, 0, 0], [1, 0, 2]])
    source = bucketed(x, tags, tags.astype("float32"), number=2, per_position=True, multiple=1)
    assert [part.tolist() for part in source.part(0)] == [[[5]], [[0]], [[0.0]]]
    hot = bucketed(x, np.eye(3)[:2], number=2, multiple=1)  # as wide as the text is long
    assert hot.part(0)[1].tolist() == [[1, 0, 0]]


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: bucketed(np.ones((3, 4))), ContractError, r"no integer array .*\n  Write bucketed\(pad"),
        (lambda: bucketed(pad([[1], [2]]), [0, 1], per_position=True), ContractError, r"y has shape \(2,\)"),
        (lambda: bucketed(pad([[1, 2]]), np.ones((1, 3)), per_position=True), ContractError, "follows x, of length 2"),
        (lambda: bucketed(pad([[1]]), side="pre"), ConfigError, "side='pre'"),
        (lambda: bucketed(pad([[1]]), number=0), ConfigError, "number=0"),
    ],
)  # fmt: skip
def test_what_does_not_fit(act, error, message):
    with pytest.raises(error, match=message):
        act()


def test_empty_texts_have_a_place():
    source = bucketed(pad([[], [1, 2]]), number=2, multiple=1)
    assert source.part(0)[0].tolist() == [[0]]


def test_recordings_are_cut_at_the_end_of_their_frames():
    x = np.zeros((6, 20, 3), np.float32)
    lengths_ = [4, 20, 5, 19, 4, 2]
    for n, k in enumerate(lengths_):
        x[n, :k] = np.random.default_rng(n).normal(size=(k, 3))
    x[1, 7] = 0.0  # a silent frame inside is none of the padding
    source = bucketed(x, np.arange(6), number=2, multiple=1)
    assert source.extents == {20: (5, 20)}
    short, y, _ = source.part(0)
    assert y.tolist() == [0, 2, 4, 5]
    np.testing.assert_array_equal(short, x[y, :5])
    assert source.spec(0).shape == (1, 5, 3)
    assert source.padding == pytest.approx(1 - (sum(lengths_) - 1) / (4 * 5 + 2 * 20))
    both = bucketed((np.array([[1, 0], [2, 3]]), np.ones((2, 20, 3), np.float32)), number=2, multiple=1)
    assert [a.shape for a in both.part(0)[0]] == [(1, 1), (1, 20, 3)]  # beside tokens, features stay whole
