"""Recurrent layers: both directions and cells under masks, states carried over, noise kept over time, tied weights."""

import dataclasses

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import thalweg
from tests.peers import relaxed
from thalweg import core, layers, random
from thalweg.errors import ConfigError, ContractError

LENGTHS = np.array([5, 2, 4])
REAL = np.arange(5) < LENGTHS[:, None]
X = np.where(REAL[..., None], np.random.default_rng(0).normal(size=(3, 5, 2)), 0).astype(np.float32)


def behind_a_mask(layer, x):
    network = layers.Sequential([layers.Masking(), layer])
    params, state = core.init(network, random.key(0), jnp.asarray(x))
    y, after = core.apply(network, params, state | {"rows": jnp.ones(len(x))}, jnp.asarray(x))
    return y, after.get("mask"), params["layers"]["1"]


def keras_weights(params):
    flat = list(thalweg.tree.by_name(params).items())
    out = []
    for name, value in flat:
        if name.endswith("recurrent_bias"):
            out[-1] = np.stack([out[-1], value])
        else:
            out.append(np.asarray(value))
    return out


K = keras.layers
MASKED = {
    "GRU": (layers.GRU(3, return_sequences=True), lambda: K.GRU(3, return_sequences=True)),
    "GRU, reset before": (layers.GRU(3, reset_after=False), lambda: K.GRU(3, reset_after=False)),
    "Bidirectional": (
        layers.Bidirectional(layers.GRU(3, return_sequences=True)),
        lambda: K.Bidirectional(K.GRU(3, return_sequences=True)),
    ),
    "Bidirectional, the last states": (
        layers.Bidirectional(layers.LSTM(3), "sum"),
        lambda: K.Bidirectional(K.LSTM(3), "sum"),
    ),
    "RNN": (layers.RNN(layers.LSTMCell(3), return_sequences=True), lambda: K.RNN(K.LSTMCell(3), return_sequences=True)),
    "RNN, stacked": (
        layers.RNN([layers.SimpleRNNCell(3), layers.LSTMCell(2)]),
        lambda: K.RNN([K.SimpleRNNCell(3), K.LSTMCell(2)]),
    ),
}


@pytest.mark.parametrize("name", MASKED)
def test_ragged_lengths_as_keras(name):
    layer, make = MASKED[name]
    for x in (X, X[:, ::-1]):  # padding behind, in front
        y, mask, params = behind_a_mask(layer, x)
        with relaxed():
            twin, masked = make(), K.Masking()(x)
            twin(masked)
            twin.set_weights(keras_weights(params))
            expected = np.asarray(twin(masked))
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
        if y.ndim == 3:
            np.testing.assert_array_equal(mask, x.any(-1))


@pytest.mark.parametrize("name", ["simple", "lstm", "gru", "gru before"])
def test_a_layer_is_rnn_over_its_cell(name):
    layer, cell = {
        "simple": (layers.SimpleRNN(3), layers.SimpleRNNCell(3)),
        "lstm": (layers.LSTM(3), layers.LSTMCell(3)),
        "gru": (layers.GRU(3), layers.GRUCell(3)),
        "gru before": (layers.GRU(3, reset_after=False), layers.GRUCell(3, reset_after=False)),
    }[name]
    params, _ = core.init(layer, random.key(0), jnp.asarray(X))
    y, _ = core.apply(layer, params, {}, jnp.asarray(X))
    other, _ = core.apply(layers.RNN(cell), {"cell": params}, {}, jnp.asarray(X))
    np.testing.assert_allclose(y, other, rtol=1e-5, atol=1e-6)


