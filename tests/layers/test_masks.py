"""Masks: a padded sequence gives what it gives alone, through every layer that keeps time."""

import re
import warnings

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from tests.peers import relaxed
from thalweg import core, layers, random

LENGTHS, TIME, FEATURES = (6, 3, 4), 6, 2
REAL = np.arange(TIME) < np.array(LENGTHS)[:, None]
X = np.where(REAL[..., None], np.random.default_rng(0).normal(size=(3, TIME, FEATURES)), 0).astype(np.float32)


def given(layer, x, real=None, params=None, train=False):
    """The output of `layer` behind a mask, the mask of it, the parameters, the state."""
    network = layers.Sequential([layers.Masking(), layers.Dense(3), layer])
    x = jnp.asarray(x)
    first, state = core.init(network, random.key(0), x)
    first = jax.tree.map(lambda a: a + 0.1, first)  # a bias of 0 would hide what padding holds
    rows = jnp.ones(len(x)) if real is None else real
    y, after = core.apply(network, params or first, state | {"rows": rows}, x, train=train, key=random.key(1))
    return np.asarray(y), after.get("mask"), params or first, after


KEEPING = {
    "Activation": layers.Activation("tanh"),
    "Add": layers.graph(node := layers.Input((None, 3)), layers.add([layers.Dense(3)(node), node])),
    "AveragePooling1D": layers.AveragePooling1D(2),
    "BatchNormalization": layers.BatchNormalization(),
    "Concatenate": layers.Parallel([layers.Dense(2), layers.Dense(2)], layers.Concatenate()),
    "Conv1D": layers.Conv1D(4, 3, padding="same"),
    "Conv1D causal": layers.Conv1D(4, 2, padding="causal", dilation_rate=2),
    "Conv1D valid": layers.Conv1D(4, 3, strides=2),
    "Conv1D valid dilated": layers.Conv1D(4, 2, dilation_rate=2),
    "Conv1DTranspose": layers.Conv1DTranspose(4, 3),
    "Conv1DTranspose dilated": layers.Conv1DTranspose(4, 2, dilation_rate=2),
    "Conv1DTranspose narrow": layers.Conv1DTranspose(4, 2, strides=3),
    "Conv1DTranspose same": layers.Conv1DTranspose(4, 3, strides=2, padding="same"),
    "Cropping1D": layers.Cropping1D((1, 0)),
    "Cropping1D last": layers.Cropping1D((0, 2)),
    "DepthwiseConv1D": layers.DepthwiseConv1D(3, padding="same"),
    "Dropout": layers.Dropout(0.5),
    "LSTM": layers.LSTM(4, return_sequences=True),
    "LayerNormalization": layers.LayerNormalization(),
    "MaxPooling1D": layers.MaxPooling1D(2, strides=1),
    "Parallel": layers.Parallel([layers.Dense(2), layers.Dense(2)]),
    "Permute": layers.Permute((1, 2)),
    "Reshape": layers.Reshape((-1, 1, 3)),
    "Reshape cut": layers.Reshape((-1, 1)),
    "Residual": layers.Residual(layers.Conv1D(3, 3, padding="same")),
    "SeparableConv1D": layers.SeparableConv1D(4, 3, padding="same"),
    "SimpleRNN": layers.SimpleRNN(4, return_sequences=True),
    "UpSampling1D": layers.UpSampling1D(3),
    "UpSampling1D and Cropping1D": layers.Sequential([layers.UpSampling1D(2), layers.Cropping1D((1, 2))]),
    "ZeroPadding1D": layers.ZeroPadding1D((1, 2)),
    "ZeroPadding1D and Conv1D": layers.Sequential([layers.ZeroPadding1D((2, 0)), layers.Conv1D(4, 3)]),
}
MOVING = ("Conv1DTranspose", "Cropping", "Permute", "Reshape", "UpSampling", "ZeroPadding")
ENDING = {
    "GlobalAveragePooling1D": layers.GlobalAveragePooling1D(),
    "GlobalMaxPooling1D": layers.GlobalMaxPooling1D(),
    "LSTM": layers.LSTM(4),
    "SimpleRNN": layers.SimpleRNN(4),
}


