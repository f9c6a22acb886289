"""Inputs that a network states: another size is an error in every call, before anything is built, as in Keras."""

import numpy as np
import pytest

from thalweg import data, layers, load_model
from thalweg.core import Module
from thalweg.errors import ContractError
from thalweg.layers import Dense, Input
from thalweg.model import Model, Sequential

Y = np.zeros(8, np.float32)


def rows(*shape):
    return np.ones((8, *shape), np.float32)


def graph():
    x = Input((3,))
    return Model(x, Dense(1)(x))


def named():
    a, b = Input((3,), name="a"), Input((2,), name="b")
    return Model([a, b], Dense(1)(layers.concatenate([a, b])))


class Own(Module):
    """Its head reads what the body gives, so that what the head states is nothing about the inputs."""

    head: Module = Dense(1, input_shape=(4,))
    body: Module = Dense(4)

    def __call__(self, cx, x):
        return self.head(cx, self.body(cx, x))


STATING = {
    "Input": lambda: Sequential([Input((3,)), Dense(1)]),
    "first layer": lambda: Sequential([Dense(1, input_shape=(3,))]),
    "nested Input": lambda: Sequential([Sequential([Input((3,)), Dense(2)]), Dense(1)]),
    "nested layer": lambda: Sequential([Sequential([Dense(2, input_shape=(3,))]), Dense(1)]),
    "graph": graph,
    "nested graph": lambda: Sequential([graph(), Dense(1)]),
    "residual": lambda: Sequential([layers.Residual(Dense(3, input_shape=(3,)), Dense(3)), Dense(1)]),
    "own": lambda: Model(Own(input_shape=(3,))),
}
CALLS = {
    "fit": lambda m, x: m.fit(x, Y, verbose=0),
    "source": lambda m, x: m.fit(data.ArraySource(x, Y), verbose=0),
    "evaluate": lambda m, x: m.evaluate(x, Y, verbose=0),
    "train_on_batch": lambda m, x: m.train_on_batch(x, Y),
    "predict": lambda m, x: m.predict(x),
    "build": lambda m, x: m.build((None, *x.shape[1:])),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", STATING)
def test_another_size_than_stated_is_an_error_before_anything_is_built(kind, call):
    model = STATING[kind]()
    model.compile("sgd", "mse")
    for wrong in (rows(2), rows(3, 1)):
        with pytest.raises(ContractError, match=r"states input_shape=\(3,\)|needs \[batch, 3\]"):
            CALLS[call](model, wrong)
        assert model.session._owned is None
        assert model.session._training is None
    CALLS[call](model, rows(3))


@pytest.mark.parametrize(
    ("first", "right", "wrong"),
    [
        (layers.TimeDistributed(Dense(2), input_shape=(5, 3)), (5, 3), (5, 2)),
        (layers.TimeDistributed(Dense(2, input_shape=(3,))), (5, 3), None),
        (layers.Bidirectional(layers.LSTM(2), input_shape=(None, 3)), (7, 3), (5, 2)),
        (layers.Bidirectional(layers.LSTM(2, input_shape=(5, 3))), (5, 3), (4, 3)),
        (layers.GRU(2, input_shape=(None, 3)), (4, 3), (3,)),
        (layers.Embedding(9, 2, input_shape=(4,)), (4,), (5,)),
        (layers.Embedding(9, 2, input_shape=(None,)), (6,), (5, 2)),
    ],
)
def test_a_none_takes_any_size_and_a_wrapper_states_its_own(first, right, wrong):
    if wrong is not None:
        with pytest.raises(ContractError, match="states input_shape"):
            Sequential([first, layers.Flatten(), Dense(1)]).predict(rows(*wrong))
    assert Sequential([first, layers.Flatten(), Dense(1)]).predict(rows(*right)).shape == (8, 1)


def test_several_inputs_are_held_against_what_is_stated_by_position_and_by_name():
    for x in ([rows(2), rows(2)], {"a": rows(2), "b": rows(2)}):
        with pytest.raises(ContractError, match=r"input a of the network needs \[batch, 3\]"):
            named().predict(x)
    assert named().predict([rows(3), rows(2)]).shape == named().predict({"b": rows(2), "a": rows(3)}).shape == (8, 1)


def test_what_a_layer_within_a_network_of_ones_own_states_is_not_about_its_inputs():
    assert Model(Own()).predict(rows(2)).shape == (8, 1)


def test_once_there_are_weights_the_layers_say_what_they_take(tmp_path):
    model = Sequential([Input((5, 2)), layers.GRU(3), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(rows(5, 2), Y, verbose=0)
    model.fit(rows(7, 2), Y, verbose=0)
    loaded = load_model(model.save(tmp_path / "m.tw"))
    assert np.array_equal(loaded.predict(rows(9, 2)), model.predict(rows(9, 2)))
    with pytest.raises(ContractError, match=r"layers\.0"):
        loaded.predict(rows(9, 3))


def test_a_none_of_build_is_the_size_that_is_stated():
    model = Sequential([Input((5, 2)), layers.Flatten(), Dense(1)])
    model.build((None, None, 2))
    assert model.count_params() == 11
    assert model.input_spec.shape == (1, 5, 2)


def test_a_nested_graph_states_its_inputs_where_none_came():
    model = Sequential([graph(), Dense(1)])
    model.build()
    assert model.input_spec.shape == (1, 3)


@pytest.mark.parametrize("x", [(rows(3), Y), [rows(3), Y], {"a": rows(3), "b": Y}, (rows(3), rows(3))])
def test_several_arrays_for_a_network_of_one_input_are_an_error_before_it_is_built_too(x):
    for call in (lambda m: m.predict(x), lambda m: m.fit(x, Y, verbose=0)):
        model = Sequential([Dense(1)])
        model.compile("sgd", "mse")
        with pytest.raises(ContractError, match=r"of 2 arrays; the network has one input\.\n  Give one array"):
            call(model)
    assert Sequential([layers.Concatenate(), Dense(1)]).predict((rows(3), rows(2))).shape == (8, 1)
