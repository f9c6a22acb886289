"""A layer's settings reach its weights, its penalty and its output."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from tests.peers import relaxed
from thalweg import core, random
from thalweg.errors import ConfigError
from thalweg.layers import Dense, PReLU, Sequential
from thalweg.ops.constraints import MaxNorm
from thalweg.ops.initializers import Constant
from thalweg.ops.regularizers import L1, L2

X = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)


def test_settings_reach_the_weights():
    layer = Dense(2, kernel_initializer=Constant(2), bias_initializer="ones", kernel_constraint=MaxNorm(1))
    params, _ = core.init(layer, random.key(0), X)
    np.testing.assert_array_equal(params["kernel"], np.full((3, 2), 2))
    np.testing.assert_array_equal(params["bias"], np.ones(2))
    call, _ = core.trace(layer, X)
    assert call.slots["kernel",].constraint == MaxNorm(1)
    assert call.slots["bias",].constraint is None


def test_penalties_add_up_as_in_keras():
    settings = {"kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l1"}
    layer = Dense(2, "tanh", bias_initializer="ones", **settings)
    params, state = core.init(layer, random.key(0), X)
    y, state = core.apply(layer, params, state, X, train=True)
    expected = 0.01 * (params["kernel"] ** 2).sum() + 0.01 * 2 + 0.01 * abs(y).sum() / 4
    np.testing.assert_allclose(state["penalty"], expected, rtol=1e-5)
    with relaxed():
        twin = keras.layers.Dense(2, "tanh", **settings)
        twin(X)
        twin.set_weights([np.asarray(params["kernel"]), np.ones(2)])
        twin(X)
        np.testing.assert_allclose(state["penalty"], np.sum([np.asarray(v) for v in twin.losses]), rtol=1e-5)


def test_padded_rows_pay_no_penalty():
    layer = Dense(2, activity_regularizer=L2(0.5), bias_initializer="ones")
    params, state = core.init(layer, random.key(0), X)
    padded = jnp.concatenate([X, jnp.full((2, 3), 7.0)])
    rows = jnp.array([1.0, 1, 1, 1, 0, 0])
    _, real = core.apply(layer, params, state, X)
    _, all_rows = core.apply(layer, params, state | {"rows": rows}, padded)
    np.testing.assert_allclose(all_rows["penalty"], real["penalty"], rtol=1e-6)
    assert real["penalty"] > 0


def test_the_activity_of_the_last_layer_is_its_output_and_not_its_logits():
    network = core.ModuleNetwork(Sequential([Dense(2, "softmax", activity_regularizer="l2")]))
    params, state = network.init(random.key(0), X)
    logits, new = network.apply(params, state, X, key=None, train=False)
    np.testing.assert_allclose(new["penalty"], 0.01 * (jax.nn.softmax(logits) ** 2).sum() / 4, rtol=1e-5)


def test_regularizers_differentiate_through_the_penalty():
    layer = PReLU(alpha_regularizer=L1(0.5), alpha_initializer=Constant(0.3))
    params, state = core.init(layer, random.key(0), X)
    slope = jax.grad(lambda p: core.apply(layer, p, state, X)[1]["penalty"])(params)
    np.testing.assert_allclose(slope["alpha"], np.full(3, 0.5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Dense(0),
            r"Dense: units must be a whole number of at least 1; it is 0.\n  Write, for example, units=1",
        ),
        (lambda: Dense(True), "units must be a whole number"),
    ],
)
def test_numbers_out_of_range(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Dense(2, "rleu"), "unknown activation 'rleu'"),
        (Dense(2, kernel_initializer="glorot"), "unknown initializer 'glorot'"),
        (Dense(2, kernel_regularizer="l3"), "unknown regularizer 'l3'"),
        (Dense(2, bias_constraint="positive"), "unknown constraint 'positive'"),
    ],
)
def test_unknown_names(layer, message):
    with pytest.raises(ConfigError, match=message):
        core.init(Sequential([layer]), random.key(0), X)
