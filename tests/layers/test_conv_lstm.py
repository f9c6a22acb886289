"""ConvLSTM: given and carried states, noise kept over time, ragged lengths, time backwards."""

import jax.numpy as jnp
import keras
import numpy as np
import pytest

from tests.peers import relaxed
from thalweg import core, layers, random
from thalweg.errors import ContractError

X = np.random.default_rng(0).normal(size=(3, 4, 5, 6, 2)).astype(np.float32)  # [batch, time, height, width, channels]
SETTINGS = {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "return_sequences": True}
PLACES = (3, 3, 3, 2)  # of a state


class From(core.Module):
    """A layer from states that are part of its input."""

    layer: core.Module

    def __call__(self, cx, inputs):
        return self.layer(cx, inputs[0], inputs[1])


def test_it_begins_from_given_states_as_keras():
    states = tuple(np.random.default_rng(1).normal(size=(2, *PLACES)).astype(np.float32))
    layer = From(layers.ConvLSTM2D(**SETTINGS, return_state=True))
    params, _ = core.init(layer, random.key(0), (X, states))
    found, _ = core.apply(layer, params, {}, (X, states))
    with relaxed():
        twin = keras.layers.ConvLSTM2D(**SETTINGS, return_state=True, recurrent_activation="sigmoid")
        twin(X)
        twin.set_weights(list(params["layer"].values()))
        wanted = twin(X, initial_state=list(states))
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    wrong = (states[0], states[1][:, :2])
    with pytest.raises(ContractError, match=r"initial_state must have the shapes \[\(3, 3, 3, 2\), "):
        core.apply(layer, params, {}, (X, wrong))


def test_stateful_is_one_long_sequence_in_pieces():
    stateful, whole = layers.ConvLSTM2D(**SETTINGS, stateful=True, batch_size=3), layers.ConvLSTM2D(**SETTINGS)
    params, state = core.init(stateful, random.key(0), X)
    want, _ = core.apply(whole, params, {}, X)
    for piece in (slice(0, 2), slice(2, 4)):
        y, state = core.apply(stateful, params, state, X[:, piece])
        np.testing.assert_allclose(y, want[:, piece], rtol=1e-5, atol=1e-6)
    again, _ = core.apply(stateful, params, layers.reset_states(state), X[:, :2])
    np.testing.assert_allclose(again, want[:, :2], rtol=1e-5, atol=1e-6)


def trained(layer, kernel, recurrent):
    """The output in training on ones, from weights of one tap and no bias."""
    x = jnp.ones((3, 4, 5, 1))
    _, state = core.init(layer, random.key(0), x)
    params = {"kernel": jnp.full((1, 1, 4), kernel), "recurrent_kernel": jnp.full((1, 1, 4), recurrent)}
    return np.asarray(core.apply(layer, params, state, x, key=random.key(1), train=True)[0])


def test_it_drops_the_same_numbers_of_x_at_every_step():
    y = trained(layers.ConvLSTM1D(1, 1, use_bias=False, return_sequences=True, dropout=0.5), 1.0, 0.0)
    dropped = y == 0
    assert 0 < dropped.mean() < 1
    np.testing.assert_array_equal(dropped, np.broadcast_to(dropped[:, :1], y.shape))
    assert np.unique(y[:, 0]).size == 2


def test_it_drops_the_same_numbers_of_h_at_every_step():
    layer = layers.ConvLSTM1D(1, 1, use_bias=False, return_sequences=True, recurrent_dropout=0.5)
    unseen = trained(layer, 1.0, 0.0) == (y := trained(layer, 1.0, 1.0))
    assert unseen[:, 0].all()  # h is 0 before the first step
    assert 0 < unseen[:, 1:].mean() < 1
    np.testing.assert_array_equal(unseen[:, 1:], np.broadcast_to(unseen[:, 1:2], y[:, 1:].shape))


@pytest.mark.parametrize("back", [False, True])
def test_ragged_lengths_are_sequences_of_their_own(back):
    lengths = (4, 1, 3)
    real = np.arange(4) < np.array(lengths)[:, None]

    class Ragged(core.Module):
        layer: core.Module

        def __call__(self, cx, x):
            return self.layer(cx, cx.masked(x, jnp.asarray(real)))

    layer = layers.ConvLSTM2D(**SETTINGS | {"return_sequences": False}, go_backwards=back)
    params, _ = core.init(Ragged(layer), random.key(0), X)
    y, _ = core.apply(Ragged(layer), params, {}, X)
    forward = layers.ConvLSTM2D(**SETTINGS | {"return_sequences": False})
    for row, n in enumerate(lengths):
        alone = X[row : row + 1, :n]
        want, _ = core.apply(forward, params["layer"], {}, alone[:, ::-1] if back else alone)
        np.testing.assert_allclose(y[row], want[0], rtol=1e-5, atol=1e-6)
