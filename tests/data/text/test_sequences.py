"""Sequences of one length, windows, streams: against loops, Keras and PyTorch's layout."""

import itertools

import numpy as np
import pytest

from tests.peers import relaxed
from thalweg import data
from thalweg.data import covering, packed, pad, pad_sequences, windows
from thalweg.errors import ConfigError, ContractError, DataError

ROWS = [[5, 6, 7], [], [8], [1, 2, 3, 4, 5]]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("truncate", ["left", "right"])
@pytest.mark.parametrize("length", [None, 0, 1, 3, 7])
def test_pad_is_a_loop(side, truncate, length):
    width = 5 if length is None else length
    expected = np.zeros((4, width), np.int32)
    for n, row in enumerate(ROWS):
        kept = row[:width] if truncate == "right" else row[len(row) - width :] if len(row) > width else row
        for t, token in enumerate(kept):
            expected[n, t if side == "right" else width - len(kept) + t] = token
    found = pad([np.array(row, np.int32) for row in ROWS], length, side=side, truncate=truncate)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("padding", "truncating"), list(itertools.product(["pre", "post"], repeat=2)))
@pytest.mark.parametrize("maxlen", [None, 1, 3, 7])
@pytest.mark.parametrize(("dtype", "value"), [("int32", 0), ("float32", -1.5), ("int64", 7)])
def test_pad_sequences_is_keras(padding, truncating, maxlen, dtype, value):
    import keras

    for rows in (ROWS, [np.ones((2, 3)), np.zeros((4, 3)) + 2, np.zeros((0, 3))]):
        options = {"maxlen": maxlen, "dtype": dtype, "padding": padding, "truncating": truncating, "value": value}
        with relaxed():
            expected = keras.utils.pad_sequences(rows, **options)
        found = pad_sequences(rows, **options)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_pad_sequences_has_the_name_of_keras():
    import thalweg

    assert thalweg.utils.pad_sequences is pad_sequences


def test_nothing_is_cut_unsaid():
    with pytest.raises(ContractError, match=r"sequence 3 has 5 tokens; length=4.*\n.*truncate='right'.*length=5"):
        pad(ROWS, 4)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: pad([]), DataError, "no sequence"),
        (lambda: pad([[1.5]]), DataError, "sequence 0 is float64"),
        (lambda: pad([[1], [[1]]]), DataError, "sequence 1 is int64 of shape"),
        (lambda: pad([["a"]]), DataError, "sequence 0 is <U1"),
        (lambda: pad(ROWS, side="pre"), ConfigError, r"side='pre' is unknown.\n  Write side='left'"),
        (lambda: pad(ROWS, truncate="post"), ConfigError, "truncate='post'"),
        (lambda: pad_sequences(ROWS, padding="left"), ConfigError, "padding='left'"),
        (lambda: pad_sequences(ROWS, truncating="x"), ConfigError, "truncating='x'"),
        (lambda: pad_sequences([[1], 2]), DataError, "row 1 is 2, which has no length"),
        (lambda: pad_sequences([np.ones((1, 2)), np.ones((1, 3))]), DataError, "steps of row 1"),
        (lambda: covering([], 0.9), ConfigError, "of 0 sequences"),
        (lambda: covering(ROWS, 0), ConfigError, "share=0"),
        (lambda: windows([1, 2], 2), DataError, r"has 2 tokens; context=2 needs 3"),
        (lambda: windows([[1, 2]], 1), DataError, "concatenate"),
        (lambda: windows([1, 2, 3], 1, stride=1, count=1), ConfigError, "both given"),
        (lambda: windows([1, 2, 3], 0), ConfigError, "none may be below 1"),
        (lambda: windows([1, 2, 3], 1, stride=0), ConfigError, "none may be below 1"),
        (lambda: packed([1, 2, 3], 2, 1), DataError, "2 streams of 2 need 4"),
        (lambda: packed([1, 2, 3], 0, 1), ConfigError, "neither may be below 1"),
        (lambda: packed([0.5], 1, 1), DataError, "ids are float64"),
    ],
)
def test_what_does_not_fit(act, error, message):
    with pytest.raises(error, match=message):
        act()


def test_covering_is_the_least_length_that_does():
    lengths = np.random.default_rng(0).integers(0, 50, 101)
    rows = [[0] * n for n in lengths]
    for share in (0.01, 0.5, 0.9, 0.95, 1.0):
        expected = next(n for n in range(51) if np.mean(lengths <= n) >= share)
        assert covering(rows, share) == expected


@pytest.mark.parametrize(("context", "stride"), [(3, None), (3, 1), (3, 5), (1, 1), (18, 1), (19, 1)])
def test_windows_are_a_loop(context, stride):
    ids = np.random.default_rng(0).integers(0, 99, 20)
    x, y = windows(ids, context, stride=stride)
    starts = range(0, 20 - context, stride or context)
    assert x.tolist() == [[ids[i + t] for t in range(context)] for i in starts]
    assert y.tolist() == [[ids[i + 1 + t] for t in range(context)] for i in starts]
    assert x.dtype == y.dtype == np.int32


def test_random_windows_are_a_function_of_the_seed():
    x, y = windows(range(30), 4, count=26, seed=3)
    assert sorted(x[:, 0]) == list(range(26))  # each place once, as long as there are enough
    np.testing.assert_array_equal(y, x + 1)
    np.testing.assert_array_equal(windows(range(30), 4, count=26, seed=3)[0], x)
    assert (windows(range(30), 4, count=26, seed=4)[0] != x).any()
    more = windows(range(30), 4, count=60, seed=3)[0]
    np.testing.assert_array_equal(more[:26], x)
    assert np.bincount(more[:, 0]).max() == 3


def test_streams_are_those_of_pytorchs_language_model():
    torch = pytest.importorskip("torch", reason="the layout's oracle")
    ids, batch, context = np.arange(103), 4, 6
    source = torch.from_numpy(ids)[: 103 // batch * batch].view(batch, -1).t().contiguous()
    x, y = packed(ids, batch, context)
    steps = len(x) // batch
    assert steps == (103 // batch - 1) // context
    for k in range(steps):
        rows = slice(k * batch, (k + 1) * batch)
        at = k * context
        np.testing.assert_array_equal(x[rows].T, source[at : at + context].numpy())
        np.testing.assert_array_equal(y[rows].T, source[at + 1 : at + 1 + context].numpy())


def test_padding_is_the_index_that_masks_look_for():
    assert data.text.PADDING == 0