def test_a_peephole_cell_over_time_and_without_peepholes():
    layer = layers.RNN(layers.PeepholeLSTMCell(3), return_sequences=True)
    params, _ = core.init(layer, random.key(0), jnp.asarray(X))
    w = {k: np.asarray(v, np.float64) for k, v in params["cell"].items()}
    h = c = np.zeros((3, 3))
    got = np.asarray(core.apply(layer, params, {}, jnp.asarray(X))[0])
    for t in range(5):
        i, f, g, o = np.split(X[:, t] @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4, axis=-1)
        i, f = (1 / (1 + np.exp(-(a + p * c))) for a, p in ((i, w["peephole"][0]), (f, w["peephole"][1])))
        c = f * c + i * np.tanh(g)
        h = np.tanh(c) / (1 + np.exp(-(o + w["peephole"][2] * c)))
        np.testing.assert_allclose(got[:, t], h, rtol=1e-5, atol=1e-6)


def test_a_cell_drops_the_same_features_at_every_step():
    layer = layers.RNN(layers.SimpleRNNCell(2, "linear", dropout=0.5), return_sequences=True)
    _, state = core.init(layer, random.key(0), jnp.ones((3, 5, 2)))
    params = {"cell": {"kernel": jnp.eye(2), "recurrent_kernel": jnp.zeros((2, 2)), "bias": jnp.zeros(2)}}
    y, _ = core.apply(layer, params, state, jnp.ones((3, 5, 2)), key=random.key(1), train=True)
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    assert set(np.unique(y)) == {0.0, 2.0}


def stacked(units, **settings):
    return layers.RNN([layers.LSTMCell(units), layers.PeepholeLSTMCell(2)], **settings)


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.SimpleRNN, stacked])
def test_stateful_is_one_long_sequence_in_pieces(kind):
    layer, whole = kind(3, return_sequences=True, stateful=True, batch_size=3), kind(3, return_sequences=True)
    x = jnp.asarray(np.random.default_rng(1).normal(size=(3, 6, 2)), jnp.float32)
    params, state = core.init(layer, random.key(0), x[:1])
    want, _ = core.apply(whole, params, {}, x)
    for piece in range(2):
        y, state = core.apply(layer, params, state, x[:, 3 * piece : 3 * piece + 3])
        np.testing.assert_allclose(y, want[:, 3 * piece : 3 * piece + 3], rtol=1e-5, atol=1e-6)
    again, _ = core.apply(layer, params, layers.reset_states(state), x[:, :3])
    np.testing.assert_allclose(again, want[:, :3], rtol=1e-5, atol=1e-6)
    with pytest.raises(ContractError, match="Write batch_size=3 in the layer"):
        core.init(kind(3, stateful=True), random.key(0), x)


def test_a_stateful_model_is_reset_by_its_weights():
    model = thalweg.Sequential([layers.GRU(2, stateful=True, batch_size=2), layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.fit(X[:2], LENGTHS[:2, None], batch_size=2, shuffle=False, verbose=0)
    carried = {k: v for k, v in model.weights.items() if "carried_" in k}
    assert carried
    assert all(v.any() for v in carried.values())
    model.set_weights(layers.reset_states(model.weights))
    assert not any(v.any() for k, v in model.weights.items() if "carried_" in k)


def test_evaluate_and_predict_carry_states_from_batch_to_batch():
    """Three batches of two rows are one sequence of twelve steps in pieces; the model's own states stay."""
    stateful, whole = (
        thalweg.Sequential([layers.GRU(3, return_sequences=True, stateful=kept, batch_size=2 if kept else None)])
        for kept in (True, False)
    )
    x = np.random.default_rng(1).normal(size=(2, 12, 2)).astype(np.float32)
    pieces = np.concatenate([x[:, 4 * i : 4 * i + 4] for i in range(3)])
    for model, shown in ((stateful, pieces), (whole, x)):
        model.compile(optimizer="sgd", loss="mse")
        model.build(shown[:2].shape)
    stateful.set_weights({**stateful.weights, **whole.weights})
    before, want = stateful.weights, whole.predict(x)
    found = stateful.predict(pieces, batch_size=2)
    for i in range(3):
        np.testing.assert_allclose(found[2 * i : 2 * i + 2], want[:, 4 * i : 4 * i + 4], rtol=1e-5, atol=1e-6)
    target = np.ones_like(found)
    assert stateful.evaluate(pieces, target, batch_size=2) == pytest.approx(((found - 1) ** 2).mean(), rel=1e-5)
    assert all(np.array_equal(stateful.weights[k], v) for k, v in before.items())


def test_both_directions_begin_from_given_states():
    layer = layers.Bidirectional(layers.GRU(3, return_state=True), None)

    class From(core.Module):
        layer: core.Module

        def __call__(self, cx, x):
            return self.layer(cx, x[0], x[1])

    states = tuple(jnp.full((3, 3), v) for v in (0.5, -0.5))
    params, _ = core.init(From(layer), random.key(0), (jnp.asarray(X), states))
    y, back, h, other = core.apply(From(layer), params, {}, (jnp.asarray(X), states))[0]
    for side, one, last, start in (("layer", y, h, states[0]), ("backward_layer", back, other, states[1])):
        alone = From(layers.GRU(3, go_backwards=side != "layer"))
        want, _ = core.apply(alone, {"layer": params["layer"][side]}, {}, (jnp.asarray(X), start))
        np.testing.assert_allclose(one, want, rtol=1e-6)
        np.testing.assert_allclose(last, want, rtol=1e-6)


def test_two_layers_one_way_are_refused():
    with pytest.raises(ConfigError, match="Write go_backwards=True in backward_layer"):
        layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2))
    with pytest.raises(ConfigError, match="unknown merge_mode 'both'"):
        layers.Bidirectional(layers.GRU(2), "both")


