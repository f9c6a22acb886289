"""The session behind a model: what compile, build and freeze keep, and that a refusal changes nothing."""

import numpy as np
import pytest

from thalweg import layers
from thalweg.errors import ConfigError, ContractError
from thalweg.model import Sequential
from thalweg.train.owned import Rest

X = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)
Y = X.sum(1, keepdims=True)


def model():
    made = Sequential([layers.Dense(4, "tanh"), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def same(a, b):
    return all(np.array_equal(p, q) for p, q in zip(a, b, strict=True))


def test_what_was_learned_stays_when_the_model_is_compiled_or_frozen_anew():
    made = model()
    made.fit(X, Y, verbose=0)
    learned = made.get_weights()
    made.compile("adam", "mae")
    assert same(made.get_weights(), learned)
    made.freeze("layers.0")
    made.compile("adam", "mae")
    assert same(made.get_weights(), learned)
    made.fit(X, Y, verbose=0)
    moved = [np.array_equal(a, b) for a, b in zip(made.get_weights(), learned, strict=True)]
    assert moved == [True, True, False, False]


def test_a_model_built_once_knows_its_inputs_when_it_is_compiled_anew():
    made = model()
    made.fit(X, Y, verbose=0)
    made.compile("sgd", "mse")
    made.learning_rate = 0.5
    assert made.learning_rate == 0.5


def test_the_weights_stand_in_one_place():
    made = model()
    made.build((None, 3))
    assert made.session.owned.place is made.session.training.held  # the training has taken them over
    made.compile("sgd", "mse")
    assert made.session._training is None
    assert isinstance(made.session.owned.place, Rest)


def test_a_refusal_changes_nothing():
    made = model()
    made.build((None, 3))
    module, settings, weights = made.module, made.settings, made.get_weights()
    with pytest.raises(ContractError, match=r"no layer at 'layers\.7'"):
        made.freeze("layers.0", "layers.7")
    with pytest.raises(ConfigError, match="mse"):
        made.compile("sgd", "mze", seed=7)
    assert (made.module, made.settings, made.seed) == (module, settings, 0)
    assert same(made.get_weights(), weights)


def test_nothing_is_trained_before_compile():
    made = Sequential([layers.Dense(1)])
    for call in (made.fit, made.evaluate, made.train_on_batch):
        with pytest.raises(ContractError, match=r"not compiled\.\n  Write model\.compile"):
            call(X, Y)


def test_the_order_of_the_weights_is_that_of_the_layers_whenever_they_are_asked_for():
    made = Sequential([layers.Dense(3, input_shape=(3,)) for _ in range(12)])
    built = made.weights
    expected = [f"layers.{i}.{part}" for i in range(12) for part in ("kernel", "bias")]
    assert list(built) == expected
    made.compile("sgd", "mse")
    assert list(made.weights) == expected
    made.fit(X, X, verbose=0)
    assert list(made.weights) == expected
    made.set_weights(list(built.values()))  # all of a kind have one shape: another order would go unnoticed
    assert same(made.get_weights(), built.values())
    assert all(np.array_equal(made.weights[name], value) for name, value in built.items())
