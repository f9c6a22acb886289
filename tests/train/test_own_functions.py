"""Losses and metrics of one's own: what they are given, what they may give, and what is said where they cannot run."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import thalweg
from tests.peers import relaxed
from thalweg import data, layers, losses
from thalweg.errors import ContractError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3)).astype(np.float32)
Y = (2 * X.sum(1) + 1).astype(np.float32)


def fitted(loss, metrics=None, y=Y, x=X, units=1, **how):
    model = thalweg.Sequential([layers.Dense(units, input_shape=x.shape[1:])])
    model.compile(thalweg.optimizers.SGD(0.2), loss, metrics)
    how = {"epochs": 30, "verbose": 0, "shuffle": False, **how}
    return model, model.fit(x, y, **how).history


def square(y, p):
    return (y - p) ** 2


def mean_square(y, p):
    return jnp.mean((y - p) ** 2)


def root(y, p):
    return jnp.sqrt(jnp.mean((y - p) ** 2))


@pytest.mark.parametrize("function", [square, mean_square], ids=["rows", "a number"])
@pytest.mark.parametrize("y", [Y, Y[:, None], Y.astype(np.float64)], ids=["n", "n by 1", "float64"])
@pytest.mark.parametrize("batch_size", [32, 25])
def test_a_loss_of_ones_own_is_mse_to_the_last_step(function, y, batch_size):
    (own, logs), (named, expected) = (fitted(loss, y=y, batch_size=batch_size) for loss in (function, "mse"))
    np.testing.assert_allclose(logs["loss"], expected["loss"], rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(own.get_weights()[0], named.get_weights()[0], rtol=1e-4)
    assert logs["loss"][-1] < 1e-4
    assert own.evaluate(X, y, batch_size=32) == pytest.approx(named.evaluate(X, y), rel=1e-3, abs=1e-7)


def test_one_number_a_batch_is_of_its_own_rows_as_in_keras():
    """Not of a ragged batch filled up: a root of a mean tells 18 rows from 32."""
    with relaxed():
        peer = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        peer.compile(keras.optimizers.SGD(0.05), loss=root)
        start = peer.get_weights()
        model = thalweg.Sequential([layers.Dense(1, input_shape=(3,))])
        model.compile(thalweg.optimizers.SGD(0.05), root)
        model.set_weights(start)
        peer.fit(X, Y, epochs=2, shuffle=False, verbose=0)
        ends = peer.get_weights()
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    for found, expected in zip(model.get_weights(), ends, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


class Rows:
    def __len__(self):
        return len(X)

    def __getitem__(self, rows):
        return X[rows], Y[rows]


def test_one_number_a_batch_from_a_source_and_in_buckets():
    in_memory, _ = fitted(root, epochs=2)
    model = thalweg.Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile(thalweg.optimizers.SGD(0.2), root)
    model.fit(Rows(), epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], in_memory.get_weights()[0], rtol=1e-6)
    p = model.predict(X)[:, 0]
    parts = [np.sqrt(np.mean((p[a:b] - Y[a:b]) ** 2)) for a, b in ((0, 32), (32, 50))]
    assert model.evaluate(Rows(), batch_size=32) == pytest.approx((32 * parts[0] + 18 * parts[1]) / 50, rel=1e-5)

    tokens = np.array([[1, 2, 0, 0], [3, 4, 5, 6], [2, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2]])
    y = np.arange(5.0)
    reader = thalweg.Sequential([layers.Embedding(7, 2), layers.GlobalAveragePooling1D(), layers.Dense(1)])
    reader.compile("sgd", root)
    source = data.bucketed(tokens, y, number=2, multiple=1)
    p = [reader.predict(source.part(k)[0])[:, 0] for k in range(2)]
    ends = [np.sqrt(np.mean((a - source.part(k)[1]) ** 2)) * len(a) for k, a in enumerate(p)]
    assert reader.evaluate(source, batch_size=4) == pytest.approx(sum(ends) / 5, rel=1e-5)


def test_a_metric_of_ones_own_has_targets_in_the_shape_of_the_output():
    model, logs = fitted("mse", [lambda y, p: jnp.abs(y - p)], epochs=1, y=Y[:, None])
    other, same = fitted("mse", [lambda y, p: jnp.abs(y - p)], epochs=1)
    assert list(logs.values()) == list(same.values())
    assert other.evaluate(X, Y)[1] == pytest.approx(np.abs(model.predict(X)[:, 0] - Y).mean(), rel=1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int32])
def test_small_whole_numbers_are_targets_in_the_dtype_of_the_output(dtype):
    labels = (Y > 0).astype(dtype)
    found = fitted(lambda y, p: (y - 1 - p) ** 2, y=labels)[1]["loss"]
    np.testing.assert_allclose(found, fitted(square, y=labels.astype(np.float32) - 1)[1]["loss"], rtol=1e-4)


def test_class_numbers_keep_their_shape_and_are_signed():
    seen = []

    def picked(y, p):
        seen.append((y.shape[1:], y.dtype, p.shape[1:]))
        return -jnp.take_along_axis(jax.nn.log_softmax(p), y[:, None], axis=1)[:, 0]

    labels = (np.arange(50) % 3).astype(np.uint8)
    own = fitted(picked, y=labels, units=3)[1]["loss"]
    assert set(seen) == {((), jnp.dtype("int32"), (3,))}
    np.testing.assert_allclose(own, fitted("sparse_categorical_crossentropy", y=labels, units=3)[1]["loss"], rtol=1e-4)


def test_a_loss_that_looks_at_the_output_alone_needs_no_targets():
    model, logs = fitted(lambda y, p: p**2, y=None)
    assert logs["loss"][-1] < logs["loss"][0]
    assert model.evaluate(X) == pytest.approx(np.mean(model.predict(X) ** 2), rel=1e-5)


WEIGHTS = {"rows": {"sample_weight": np.ones(50)}, "classes": {"class_weight": {0: 2.0}}}


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_one_number_cannot_be_weighted(weights):
    with pytest.raises(ContractError, match=r"one number for a whole batch.*\n  Return one number for each row"):
        fitted(mean_square, y=(Y > 0) * 1, **weights)
    found = fitted(square, y=(Y > 0) * 1, **weights)[1]["loss"]
    assert np.isfinite(found).all()


def test_one_number_knows_no_mask():
    x = np.array([[1, 2, 0], [3, 0, 0]])
    model = thalweg.Sequential([layers.Embedding(4, 2, mask_zero=True), layers.Dense(1)])
    model.compile("sgd", mean_square)
    with pytest.raises(ContractError, match=r"a mask leaves steps out.*\n  Return a number for each step"):
        model.fit(x, np.zeros((2, 3, 1)), verbose=0)


def one_for_all(y, p):
    return jnp.mean(jnp.abs(y - p))


@pytest.mark.parametrize("metric", [one_for_all, losses.Custom(one_for_all)], ids=["function", "loss"])
def test_a_metric_that_is_one_number_is_refused(metric):
    with pytest.raises(ContractError, match=r"one number for \d+ rows.*\n  Return one number for each row"):
        fitted("mse", [metric])


UNKNOWN = {
    "NumPy": lambda y, p: np.mean((np.asarray(y) - np.asarray(p)) ** 2, axis=1),
    "float": lambda y, p: y - float(p.sum()),
    "if": lambda y, p: y - p if p.sum() > 0 else p - y,
    "mask": lambda y, p: jnp.sum(p[y > 0]) + p[:, 0],
    "index": lambda y, p: p[:, int(y[0, 0])],
}


@pytest.mark.parametrize("function", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("place", ["loss", "metric"])
def test_a_function_that_cannot_be_compiled_says_what_to_write(function, place):
    with pytest.raises(ContractError, match=r"(?s)cannot be compiled: .*\n  Write jnp .* jax\.pure_callback"):
        fitted(function) if place == "loss" else fitted("mse", [function])


def test_what_only_numpy_can_do_goes_through_a_callback():
    def median(y, p):
        shape = jax.ShapeDtypeStruct(p.shape[:1], p.dtype)
        return jax.pure_callback(lambda y, p: np.median(np.abs(y - p), axis=1).astype(y.dtype), shape, y, p)

    model, _ = fitted("mse", [median], y=np.stack([Y, -Y], 1), units=2, epochs=1)
    found = model.evaluate(X, np.stack([Y, -Y], 1))[1]
    expected = np.median(np.abs(model.predict(X) - np.stack([Y, -Y], 1)), axis=1).mean()
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_wrong_shape_is_refused():
    with pytest.raises(ContractError, match=r"returned shape \(3,\).*\n  Return one number for each row"):
        fitted(lambda y, p: jnp.zeros(3) + jnp.sum(p))
