import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import core, random
from thalweg.errors import ContractError
from thalweg.layers import (
    Activation,
    Concatenate,
    Dense,
    Flatten,
    Input,
    Parallel,
    Permute,
    ReLU,
    RepeatVector,
    Reshape,
    Residual,
    Sequential,
    Softmax,
)

X = jnp.ones((2, 3))


def computed(network, x):
    params, state = core.init(network, random.key(0), x)
    return core.apply(network, params, state, x)[0]


def test_an_input_in_front_states_the_shape():
    network = Sequential([Input((3, 4)), Dense(2)])
    assert network == Sequential([Dense(2)], input_shape=(3, 4))


def test_an_empty_sequence_is_the_identity():
    np.testing.assert_array_equal(computed(Sequential(), X), X)
    assert Sequential().outlet() is None


@pytest.mark.parametrize(
    ("network", "logits", "activation"),
    [
        (Dense(2, "softmax"), Dense(2), "softmax"),
        (Sequential([Dense(2), Activation("tanh")]), Sequential([Dense(2), Activation(None)]), "tanh"),
        (
            Sequential([Dense(2), Sequential([Dense(1, "sigmoid")])]),
            Sequential([Dense(2), Sequential([Dense(1)])]),
            "sigmoid",
        ),
        (Residual(Dense(3), activation="relu"), Residual(Dense(3)), "relu"),
        (Sequential([Dense(2, "relu"), Residual(Dense(2, "relu"))]), None, None),
        (Parallel([Dense(2, "relu"), Dense(2, "relu")]), None, None),
        (Sequential([Dense(2), ReLU(max_value=1)]), None, None),
        (Softmax(1), None, None),
    ],
)
def test_the_final_activation_comes_off(network, logits, activation):
    assert core.split_activation(network) == (network if logits is None else logits, activation)


@pytest.mark.parametrize(("layer", "name"), [(Softmax(), "softmax"), (ReLU(), "relu")])
def test_an_activation_layer_at_the_end_comes_off(layer, name):
    logits, activation = core.split_activation(Sequential([Dense(2), layer]))
    assert activation == name
    np.testing.assert_array_equal(computed(logits, X), computed(Sequential([Dense(2)]), X))


def test_what_is_no_layer():
    with pytest.raises(ContractError, match=r"Sequential takes layers; it received 'dense'.\n  Write Dense\(10\)"):
        Sequential(["dense"])
    with pytest.raises(ContractError, match="Sequential takes layers; it received <class"):
        Sequential([Dense])


def test_branches_that_do_not_fit():
    with pytest.raises(ContractError, match=r"they are \(2, 4\) and \(2, 3\).\n  Bring the branches to one shape"):
        computed(Residual(Dense(4)), X)
    with pytest.raises(ContractError, match="must agree but along axis 1"):
        computed(Parallel([Dense(4), RepeatVector(2)], Concatenate(1)), X)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Reshape((5,)), r"a row holds 3 numbers.\n  Write a shape of 3 numbers, with at most one -1."),
        (Reshape((-1, 2)), "a row holds 3 numbers"),
        (Reshape((-1, -1)), "a row holds 3 numbers"),
        (Permute((0, 1)), r"dims must name each axis after the batch once.\n  Write an order of \(1,\)."),
    ],
)
def test_rows_that_cannot_be_moved(layer, message):
    with pytest.raises(ContractError, match=message):
        computed(Sequential([Dense(3), layer]), X)


def test_flatten_of_a_vector_and_of_no_rows():
    assert computed(Flatten(), jnp.ones(4)).shape == (4, 1)
    assert computed(Flatten(), jnp.ones((0, 3, 2))).shape == (0, 6)
