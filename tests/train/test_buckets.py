"""Training in buckets: the numbers of full length, the same bits after a kill, one trace for each length."""

import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import thalweg
from thalweg import layers
from thalweg.core import Context, Module
from thalweg.data import bucketed, order, pad
from thalweg.errors import ContractError
from thalweg.ops import initializers
from thalweg.train.buckets import Bucketed
from thalweg.train.program import TRACES
from thalweg.train.windows import Feed, Resident


class Bag(Module):
    """The mean of the vectors of the tokens that are there."""

    size: int
    units: int

    def __call__(self, cx: Context, x):
        table = cx.param("table", initializers.RandomNormal(), (self.size, self.units))
        there = (x != 0).astype(jnp.float32)[..., None]
        return (jnp.take(table, x, axis=0) * there).sum(1) / jnp.maximum(there.sum(1), 1.0)


class EachToken(Module):
    """A vector for each token."""

    size: int
    units: int

    def __call__(self, cx: Context, x):
        return jnp.take(cx.param("table", initializers.RandomNormal(), (self.size, self.units)), x, axis=0)


def texts(n=120, longest=40, seed=0):
    r = np.random.default_rng(seed)
    ids = [r.integers(2, 50, k) for k in r.geometric(0.15, n).clip(1, longest)]
    return ids, np.array([int((row % 2).mean() > 0.5) for row in ids])


def model(**more):
    made = thalweg.Sequential([Bag(50, 8), layers.Dense(2, activation="softmax")])
    made.compile("adam", "sparse_categorical_crossentropy", ["accuracy"], seed=3, **more)
    return made


def feed(ids, **more):
    source = bucketed(pad(ids), number=3, **more)
    return source, Bucketed.of(source, np.arange(len(ids)))


def test_each_batch_is_of_one_bucket_and_each_row_comes_once():
    source, fed = feed(texts()[0])
    for shuffle in (True, False):
        steps = fed.order(16, seed=1, epoch=2, shuffle=shuffle)
        assert sorted(steps[steps >= 0]) == list(range(120))
        assert all(len(set(source.bucket[row[row >= 0]])) == 1 for row in steps)
    first = fed.order(16, seed=1, epoch=2)
    np.testing.assert_array_equal(first, fed.order(16, seed=1, epoch=2))
    np.testing.assert_array_equal(first[:2], fed.order(16, seed=1, epoch=2, steps=2))
    assert (first != fed.order(16, seed=1, epoch=3)).any()
    assert (first != fed.order(16, seed=2, epoch=2)).any()


@pytest.mark.parametrize("first", [0, 1, 7, 30])
@pytest.mark.parametrize("batch", [1, 4, 64])
def test_windows_are_the_steps_of_the_order(first, batch):
    ids, _ = texts()
    _, fed = feed(ids)
    steps = fed.order(batch, seed=0)
    seen = []
    for window in fed.windows(steps, first):
        for i in range(window.first, window.last):
            rows = np.asarray(window.order)[i]
            mine = steps[window.offset + i]
            assert ((rows < 0) == (mine < 0)).all()
            x = np.asarray(window.data[0])[rows[rows >= 0]]
            np.testing.assert_array_equal(x, pad([ids[n] for n in mine[mine >= 0]], x.shape[1]))
            seen.append(window.offset + i)
    assert seen == list(range(first, len(steps)))


def test_the_numbers_are_those_of_full_length():
    ids, y = texts()
    source, fed = feed(ids)
    source = bucketed(pad(ids), y, number=3)
    short, whole = model(), model()
    short.fit(source, batch_size=8, epochs=1, shuffle=False, verbose=0)
    steps = fed.order(8, shuffle=False)
    for row in steps:  # the same batches, at full length
        chosen = row[row >= 0]
        whole.train_on_batch(pad(ids)[chosen], y[chosen])
    for mine, theirs in zip(short.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(short.evaluate(source), short.evaluate(pad(ids), y), rtol=1e-5)
    np.testing.assert_array_equal(short.predict(source), short.predict(pad(ids)))


class CtrlC(thalweg.callbacks.Callback):
    """Presses Ctrl-C after a step, counted over all epochs."""

    def __init__(self, at):
        super().__init__()
        self.at, self.made = at, 0

    def on_train_batch_end(self, batch, logs=None):
        self.made += 1
        if self.made == self.at:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("at", [1, 17])
def test_a_run_that_is_stopped_anywhere_resumes_to_the_same_bits(tmp_path, at):
    ids, y = texts()
    source = bucketed(pad(ids), y, number=3)
    settings = {"batch_size": 8, "epochs": 3, "validation_split": 0.2, "verbose": 0}
    whole, half, rest = model(), model(), model()
    history = whole.fit(source, **settings).history
    half.fit(source, **settings, run_dir=tmp_path, callbacks=[CtrlC(at)])
    assert any((a != b).any() for a, b in zip(whole.get_weights(), half.get_weights(), strict=True))
    resumed = rest.fit(source, **settings, run_dir=tmp_path, resume=True, callbacks=[CtrlC(0)]).history
    for mine, theirs in zip(whole.get_weights(), rest.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert resumed == history
    assert history["loss"][2] < history["loss"][0]


def test_one_trace_for_each_length():
    ids, y = texts()
    source = bucketed(pad(ids), y, number=3)
    made = thalweg.Sequential([Bag(50, 7), layers.Dense(2, activation="softmax")])  # as no other test has it
    made.compile("adam", "sparse_categorical_crossentropy")
    before = dict(TRACES)
    made.fit(source, batch_size=8, epochs=2, verbose=0)
    assert TRACES["train"] - before["train"] == 3
    made.fit(source, batch_size=8, epochs=1, verbose=0)
    assert TRACES["train"] - before["train"] == 3


def test_targets_for_each_token():
    ids, _ = texts()
    x = pad(ids)
    source = bucketed(x, x % 2, number=3, per_position=True)
    made = thalweg.Sequential([EachToken(50, 8), layers.Dense(2, activation="softmax")])
    made.compile("adam", "sparse_categorical_crossentropy", seed=0)
    history = made.fit(source, batch_size=8, epochs=30, verbose=0)
    assert history.history["loss"][-1] < 0.1
    assert made.predict(source).shape == (120, x.shape[1], 2)


def test_a_network_of_one_length_is_told_so():
    ids, y = texts()
    source = bucketed(pad(ids), y, number=3)
    made = thalweg.Sequential([EachToken(50, 8), layers.Flatten(), layers.Dense(2, activation="softmax")])
    made.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ContractError, match=r"does not take inputs of shape \(\d+,\), those of bucket 0"):
        made.fit(source, verbose=0)
    with pytest.raises(ContractError, match="does not take inputs"):
        made.evaluate(source)
    with pytest.raises(ContractError, match=r"several buckets.\n  train_on_batch takes arrays of one length"):
        model().train_on_batch(source)


def test_labels_are_checked_as_always():
    ids, y = texts()
    with pytest.raises(ContractError, match="outside 0 to 1"):
        model().fit(bucketed(pad(ids), y + 1), verbose=0)


def test_order_without_buckets_is_that_of_before():
    rows = np.arange(10)
    fed = Resident((jnp.zeros(10), None, None), rows, jax.ShapeDtypeStruct((1,), jnp.float32))
    assert isinstance(fed, Feed)
    np.testing.assert_array_equal(fed.order(3, seed=5, epoch=2), order(rows, 3, seed=5, epoch=2))
