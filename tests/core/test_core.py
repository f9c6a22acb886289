"""The core's contracts, held with small modules of our own."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import core, random, tree
from thalweg.core import Capture, Module
from thalweg.errors import ContractError
from thalweg.ops.initializers import Constant, GlorotUniform, Ones, Zeros
from thalweg.ops.regularizers import L2

X = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)
KEY = random.key(0)


class Linear(Module):
    units: int
    activation: str | None = None
    l2: float | None = None

    axes = "batch features"
    casts = True

    def __call__(self, cx, x):
        w = cx.param(
            "w", GlorotUniform(), (x.shape[-1], self.units), regularizer=None if self.l2 is None else L2(self.l2)
        )
        b = cx.param("b", Zeros(), (self.units,))
        y = x @ w + b[None]
        return jnp.tanh(y) if self.activation == "tanh" else y

    def remedy(self, previous):
        return f"Write Flat() after {type(previous).__name__}" if previous else ""


class Chain(Module):
    layers: tuple = ()

    def __call__(self, cx, x):
        for layer in self.layers:
            x = layer(cx, x)
        return x

    def outlet(self):
        return ("layers", str(len(self.layers) - 1)) if self.layers else None


class Pair(Module):
    left: Module
    right: Module

    def __call__(self, cx, x):
        return self.left(cx, x) + self.right(cx, x)


class Noise(Module):
    rate: float = 0.5

    def __call__(self, cx, x):
        if not cx.train:
            return x
        return x * random.bernoulli(cx.key(), 1 - cx.hyper("rate", self.rate), x.shape).astype(x.dtype)


class Counter(Module):
    """Adds how often it was called to its input, and penalises what it sees."""

    def __call__(self, cx, x):
        count = cx.variable("count", Zeros(), ())
        cx.update("count", count + 1)
        return x + count.astype(x.dtype)


def made(module, x=X, policy=core.FLOAT32):
    return core.init(module, KEY, x, policy=policy)


def plain(values):
    return jax.tree.map(np.asarray, values)


# Paths and keys


def test_parameters_stand_at_the_paths_of_fields_in_the_order_of_the_calls():
    params, state = made(Chain([Linear(5), Pair(Linear(2), Linear(2))]))
    names = {name: leaf.shape for name, leaf in tree.by_name(params).items()}
    assert names == {
        "layers.0.w": (3, 5), "layers.0.b": (5,), "layers.1.left.w": (5, 2), "layers.1.left.b": (2,),
        "layers.1.right.w": (5, 2), "layers.1.right.b": (2,),
    }  # fmt: skip
    assert list(names) == list(tree.by_name(params))
    assert state == {}


def test_adding_a_layer_moves_no_other_layers_numbers():
    short, _ = made(Chain([Linear(5), Linear(2)]))
    long, _ = made(Chain([Linear(5), Linear(2), Linear(7)]))
    for name, leaf in tree.by_name(short).items():
        np.testing.assert_array_equal(leaf, tree.by_name(long)[name])
    params = plain(short)["layers"]
    assert not np.array_equal(params["0"]["w"][:2, :2], params["1"]["w"][:2, :2])


def test_init_takes_shapes_for_arrays():
    spec = jax.ShapeDtypeStruct((1, 3), jnp.float32)
    for one, two in zip(jax.tree.leaves(made(Linear(2), spec)), jax.tree.leaves(made(Linear(2))), strict=True):
        np.testing.assert_array_equal(one, two)


def test_apply_computes_the_equation():
    module = Chain([Linear(5, "tanh"), Linear(2)])
    params, state = made(module)
    y, new = core.apply(module, params, state, X)
    p = plain(params)["layers"]
    np.testing.assert_allclose(
        y, np.tanh(X @ p["0"]["w"] + p["0"]["b"][None]) @ p["1"]["w"] + p["1"]["b"][None], rtol=1e-5
    )
    assert new == {}


def test_walk_children_and_replace_at():
    module = Chain([Linear(5), Pair(Linear(2), Linear(3))])
    assert [(".".join(p), type(m).__name__) for p, m in core.walk(module)] == [
        ("", "Chain"), ("layers.0", "Linear"), ("layers.1", "Pair"),
        ("layers.1.left", "Linear"), ("layers.1.right", "Linear"),
    ]  # fmt: skip
    assert [p for p, _ in core.children(module)] == [("layers", "0"), ("layers", "1")]
    changed = core.replace_at(module, ("layers", "1", "right"), Linear(9))
    assert changed == Chain([Linear(5), Pair(Linear(2), Linear(9))])
    assert core.replace_at(module, (), Linear(1)) == Linear(1)
    with pytest.raises(KeyError, match=r"layers\.7"):
        core.replace_at(module, ("layers", "7"), Linear(1))


def test_split_activation_keeps_the_paths():
    module = Chain([Linear(5, "tanh"), Chain([Linear(2, "tanh")])])
    logits, activation = core.split_activation(module)
    assert activation == "tanh"
    assert logits == Chain([Linear(5, "tanh"), Chain([Linear(2)])])
    params, state = made(module)
    np.testing.assert_allclose(
        jnp.tanh(core.apply(logits, params, state, X)[0]), core.apply(module, params, state, X)[0], rtol=1e-6
    )
    for module in (Chain([Linear(2)]), Chain(), Pair(Linear(2, "tanh"), Linear(2, "tanh"))):
        assert core.split_activation(module) == (module, None)


# State: variables, hyper, penalty, rows


def test_variables_are_read_written_and_returned():
    module = Chain([Counter(), Linear(2)])
    params, state = made(module)
    _, once = core.apply(module, params, state, X)
    y, twice = core.apply(module, params, once, X)
    assert [s["variables"]["layers"]["0"]["count"].item() for s in (state, once, twice)] == [0, 1, 2]
    expected, _ = core.apply(Linear(2), params["layers"]["1"], {}, X + 1)
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_hyper_is_read_from_the_state_without_recompiling():
    traces = []

    @jax.jit
    def run(state):
        traces.append(0)
        return core.apply(Noise(0.5), {}, state, jnp.ones((100, 100)), key=KEY, train=True)[0]

    _, state = made(Noise(0.5))
    assert state["hyper"]["rate"] == 0.5
    shares = [float(run({"hyper": {"rate": jnp.float32(rate)}}).mean()) for rate in (0.1, 0.5, 1.0)]
    np.testing.assert_allclose(shares, [0.9, 0.5, 0.0], atol=0.02)
    assert len(traces) == 1
    without, _ = core.apply(Noise(0.5), {}, {}, jnp.ones((100, 100)), key=KEY, train=True)
    assert without.mean() == shares[1]


def test_penalty_is_the_sum_of_the_regularizers():
    module = Chain([Linear(5, l2=0.1), Linear(2, l2=0.01)])
    params, state = made(module)
    assert state["penalty"] == 0
    _, new = core.apply(module, params, state, X)
    p = plain(params)["layers"]
    np.testing.assert_allclose(
        new["penalty"], 0.1 * (p["0"]["w"] ** 2).sum() + 0.01 * (p["1"]["w"] ** 2).sum(), rtol=1e-5
    )
    assert "penalty" not in made(Linear(2))[1]


def test_rows_are_seen_and_not_returned():
    class Mean(Module):
        def __call__(self, cx, x):
            return x if cx.rows is None else x * cx.rows[:, None]

    y, state = core.apply(Mean(), {}, {"rows": jnp.array([1.0, 1, 0, 0])}, X)
    np.testing.assert_array_equal(y[2:], 0)
    np.testing.assert_array_equal(y[:2], X[:2])
    assert state == {}


def test_frozen_modules_mark_their_slots():
    frozen = dataclasses.replace(Pair(Linear(2), Linear(2)), trainable=False)
    call, _ = core.trace(Chain([Linear(3), frozen]), X)
    assert {".".join(p): s.trainable for p, s in call.slots.items() if p[-1] == "w"} == {
        "layers.0.w": True, "layers.1.left.w": False, "layers.1.right.w": False,
    }  # fmt: skip


# Randomness


def test_each_module_and_each_call_draws_its_own_numbers():
    class Twice(Module):
        noise: Module = Noise()

        def __call__(self, cx, x):
            return self.noise(cx, x), self.noise(cx, x)

    x = jnp.ones((20, 20))
    a, b = core.apply(Twice(), {}, {}, x, key=KEY, train=True)[0]
    c, d = core.apply(Chain([Pair(Noise(), Noise()), Twice()]), {}, {}, x, key=random.key(1), train=True)[0]
    assert len({np.asarray(v).tobytes() for v in (a, b, c, d)}) == 4
    again = core.apply(Twice(), {}, {}, x, key=KEY, train=True)[0]
    np.testing.assert_array_equal(again[0], a)


def test_drawing_without_a_key_is_an_error():
    with pytest.raises(ContractError, match=r"layers.0 Noise\(\) draws random numbers in training"):
        core.apply(Chain([Noise()]), {}, {}, X, train=True)
    core.apply(Chain([Noise()]), {}, {}, X)


# Capture


def test_capture_records_activations_by_path():
    module = Chain([Linear(5), Chain([Linear(2)])])
    params, state = made(module)
    capture = Capture()
    y, _ = core.apply(module, params, state, X, capture=capture)
    assert list(capture.activations) == ["layers.0", "layers.1.layers.0", "layers.1", ""]
    first, _ = core.apply(Linear(5), params["layers"]["0"], {}, X)
    np.testing.assert_allclose(capture.activations["layers.0"], first, rtol=1e-6)
    np.testing.assert_array_equal(capture.activations[""], y)


def test_a_perturbation_reads_the_gradient_that_reaches_an_output():
    """dL/dh for L = sum((h W + b)^2) is 2 (h W + b) W^T."""
    module = Chain([Linear(5), Linear(2)])
    params, state = made(module)

    def loss(nudge):
        y, _ = core.apply(module, params, state, X, capture=Capture({"layers.0": nudge}))
        return (y**2).sum()

    gradient = jax.grad(loss)(jnp.zeros((4, 5)))
    y, _ = core.apply(module, params, state, X)
    np.testing.assert_allclose(gradient, 2 * y @ params["layers"]["1"]["w"].T, rtol=1e-5)


def test_a_layer_called_again_is_captured_again():
    class Twice(Module):
        layer: Module

        def __call__(self, cx, x):
            return self.layer(cx, self.layer(cx, x))

    module = Twice(Linear(3))
    params, state = made(module)
    capture = Capture()
    y, _ = core.apply(module, params, state, X, capture=capture)
    assert list(capture.activations) == ["layer", "layer'", ""]
    np.testing.assert_array_equal(capture.activations["layer'"], y)
    assert tree.size(params) == 12


# Errors


def test_a_wrong_rank_names_the_layer_its_source_the_remedy_and_the_path_of_shapes():
    class Stack(Module):
        def __call__(self, cx, x):
            return jnp.stack([x, x], axis=1)

    with pytest.raises(ContractError) as error:
        made(Chain([Linear(5), Stack(), Linear(2)]))
    assert str(error.value).split("\n-----")[0] == (
        "layers.2 Linear(2) needs [batch, features]; it received [batch, 2, 5] from layers.1 Stack().\n"
        "  Write Flat() after Stack for layers.1.\n"
        "  The path of shapes so far:\n"
        "    layers.0       Linear(5): [batch, 3] -> [batch, 5]\n"
        "    layers.1       Stack(): [batch, 5] -> [batch, 2, 5]"
    )


def test_what_does_not_fit_inside_a_layer_names_it():
    with pytest.raises(ContractError, match=r"(?s)the network Pair.* does not fit its input \[batch, 3\]: .*shape"):
        made(Pair(Linear(2), Linear(3)))


def test_a_child_that_is_no_field():
    class Hidden(Module):
        def __call__(self, cx, x):
            return Linear(2)(cx, x)

    with pytest.raises(ContractError, match=r"Linear\(2\) is called inside the network Hidden, but is not one"):
        made(Hidden())


def test_one_object_at_two_places():
    layer = Linear(3)
    with pytest.raises(ContractError, match=r"the same object Linear\(3\) stands at layers.0 and layers.1"):
        made(Chain([layer, layer]))
    made(Chain([Linear(3), Linear(3)]))


def test_parameters_of_another_network():
    params, state = made(Linear(2))
    with pytest.raises(ContractError, match=r"no array 'layers.0.w' was given for Linear\(2\)"):
        core.apply(Chain([Linear(2)]), params, state, X)
    with pytest.raises(ContractError, match=r"w of Linear\(2\) must have shape \(7, 2\); it has \(3, 2\)"):
        core.apply(Linear(2), params, state, jnp.ones((4, 7)))


def test_a_module_called_on_an_array():
    with pytest.raises(TypeError, match=r"Linear\(2\) was called with ArrayImpl. A module holds no arrays"):
        Linear(2)(X)


# Precision


def test_bfloat16_computes_low_and_keeps_high():
    seen = []

    class Look(Module):
        def __call__(self, cx, x):
            seen.append((x.dtype.name, cx.variable("v", Ones(), ()).dtype.name))
            return x

    module = Chain([Linear(5, l2=0.1), Look()])
    params, state = made(module, policy=core.BFLOAT16)
    y, state = core.apply(module, params, state, X, policy=core.BFLOAT16)
    assert set(seen) == {("bfloat16", "float32")}
    assert {a.dtype.name for a in jax.tree.leaves((params, state, y))} == {"float32"}

    def loss(p):
        return (core.apply(module, p, state, X, policy=core.BFLOAT16)[0] ** 2).sum()

    exact = jax.grad(lambda p: (core.apply(module, p, state, X)[0] ** 2).sum())(params)
    for low, high in zip(jax.tree.leaves(jax.grad(loss)(params)), jax.tree.leaves(exact), strict=True):
        assert low.dtype == jnp.float32
        np.testing.assert_allclose(low, high, rtol=0.05, atol=0.05)


def test_float64():
    policy = core.policy("float64")
    with policy.scope():
        x = jnp.asarray(X, jnp.float64)
        params, state = made(Linear(2), x, policy)
        y, _ = core.apply(Linear(2), params, state, x, policy=policy)
        assert y.dtype == params["w"].dtype == jnp.float64


def test_numpy_arrays_become_arrays_of_the_device():
    class Look(Module):
        def __call__(self, cx, x):
            assert isinstance(x, jax.Array)
            return x

    y, _ = core.apply(Look(), {}, {}, np.asarray(X, np.float64))
    np.testing.assert_array_equal(y, X)
    assert y.dtype == jnp.float32


def test_integers_are_cast_where_they_are_numbers():
    pixels = jnp.asarray([[0, 128, 255]], jnp.uint8)
    params, state = made(Linear(2), pixels)
    y, _ = core.apply(Linear(2), params, state, pixels)
    np.testing.assert_allclose(y, core.apply(Linear(2), params, state, pixels.astype(jnp.float32))[0])
    assert core.apply(Chain(), {}, {}, pixels)[0].dtype == jnp.uint8


# pure


class Recur(Module):
    """h_t = cell(x_t + h_{t-1}) by scan, over x: [time, batch, features]."""

    cell: Module

    def __call__(self, cx, x):
        step, params, variables = cx.pure(self.cell, x[0])
        seed = cx.key() if cx.train else None

        def body(carry, inputs):
            h, variables = carry
            i, x = inputs
            key = None if seed is None else random.fold(seed, i)
            h, variables = step(params, variables, key, x + h)
            return (h, variables), h

        (_, variables), hs = jax.lax.scan(body, (jnp.zeros_like(x[0]), variables), (jnp.arange(len(x)), x))
        cx.keep(self.cell, variables)
        return hs


SEQUENCE = jnp.asarray(np.random.default_rng(1).normal(size=(3, 4, 3)), jnp.float32)


def test_pure_inside_scan_shares_parameters():
    module = Recur(Linear(3, "tanh"))
    params, state = made(module, SEQUENCE)
    assert list(tree.by_name(params)) == ["cell.w", "cell.b"]
    hs, _ = core.apply(module, params, state, SEQUENCE)
    h = jnp.zeros((4, 3))
    for x, expected in zip(SEQUENCE, hs, strict=True):
        h, _ = core.apply(module.cell, params["cell"], {}, x + h)
        np.testing.assert_allclose(h, expected, rtol=1e-5)


def test_pure_inside_scan_draws_a_number_for_each_step():
    module = Recur(Noise(0.5))
    x = jnp.ones((2, 10, 10))
    _, state = made(module, x)
    (first, second), _ = core.apply(module, {}, state, x, key=KEY, train=True)
    assert 0.2 < first.mean() < 0.8
    assert not np.array_equal(np.asarray(first) > 0, np.asarray(second) > 0)
    off = {"hyper": {"cell": {"rate": jnp.float32(0)}}}
    (first, second), _ = core.apply(module, {}, off, x, key=KEY, train=True)
    np.testing.assert_array_equal(second, 2 * np.ones((10, 10)))


def test_pure_counts_weight_penalties_once():
    module = Recur(Linear(3, "tanh", l2=0.1))
    params, state = made(module, SEQUENCE)
    _, new = core.apply(module, params, state, SEQUENCE)
    np.testing.assert_allclose(new["penalty"], 0.1 * (np.asarray(params["cell"]["w"]) ** 2).sum(), rtol=1e-5)


def test_pure_carries_variables_and_keep_writes_them_back():
    module = Recur(Counter())
    _, state = made(module, SEQUENCE)
    hs, new = core.apply(module, {}, state, SEQUENCE)
    assert new["variables"]["cell"]["count"] == 3
    h = np.zeros((4, 3))
    for i, x in enumerate(SEQUENCE):
        h = np.asarray(x) + h + i
        np.testing.assert_allclose(hs[i], h, rtol=1e-5)


def test_pure_refuses_an_activity_penalty():
    class Eager(Module):
        def __call__(self, cx, x):
            cx.penalty((x**2).sum())
            return x

    with pytest.raises(ContractError, match=r"penalty of Eager\(\) arises inside a loop"):
        core.apply(Recur(Eager()), {}, {}, SEQUENCE)


# Networks


def test_a_module_network_is_the_protocol():
    network = core.ModuleNetwork(Chain([Linear(5), Linear(2, "tanh")]))
    assert isinstance(network, core.Network)
    assert hash(network) == hash(core.ModuleNetwork(Chain([Linear(5), Linear(2, "tanh")])))
    params, state = network.init(KEY, X)
    logits, _ = network.apply(params, state, X, key=None, train=False)
    assert network.activation == "tanh"
    np.testing.assert_allclose(jnp.tanh(logits), core.apply(network.module, params, state, X)[0], rtol=1e-6)
    assert [".".join(s.path) for s in network.slots(X)] == ["layers.0.w", "layers.0.b", "layers.1.w", "layers.1.b"]
    assert list(network.observe(params, state, X)) == ["layers.0", "layers.1", ""]


def test_a_constant_starts_where_it_says():
    class Scale(Module):
        def __call__(self, cx, x):
            return x * cx.param("scale", Constant(3.0), ())

    params, state = made(Scale())
    np.testing.assert_allclose(core.apply(Scale(), params, state, X)[0], 3 * X)
