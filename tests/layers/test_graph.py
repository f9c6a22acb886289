import json

import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import core, layers, random, tree
from thalweg.errors import ConfigError, ContractError
from thalweg.layers import LSTM, Add, Dense, Graph, Input, Port, Sequential, add, concatenate, graph, is_node
from thalweg.record import from_json, to_json

A, B = jnp.arange(6.0).reshape(2, 3), jnp.ones((2, 3))


def computed(network, x, params=None):
    first, state = core.init(network, random.key(0), x)
    return core.apply(network, params or first, state, x)[0], first


def test_a_layer_called_twice_shares_its_weights():
    a, b, shared = Input((3,)), Input((3,)), Dense(2)
    network = graph([a, b], [shared(a), shared(b)])
    (left, right), params = computed(network, (A, B))
    w = {name: np.asarray(value) for name, value in params["layers"]["0"].items()}
    assert list(params["layers"]) == ["0"]
    np.testing.assert_allclose(left, np.asarray(A) @ w["kernel"] + w["bias"], rtol=1e-5)
    np.testing.assert_allclose(right, np.asarray(B) @ w["kernel"] + w["bias"], rtol=1e-5)


def test_operators_are_layers():
    a, b = Input((3,)), Input((3,))
    y, _ = computed(graph([a, b], (a + b) * a - b), (A, B))
    np.testing.assert_allclose(y, (A + B) * A - B)
    with pytest.raises(TypeError, match="unsupported operand"):
        a + 1


def test_layers_stand_in_the_order_in_which_they_were_called():
    x = Input((3,))
    first = Dense(1)(x)
    second, third = Dense(2)(x), Dense(3)(x)
    network = graph(x, concatenate([third, second, first]))
    assert [getattr(layer, "units", None) for layer in network.layers] == [1, 2, 3, None]


def test_inputs_and_outputs_by_name():
    a, b = Input((3,)), Input((3,))
    network = graph({"left": a, "right": b}, {"sum": a + b, "same": a})
    y, _ = computed(network, {"right": B, "left": A})
    assert set(y) == {"sum", "same"}
    np.testing.assert_allclose(y["sum"], A + B)
    np.testing.assert_allclose(y["same"], A)
    in_order, _ = computed(network, (A, B))
    np.testing.assert_allclose(in_order["sum"], A + B)
    with pytest.raises(ContractError, match=r"has an input 'right', which is not given.\n  Did you mean 'rihgt'"):
        computed(network, {"left": A, "rihgt": B})


def test_a_graph_inside_a_graph():
    a, b = Input((3,)), Input((3,))
    inner = graph([a, b], a - b)
    c = Input((3,))
    outer = graph(c, inner([c, inner([c, c])]))
    y, _ = computed(outer, A)
    np.testing.assert_allclose(y, A - (A - A))
    assert len(outer.layers) == 1


def test_a_graph_is_data():
    a, b = Input((3,), name="a"), Input((3,), "int32", "b")
    shared = Dense(2, "relu")
    network = graph([a, b], {"y": Add()([shared(a), shared(b)])})
    assert from_json(json.loads(json.dumps(to_json(network))), layers.ALLOWED) == network
    assert eval(repr(network), dict(layers.ALLOWED)) == network
    assert hash(eval(repr(network), dict(layers.ALLOWED))) == hash(network)
    assert network.inputs == (Port((3,), name="a"), Port((3,), "int32", "b"))
    assert network.wiring == ((0, (0,)), (0, (1,)), (1, ((2, 3),)))


def test_input_spec_is_one_row_of_each_input():
    a = Input((None, 3))
    assert graph(a, Dense(1)(a)).input_spec.shape == (1, 32, 3)
    b = Input((), "int32")
    specs = graph([a, b], [a, b]).input_spec
    assert [(s.shape, s.dtype.name) for s in specs] == [((1, 32, 3), "float32"), ((1,), "int32")]


def test_outlet_is_the_layer_of_the_only_output():
    x = Input((3,))
    end = Dense(1, "sigmoid")
    network = graph(x, end(Dense(3)(x)))
    assert network.outlet() == ("layers", "1")
    logits, activation = core.split_activation(network)
    assert activation == "sigmoid"
    assert logits.layers[1] == Dense(1)
    twice = Dense(3, "relu")
    assert graph(x, twice(twice(x))).outlet() is None
    assert graph(x, [end(x)]).outlet() is None
    assert graph(x, x).outlet() is None


