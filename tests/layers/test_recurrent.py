"""What the recurrent layers make of their settings; their equations are in the contract battery."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from tests.peers import relaxed
from thalweg import core, random, tree
from thalweg.errors import ConfigError, ContractError
from thalweg.kernels import library
from thalweg.layers import GRU, LSTM, RNN, Bidirectional, Dense, GRUCell, LSTMCell, Sequential, SimpleRNN

RNG = np.random.default_rng(0)
X = jnp.asarray(RNG.normal(size=(4, 5, 3)), jnp.float32)
STATES = tuple(jnp.asarray(RNG.normal(size=(4, 2)), jnp.float32) for _ in range(2))


class From(core.Module):
    """A layer called with its initial state."""

    layer: core.Module

    def __call__(self, cx, x):
        return self.layer(cx, x[0], x[1])


@pytest.mark.parametrize(
    ("layer", "twin", "states"),
    [
        (LSTM(2, return_state=True), keras.layers.LSTM(2, return_state=True), STATES),
        (SimpleRNN(2, return_state=True, go_backwards=True),
         keras.layers.SimpleRNN(2, return_state=True, go_backwards=True), STATES[:1]),
    ],
    ids=["LSTM", "SimpleRNN"],
)  # fmt: skip
def test_from_an_initial_state_as_keras(layer, twin, states):
    params, _ = core.init(From(layer), random.key(0), (X, states))
    got, _ = core.apply(From(layer), params, {}, (X, states))
    with relaxed():
        twin(X)
        twin.set_weights([np.asarray(w) for w in params["layer"].values()])
        expected = twin(X, initial_state=list(states))
    assert len(got) == len(expected) == 1 + len(states)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_an_initial_state_that_does_not_fit():
    with pytest.raises(ContractError, match=r"initial_state must have the shapes \[\(4, 2\), \(4, 2\)\]"):
        core.init(From(LSTM(2)), random.key(0), (X, STATES[:1]))
    with pytest.raises(ContractError, match=r"initial_state must have the shapes \[\(4, 2\)\]"):
        core.init(From(Bidirectional(GRU(2))), random.key(0), (X, STATES[:1]))
    for rows in (None, 3):  # states that are given do not say how many are kept
        with pytest.raises(ContractError, match="Write batch_size=4 in the layer"):
            core.init(From(LSTM(2, stateful=True, batch_size=rows)), random.key(0), (X, STATES))


def test_how_weights_begin():
    params, _ = core.init(LSTM(3), random.key(0), X)
    assert list(params) == ["kernel", "recurrent_kernel", "bias"]
    np.testing.assert_array_equal(params["bias"], np.repeat([0, 1, 0, 0], 3))
    U = np.asarray(params["recurrent_kernel"], np.float64)
    np.testing.assert_allclose(U @ U.T, np.eye(3), atol=1e-5)
    closed, _ = core.init(LSTM(3, unit_forget_bias=False, use_bias=True), random.key(0), X)
    assert not closed["bias"].any()
    assert "bias" not in core.init(LSTM(3, use_bias=False), random.key(0), X)[0]


def test_dropout_takes_the_same_features_at_every_step():
    layer = SimpleRNN(3, "linear", dropout=0.5, return_sequences=True)
    params, state = core.init(layer, random.key(0), X)
    assert tree.by_name(state["hyper"]) == {"dropout": 0.5}
    params = {"kernel": jnp.eye(3), "recurrent_kernel": jnp.zeros((3, 3)), "bias": jnp.zeros(3)}
    y, _ = core.apply(layer, params, state, X, key=random.key(1), train=True)
    mask = np.asarray(y / X)
    np.testing.assert_allclose(mask, np.broadcast_to(mask[:, :1], mask.shape))
    assert set(np.round(np.unique(mask), 5)) == {0.0, 2.0}
    np.testing.assert_allclose(core.apply(layer, params, state, X)[0], X)


def test_recurrent_dropout_hides_the_same_units_at_every_step():
    layer = SimpleRNN(3, "linear", recurrent_dropout=0.5, return_sequences=True)
    _, state = core.init(layer, random.key(0), X)
    params = {"kernel": jnp.eye(3), "recurrent_kernel": jnp.eye(3), "bias": jnp.zeros(3)}
    y, _ = core.apply(layer, params, state, X, key=random.key(1), train=True)
    y, x = np.asarray(y, np.float64), np.asarray(X, np.float64)
    mask = (y[:, 1:] - x[:, 1:]) / y[:, :-1]  # y_t = x_t + mask * y_{t-1}
    np.testing.assert_allclose(mask, np.broadcast_to(mask[:, :1], mask.shape), atol=1e-3)
    assert set(np.round(np.unique(mask[:, 0]), 2) + 0) == {0.0, 2.0}


def test_without_return_sequences_the_error_says_what_to_write():
    network = Sequential([LSTM(64), LSTM(64), Dense(10)])
    with pytest.raises(ContractError) as error:
        core.init(network, random.key(0), jnp.ones((2, 28, 28)))
    first, second = str(error.value).splitlines()[:2]
    assert first == ("layers.1 LSTM(64) needs [batch, time, features]; it received [batch, 64] from layers.0 LSTM(64).")
    assert second == "  Write LSTM(64, return_sequences=True) for layers.0."
    with pytest.raises(ContractError, match=r"needs \[batch, time, features\]; it received \[batch, 3\]") as error:
        core.init(Sequential([Dense(3), SimpleRNN(2)]), random.key(0), jnp.ones((2, 4)))
    assert "return_sequences" not in str(error.value)


def test_the_activation_inside_is_not_a_final_one():
    network = Sequential([LSTM(2)])
    assert core.split_activation(network) == (network, None)


def test_settings_out_of_range():
    with pytest.raises(ConfigError, match="LSTM: units must be a whole number"):
        LSTM(0)
    with pytest.raises(ConfigError, match="recurrent_dropout"):
        SimpleRNN(2, recurrent_dropout=1.0)


OPEN = {
    "forget": (LSTM(3, return_sequences=True), (-6.0, 12.0, 0.0, 0.0)),
    "forget, cell": (RNN(LSTMCell(3), return_sequences=True), (-6.0, 12.0, 0.0, 0.0)),
    "update": (GRU(3, return_sequences=True), (7.0, 0.0, 0.0)),
    "update, cell": (RNN(GRUCell(3), return_sequences=True), (7.0, 0.0, 0.0)),
}


@pytest.mark.parametrize("gate", OPEN)
def test_a_state_that_hardly_fades_is_carried_in_float32(gate):
    layer, begins = OPEN[gate]
    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, 1000, 3)), jnp.float32)
    params, state = core.init(layer, random.key(0), x)
    params.get("cell", params)["bias"] = jnp.asarray(np.repeat(np.float32(begins), 3))

    def total(params, policy):
        y, _ = core.apply(layer, params, state, x, policy=policy)
        return jnp.sum(y), y

    with library.formulas():
        of = jax.jit(jax.grad(total, has_aux=True), static_argnums=1)
        narrow, wide = (jax.tree.leaves(of(params, policy)) for policy in (core.BFLOAT16, core.FLOAT32))
    for got, expected in zip(narrow, wide, strict=True):
        assert np.linalg.norm(got - expected) < 2**-5 * np.linalg.norm(expected)
