"""What batch normalisation keeps between calls, and when."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from tests.peers import relaxed
from thalweg import Sequential, core, random
from thalweg.errors import ConfigError, ContractError, DivergenceError
from thalweg.layers import (
    Activation,
    BatchNormalization,
    Dense,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    WindowNormalization,
)

BATCHES = np.random.default_rng(0).normal(2.0, 3.0, size=(3, 8, 5, 4)).astype(np.float32)


def statistics(state):
    return state["variables"]["moving_mean"], state["variables"]["moving_variance"]


def trained(layer, **options):
    params, state = core.init(layer, random.key(0), BATCHES[0])
    for x in BATCHES:
        _, state = core.apply(layer, params, state, jnp.asarray(x), train=True, **options)
    return params, state


def test_moving_statistics_equal_keras_after_three_steps():
    params, state = trained(BatchNormalization(momentum=0.9))
    with relaxed():
        twin = keras.layers.BatchNormalization(momentum=0.9)
        for x in BATCHES:
            twin(x, training=True)
        mean, variance = (np.asarray(w) for w in twin.get_weights()[2:])
        expected = np.asarray(twin(BATCHES[0], training=False))
    np.testing.assert_allclose(statistics(state)[0], mean, rtol=1e-5)
    np.testing.assert_allclose(statistics(state)[1], variance, rtol=1e-5)
    y, after = core.apply(BatchNormalization(momentum=0.9), params, state, jnp.asarray(BATCHES[0]))
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    assert after is not state
    jax.tree.map(np.testing.assert_array_equal, after, state)


def test_a_frozen_layer_neither_moves_nor_uses_the_batch():
    frozen = BatchNormalization(trainable=False)
    params, state = trained(frozen)
    np.testing.assert_array_equal(statistics(state), [np.zeros(4), np.ones(4)])
    y, _ = core.apply(frozen, params, state, jnp.asarray(BATCHES[0]), train=True)
    np.testing.assert_allclose(y, BATCHES[0] / np.sqrt(1 + 1e-3), rtol=1e-5)


def test_bfloat16_keeps_the_statistics_in_float32():
    _, exact = trained(BatchNormalization(momentum=0.5))
    _, state = trained(BatchNormalization(momentum=0.5), policy=core.BFLOAT16)
    for kept, wanted in zip(statistics(state), statistics(exact), strict=True):
        assert kept.dtype == jnp.float32
        np.testing.assert_allclose(kept, wanted, rtol=0.01)


def test_padding_does_not_move_the_statistics():
    layer, x = BatchNormalization(momentum=0.0), jnp.asarray(BATCHES[0]).at[6:].set(1e6)
    params, state = core.init(layer, random.key(0), x)
    rows = (jnp.arange(8) < 6).astype(jnp.float32)
    _, state = core.apply(layer, params, state | {"rows": rows}, x, train=True)
    np.testing.assert_allclose(statistics(state)[0], BATCHES[0][:6].mean((0, 1)), rtol=1e-4)


def test_settings_out_of_range_and_groups_that_do_not_fit():
    with pytest.raises(ConfigError, match="momentum must be a number of at least 0 and at most 1"):
        BatchNormalization(momentum=1.5)
    with pytest.raises(ContractError, match=r"(?s)GroupNormalization\(\).*6 channels.*Write groups=6"):
        core.init(GroupNormalization(), random.key(0), jnp.ones((1, 6)))


@pytest.mark.parametrize("size", [1.0, 1e14, 1e18, 1e20])
def test_a_window_of_large_numbers(size):
    """Of half a window's spread the gradient is exact; over an infinite spread all would be 0."""
    rng = np.random.default_rng(0)
    x, dy = (jnp.float32(rng.normal(size=(2, 6, 3)) * s) for s in (size, 1))
    layer = WindowNormalization(Activation("tanh"))
    y, back = jax.vjp(lambda x: core.apply(layer, {}, {}, x)[0], x)
    assert np.isnan(y).any() == np.isnan(back(dy)[0]).any() == (size == 1e20)
    if size < 1e20:
        unit = jax.vjp(lambda x: core.apply(replace(layer, epsilon=1e-5 / size**2), {}, {}, x)[0], x / size)
        np.testing.assert_allclose(y / size, unit[0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(back(dy)[0], unit[1](dy)[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "layer", [LayerNormalization(), RMSNormalization(), GroupNormalization(1), BatchNormalization()]
)
def test_training_on_what_cannot_be_normalised_is_an_error(layer):
    """The layer gave zeros, and the network learned on without a word."""
    x = np.random.default_rng(0).uniform(1e20, 1e21, (16, 8)).astype(np.float32)
    model = Sequential([Dense(8, input_shape=(8,)), layer, Dense(1)])
    model.compile("sgd", "mse")
    assert np.isnan(model.predict(x)).all() or isinstance(layer, BatchNormalization)  # whose statistics are not x's yet
    with pytest.raises(DivergenceError, match=r"output of layer layers\.1"):
        model.fit(x, np.ones((16, 1), np.float32), verbose=0)
