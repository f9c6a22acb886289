"""Statistics learned from data: against NumPy in float64 and Keras, in chunks, along axes, and what cannot be."""

import json

import jax.numpy as jnp
import keras
import numpy as np
import pandas as pd
import pytest

from tests.peers import relaxed
from thalweg import core, layers, random
from thalweg.errors import ContractError, DataError
from thalweg.layers import Normalization, Rescaling, Sequential, preprocessing
from thalweg.record import from_json, to_json

RNG = np.random.default_rng(0)
DATA = RNG.normal(3.0, 2.0, size=(50, 4, 3)).astype(np.float32)


def applied(layer, x):
    return np.asarray(core.apply(layer, {}, {}, jnp.asarray(x))[0])


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), (2, 1), None], ids=str)
def test_adapted_equals_numpy_and_keras(axis, monkeypatch):
    monkeypatch.setattr(preprocessing, "CHUNK", 100)  # eight rows at a time, and a last block of two
    layer = Normalization(axis).adapted(DATA)
    over = {-1: (0, 1), 1: (0, 2), None: (0, 1, 2)}.get(axis, (0,))
    np.testing.assert_allclose(layer.mean, DATA.astype(np.float64).mean(over), rtol=1e-13)
    np.testing.assert_allclose(layer.variance, DATA.astype(np.float64).var(over), rtol=1e-13)
    with relaxed():
        twin = keras.layers.Normalization(axis)
        twin.adapt(DATA)
        expected = np.asarray(twin(DATA))
    np.testing.assert_allclose(applied(layer, DATA), expected, rtol=1e-4, atol=1e-5)
    back = Normalization(axis, layer.mean, layer.variance, invert=True)
    np.testing.assert_allclose(applied(back, expected), DATA, rtol=1e-4, atol=1e-5)


def test_a_large_mean_costs_no_digits():
    x = 1e8 + RNG.normal(size=(1000, 1))
    np.testing.assert_allclose(Normalization().adapted(x).variance, x.var(0), rtol=1e-10)


@pytest.mark.parametrize(
    "data",
    [
        (b for b in np.split(DATA[:, 0], [7, 30])),
        DATA[:, 0].tolist(),
        pd.DataFrame(DATA[:, 0]),
        jnp.asarray(DATA[:, 0]),
    ],
    ids=["generator of batches", "lists", "DataFrame", "JAX array"],
)
def test_data_as_people_have_them(data):
    expected = Normalization().adapted(DATA[:, 0])
    layer = Normalization().adapted(data)
    np.testing.assert_allclose((layer.mean, layer.variance), (expected.mean, expected.variance), rtol=1e-13)


def test_pixels_come_as_integers():
    pixels = RNG.integers(0, 256, size=(20, 4, 4, 1), dtype=np.uint8)
    y = applied(Normalization().adapted(pixels), pixels)
    np.testing.assert_allclose((y.mean(), y.std()), (0, 1), atol=1e-5)
    np.testing.assert_allclose(applied(Rescaling(1 / 255), pixels), pixels / 255, rtol=1e-6)
    by_channel = applied(Rescaling([2.0, 4.0, 8.0], offset=(1.0, 0.0, 0.0)), DATA)
    np.testing.assert_allclose(by_channel, DATA * [2, 4, 8] + [1, 0, 0], rtol=1e-6)


def test_a_constant_feature_becomes_0():
    layer = Normalization().adapted(np.full((5, 1), 0.1, np.float32))
    np.testing.assert_array_equal(applied(layer, np.full((2, 1), 0.1, np.float32)), 0)
    np.testing.assert_allclose(applied(layer, np.full((2, 1), 1.1, np.float32)), 1e7, rtol=1e-6)


def test_the_numbers_are_kept_in_the_architecture_to_the_bit():
    layer = Sequential([Normalization().adapted(DATA)])
    again = from_json(json.loads(json.dumps(to_json(layer))), layers.ALLOWED)
    assert again == layer
    assert hash(again) == hash(layer)


def test_keras_listing_that_forgets_the_new_layer_gets_an_error():
    layer = Normalization()
    layer.adapt(DATA)
    message = r"(?s)layers\.0 Normalization\(\) needs a mean.*Write norm = Normalization\(\)\.adapted\(x_train\)"
    with pytest.raises(ContractError, match=message):
        core.init(Sequential([layer]), random.key(0), DATA)


@pytest.mark.parametrize(
    ("layer", "data", "error", "message"),
    [
        (Normalization(), np.array([[1.0], [2.0], [np.nan]]), DataError, "NaN or Inf in row 2"),
        (Normalization(), iter([np.ones((4, 1)), np.array([[np.inf]])]), DataError, "NaN or Inf in row 4"),
        (Normalization(), np.ones(3), ContractError, r"x\[:, None\]"),
        (Normalization(), np.ones((0, 3)), ContractError, "no data"),
        (Normalization(axis=3), np.ones((2, 3)), ValueError, "axis"),
    ],
    ids=["NaN", "Inf in a later batch", "flat", "empty", "axis"],
)
def test_data_that_teach_nothing(layer, data, error, message):
    with pytest.raises(error, match=message):
        layer.adapted(data)


def test_statistics_that_do_not_fit():
    with pytest.raises(ContractError, match=r"statistics have the shape \(2,\) along axis -1"):
        core.init(Normalization(mean=(1.0, 2.0), variance=(1.0, 1.0)), random.key(0), DATA)
    with pytest.raises(ContractError, match="variance"):
        core.init(Normalization(mean=1.0), random.key(0), DATA)
    with pytest.raises(ContractError, match="variance must not be negative"):
        core.init(Normalization(mean=1.0, variance=-1.0), random.key(0), DATA)


def test_a_variance_too_large_for_float32_is_an_error():
    """The reciprocal of its root would be 0, and so would the output."""
    data = np.float32([[1.0, -3e38], [2.0, 3e38]])
    with pytest.raises(DataError, match=r"variance of 9e\+76, too large for float32"):
        applied(Normalization().adapted(data), data)
    np.testing.assert_allclose(applied(Normalization().adapted(data / 10), data / 10), [[-1, -1], [1, 1]], rtol=1e-6)
    half = np.float16([[6e4], [-6e4]])  # of which the variance is no float16
    np.testing.assert_allclose(applied(Normalization().adapted(half), half), [[1], [-1]], rtol=1e-3)