def test_a_layer_of_several_outputs_and_inputs_is_unpacked_and_wired_by_name():
    x = Input((None, 3))
    _, h, c = LSTM(2, return_state=True)(x)
    network = graph(x, LSTM(2)(x, initial_state=[h, c]))
    params, state = core.init(network, random.key(0), network.input_spec)
    sequence = jnp.sin(jnp.arange(24.0)).reshape(2, 4, 3)
    y, _ = core.apply(network, params, state, sequence)
    first, second = LSTM(2, return_state=True), LSTM(2)
    encoder, decoder = params["layers"]["0"], params["layers"]["3"]
    (_, h, c), _ = core.apply(first, encoder, {}, sequence)
    expected, _ = core.apply(graph((a := Input((4, 3)), s := Input((2,)), t := Input((2,))), second(a, [s, t])),
                             {"layers": {"0": decoder}}, {}, (sequence, h, c))  # fmt: skip
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_is_node():
    x = Input((3,))
    assert is_node(x)
    assert is_node([x])
    assert is_node({"a": x})
    assert not is_node(A)
    assert not is_node([A, None])


def test_what_cannot_be_wired():
    a, b = Input((3,)), Input((3,), name="b")
    with pytest.raises(ContractError, match=r"the outputs need Port\(\(3,\), name='b'\), which is not among"):
        graph(a, add([a, b]))
    with pytest.raises(ContractError, match=r"no output depends on the input Port\(\(3,\), name='b'\)"):
        graph([a, b], Dense(1)(a))
    with pytest.raises(ContractError, match="a graph's inputs are made by Input"):
        graph(Dense(1)(a), Dense(2)(a))
    with pytest.raises(ContractError, match="a graph is made of nodes; it received 3"):
        graph(a, [Dense(1)(a), 3])
    with pytest.raises(ContractError, match=r"Dense\(1\): got an unexpected keyword argument 'mask'"):
        Dense(1)(a, mask=b)
    with pytest.raises(ContractError, match=r"<node of Dense\(1\)> is one array, which cannot be unpacked"):
        _, _ = Dense(1)(a)
    inner = Dense(3)
    with pytest.raises(ContractError, match=r"Dense\(3\) stands inside two modules of the graph"):
        graph(a, Sequential([inner])(inner(a)))


@pytest.mark.parametrize(
    ("wiring", "outputs"), [(((0, (1,)),), 1), (((1, (0,)),), 1), (((0, (0,)),), 2), (((0, (-1,)),), 1)]
)
def test_wiring_that_names_what_is_not_there_is_refused(wiring, outputs):
    with pytest.raises(ConfigError, match="Write graph"):
        Graph((Port((3,)),), (Dense(1),), wiring, outputs)


@pytest.mark.parametrize("wiring", [[[0]], [["Dense", [0]]], [[0, 0, 0]]])
def test_a_stored_graph_that_is_none_is_refused(wiring):
    x = Input((3,))
    data = to_json(graph(x, Dense(1)(x))) | {"wiring": wiring}
    with pytest.raises(ConfigError, match="the stored Graph does not fit this version"):
        from_json(data, layers.ALLOWED)


def test_what_does_not_fit_an_input():
    a, b = Input((None, 3), name="a"), Input((3,))
    network = graph([a, b], [a, b])
    x = jnp.zeros((2, 5, 3))
    computed(network, (x, A))
    with pytest.raises(ContractError, match=r"input 1 of the network needs \[batch, 3\]; it received \[2, 4\]"):
        computed(network, (x, jnp.zeros((2, 4))))
    with pytest.raises(ContractError, match=r"input a of the network needs \[batch, any, 3\]; it received \[2, 3\]"):
        computed(network, (A, A))
    with pytest.raises(ContractError, match="has 2 inputs; it received 1"):
        computed(network, A)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(2, kernel_regularizer="l2"),
        layers.RNN(layers.GRUCell(2, kernel_regularizer="l2")),
        layers.MultiHeadAttention(1, 2, kernel_regularizer="l2"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_layer_that_is_called_twice_has_one_penalty(layer):
    a, b = layers.Input((4, 3)), layers.Input((4, 3))
    network = layers.graph([a, b], layers.add([layer(a), layer(b)]))
    x = (jnp.ones((2, 4, 3)),) * 2
    params, state = core.init(network, random.key(0), x)
    _, state = core.apply(network, params, state, x, train=True, key=random.key(0))
    kernels = [w for name, w in tree.by_name(params).items() if name.endswith("kernel") and "recurrent" not in name]
    np.testing.assert_allclose(state["penalty"], 0.01 * sum(np.sum(np.square(w)) for w in kernels), rtol=1e-5)