def test_batch_statistics_at_every_step_are_those_of_the_real_ones():
    layer = layers.TimeDistributed(layers.BatchNormalization(momentum=0.0))
    network = layers.Sequential([layers.Masking(), layer])
    params, state = core.init(network, random.key(0), jnp.asarray(X))
    _, after = core.apply(network, params, state | {"rows": jnp.array([1.0, 1, 0])}, jnp.asarray(X), train=True)
    seen = X[:2][REAL[:2]]
    np.testing.assert_allclose(jax.tree.leaves(after["variables"])[0], seen.mean(0), rtol=1e-5, atol=1e-6)


def test_a_tied_output_is_one_weight():
    network = layers.Sequential(
        [layers.Embedding(7, 3), layers.LSTM(3, return_sequences=True), layers.TiedDense("layers.0")]
    )
    x = jnp.array([[1, 2, 6]])
    params, _ = core.init(network, random.key(0), x)
    assert list(params["layers"]["2"]) == ["bias"]
    gradient = jax.grad(lambda p: core.apply(network, p, {}, x)[0].sum())(params)
    assert np.all(
        np.any(np.asarray(gradient["layers"]["0"]["embeddings"]) != 0, axis=1)
    )  # rows that x does not name too
    with pytest.raises(
        ContractError, match=r"no Embedding was called at 'layers\.1' before\.\n  Did you mean 'layers\.0'"
    ):
        core.init(layers.Sequential([layers.Embedding(7, 3), layers.TiedDense("layers.1")]), random.key(0), x)
    with pytest.raises(ContractError, match=r"Write Dense\(3\) before it"):
        core.init(
            layers.Sequential([layers.Embedding(7, 3), layers.Dense(4), layers.TiedDense("layers.0")]), random.key(0), x
        )


def test_statistics_in_a_cell_of_a_frozen_layer_stay():
    class Normed(core.Module):
        norm: core.Module
        sizes = (3,)

        def __call__(self, cx, x, states):
            y = self.norm(cx, x) + states[0]
            return y, (y,)

    layer = layers.RNN(Normed(layers.BatchNormalization()))
    x = jnp.asarray(np.random.default_rng(0).normal(5, 2, (4, 6, 3)), "float32")
    for trainable in (True, False):
        told = dataclasses.replace(layer, trainable=trainable)
        params, state = core.init(told, random.key(0), x)
        _, after = core.apply(told, params, state, x, key=random.key(1), train=True)
        moved = jax.tree.map(lambda a, b: bool((a != b).any()), state["variables"], after["variables"])
        assert set(jax.tree.leaves(moved)) == {trainable}