@pytest.mark.parametrize("name", KEEPING)
def test_the_real_steps_are_those_of_the_sequence_alone(name):
    y, mask, params, _ = given(KEEPING[name], X)
    for i, n in enumerate(LENGTHS):
        alone, _, _, _ = given(KEEPING[name], X[i : i + 1, :n], params=params)
        assert np.flatnonzero(mask[i]).tolist() == list(range(alone.shape[1]))
        np.testing.assert_allclose(y[i][mask[i]], alone[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ENDING)
def test_what_has_no_time_left_looked_at_real_steps_only(name):
    y, mask, params, _ = given(ENDING[name], X)
    assert mask is None
    for i, n in enumerate(LENGTHS):
        np.testing.assert_allclose(
            y[i], given(ENDING[name], X[i : i + 1, :n], params=params)[0][0], rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("name", [name for name in KEEPING if name.startswith(MOVING)])
def test_padding_in_front_moves_as_padding_behind_does(name):
    y, mask, params, _ = given(KEEPING[name], X[:, ::-1])
    for i, n in enumerate(LENGTHS):
        alone, _, _, _ = given(KEEPING[name], X[i : i + 1, :n][:, ::-1], params=params)
        np.testing.assert_allclose(y[i][mask[i]], alone[0], rtol=1e-5, atol=1e-6)


def test_a_recurrent_layer_behind_upsampling_passes_over_padding_as_keras():
    network = layers.Sequential([layers.Masking(), layers.UpSampling1D(2), layers.GRU(4)])
    params, _ = core.init(network, random.key(0), jnp.asarray(X))
    with relaxed():
        twin, x = keras.layers.GRU(4), np.repeat(X, 2, axis=1)
        twin(x)
        kernel, recurrent, *biases = (np.asarray(w) for w in params["layers"]["2"].values())
        twin.set_weights([kernel, recurrent, np.stack(biases)])
        expected = np.asarray(twin(x, mask=np.repeat(REAL, 2, axis=1)))
    np.testing.assert_allclose(core.apply(network, params, {}, jnp.asarray(X))[0], expected, rtol=1e-5, atol=1e-6)


class Last(core.Module):
    """A layer of one's own that does not ask for the mask."""

    def __call__(self, cx, x):
        return x[:, -1]


BEFORE_A_SUM = layers.Sequential([layers.Reshape((1, 9)), layers.Reshape((3, 3))])
LOSING = [
    (layers.Permute((2, 1)), r"layers\.2 Permute"),
    (layers.Reshape((9,)), r"layers\.2 Reshape"),
    (layers.Reshape((1, 9)), r"layers\.2 Reshape"),
    (layers.Flatten(), r"layers\.2 Flatten"),
    (Last(), r"layers\.2 Last"),
    (layers.Sequential([layers.Flatten(), layers.Dense(2)]), r"layers\.2\.layers\.0 Flatten"),
    (
        layers.Residual(BEFORE_A_SUM),
        r"layers\.2\.body\.layers\.0 Reshape",
    ),
]


@pytest.mark.parametrize(("layer", "name"), LOSING, ids=[name for _, name in LOSING])
def test_a_layer_that_ends_the_mask_says_so_once(layer, name):
    square = np.ones((3, 3, FEATURES), np.float32)  # time and features alike: lengths say nothing
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        for _ in range(2):
            given(layer, square)
    assert len(said) == 1
    assert re.match(rf"{name}.* ends the mask of its input.*\n  Put the layers", str(said[0].message))


def test_a_mask_comes_back_only_where_rows_were_given():
    network = layers.Sequential([layers.Masking()])
    assert "mask" not in core.apply(network, {}, {}, jnp.asarray(X))[1]
    mask = core.apply(network, {}, {"rows": jnp.ones(3)}, jnp.asarray(X))[1]["mask"]
    np.testing.assert_array_equal(mask, REAL)


def test_batch_statistics_are_those_of_the_real_steps_of_the_real_rows():
    rows = jnp.array([1.0, 1.0, 0.0])
    y, _, params, state = given(layers.BatchNormalization(momentum=0.0), X, rows, train=True)
    dense = X @ np.asarray(params["layers"]["1"]["kernel"]) + np.asarray(params["layers"]["1"]["bias"])
    seen = dense[:2][REAL[:2]]
    moved = state["variables"]["layers"]["2"]
    np.testing.assert_allclose(moved["moving_mean"], seen.mean(0), rtol=1e-5)
    np.testing.assert_allclose(moved["moving_variance"], seen.var(0), rtol=1e-5)
    want = (seen - seen.mean(0)) / np.sqrt(seen.var(0) + 1e-3) * 1.1 + 0.1
    np.testing.assert_allclose(y[:2][REAL[:2]], want, rtol=1e-4, atol=1e-5)


def test_merged_steps_are_real_where_all_are():
    a, b = layers.Input((None, 2)), layers.Input((None, 2))
    masked = [layers.Masking()(a), layers.Masking()(b)]
    other = np.roll(X, 1, axis=0)
    for merged, want in (
        (layers.add(masked), REAL & np.roll(REAL, 1, axis=0)),
        (layers.concatenate(masked), REAL & np.roll(REAL, 1, axis=0)),
        (layers.add([masked[0], layers.Dense(2)(b)]), REAL),
        (layers.concatenate([masked[0], layers.Dense(2)(b)], axis=1), np.concatenate([REAL, np.ones_like(REAL)], 1)),
    ):
        network = layers.graph([a, b], merged)
        pair = (jnp.asarray(X), jnp.asarray(other))
        params, state = core.init(network, random.key(0), pair)
        np.testing.assert_array_equal(core.apply(network, params, state | {"rows": jnp.ones(3)}, pair)[1]["mask"], want)


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("backwards", [True, False])
def test_recurrent_layers_pass_over_padding_as_keras(sequences, backwards):
    x = X[:, ::-1] if backwards else X  # padding in front, behind
    for ours, theirs in ((layers.LSTM, keras.layers.LSTM), (layers.SimpleRNN, keras.layers.SimpleRNN)):
        settings = {"return_sequences": sequences, "return_state": True, "go_backwards": backwards}
        network = layers.Sequential([layers.Masking(), ours(4, **settings)])
        params, _ = core.init(network, random.key(0), jnp.asarray(x))
        got, _ = core.apply(network, params, {}, jnp.asarray(x))
        with relaxed():
            twin = theirs(4, **settings)
            masked = keras.layers.Masking()(x)
            twin(masked)
            twin.set_weights([np.asarray(w) for w in params["layers"]["1"].values()])
            expected = twin(masked)
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_row_of_padding_alone_is_finite():
    x = np.concatenate([X, np.zeros_like(X[:1])])
    for layer in (*KEEPING.values(), *ENDING.values()):
        assert np.isfinite(given(layer, x)[0]).all(), layer


def test_masking_needs_features():
    with pytest.raises(core.context.ContractError, match=r"Embedding\(..., mask_zero=True\)"):
        core.init(layers.Masking(), random.key(0), jnp.ones((2, 3)))
