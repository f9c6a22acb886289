"""The network's end: its final activation's name, and the activation that feeds it."""

import jax
import jax.numpy as jnp
import pytest

from thalweg import layers
from thalweg.core import ModuleNetwork
from thalweg.train.contract import activation_name, hidden_activation


@pytest.mark.parametrize(
    ("chain", "want"),
    [
        ((layers.Dense(3, "relu"), layers.Softmax()), "relu"),
        ((layers.Dense(3, "relu"), layers.Activation("softmax")), "relu"),
        ((layers.Dense(3), layers.ReLU(), layers.Softmax()), "relu"),
        ((layers.Sequential([layers.Dense(4), layers.Dense(3, "tanh")]), layers.Activation("sigmoid")), "tanh"),
        ((layers.Dense(3), layers.Softmax()), None),
        ((layers.Dense(4, "relu"), layers.Dense(3, "softmax")), None),
        ((layers.Dense(4, "relu"), layers.Dense(3)), None),
        ((layers.Softmax(),), None),
    ],
    ids=repr,
)
def test_what_feeds_the_final_activation(chain, want):
    module = layers.Sequential(chain)
    slots = ModuleNetwork(module).slots(jax.ShapeDtypeStruct((1, 5), jnp.float32))
    assert hidden_activation(module, slots) == want


def test_names_of_activations():
    assert [activation_name(v) for v in (None, "ReLU", jnp.tanh, layers.Dense(1))] == [None, "relu", "tanh", "dense"]
