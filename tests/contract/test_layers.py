"""The contract of a layer, held row by row. Rows stand in `rows/`; a public layer without a row fails the suite."""

import contextlib
import dataclasses
import functools
import importlib
import json
import pkgutil
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from tests.contract import rows
from tests.peers import relaxed
from thalweg import architectures, core, layers, random, tree
from thalweg.kernels import library
from thalweg.layers.cells import Cell
from thalweg.layers.multihead import MultiHead
from thalweg.layers.over_time import OverTime
from thalweg.record import from_json, to_json

BATCH = 4
COPIES = 1024
WHOLE = tuple(v for v in vars(architectures).values() if isinstance(v, type) and issubclass(v, core.Module))
MODULES = [importlib.import_module(f"{rows.__name__}.{m.name}") for m in pkgutil.iter_modules(rows.__path__)]
ROWS = [row for module in MODULES for row in module.ROWS]
ids = {row.label: row for row in ROWS}
every_row = pytest.mark.parametrize("row", ROWS, ids=list(ids))


@functools.partial(jax.jit, static_argnums=(0,), static_argnames=("train", "policy"))
def run(layer, params, state, x, key, *, train=False, policy=core.FLOAT32):
    return core.apply(layer, params, state, x, key=key, train=train, policy=policy)


@dataclasses.dataclass(frozen=True)
class Case:
    """A row ready to run: inputs, and weights moved off their first values, so that a bias of 0 hides nothing."""

    x: object
    params: dict
    state: dict

    @property
    def weights(self):
        leaves = tree.by_name(self.params) | tree.by_name(self.state.get("variables", {}))
        return {name: np.asarray(leaf, np.float64) for name, leaf in leaves.items()}


@functools.cache
def case(label):
    row = ids[label]
    rng = np.random.default_rng(zlib.crc32(label.encode()))
    x = inputs(row, rng)
    params, state = core.init(row.layer, key(1), x)
    params = moved(params, lambda shape: rng.normal(scale=0.1, size=shape))
    if "variables" in state:
        state = state | {"variables": moved(state["variables"], lambda shape: rng.uniform(0, 0.5, shape))}
    return Case(x, params, state)


def inputs(row, rng):
    def one(shape):
        shape = (BATCH, *shape[1:])
        if row.inputs == "int":
            return jnp.asarray(rng.integers(0, 10, shape), jnp.int32)
        values = rng.normal(size=shape)
        return jnp.asarray(np.abs(values) + 0.1 if row.inputs == "positive" else values, jnp.float32)

    return tuple(map(one, row.shape)) if isinstance(row.shape[0], tuple) else one(row.shape)


def moved(values, noise):
    # tree.flatten keeps the order of the layers, which Keras's weight lists need; jax.tree would sort
    return tree.unflatten((p, leaf + noise(leaf.shape).astype(leaf.dtype)) for p, leaf in tree.flatten(values))


def arrays(x, dtype=None):
    return jax.tree.map(lambda a: np.asarray(a, dtype), x)  # NumPy compiles nothing


def rows_of(x, rows):
    return jax.tree.map(lambda a: a[rows], arrays(x))


def close(actual, expected, tolerance=2e-5):
    def leaf(a, b):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)

    jax.tree.map(leaf, arrays(actual, np.float64), arrays(expected, np.float64))


@functools.cache
def key(i):
    return random.key(i)


def test_every_public_layer_has_a_row():
    public = {v for v in vars(layers).values() if isinstance(v, type) and issubclass(v, core.Module)}
    missing = public - {kind for row in ROWS for kind in (type(row.layer), *row.holds)}
    assert not missing, f"no row in tests/contract/rows for {sorted(c.__name__ for c in missing)}"
    assert len(ids) == len(ROWS), "two rows have one label; give one of them an id"


def test_every_row_has_a_twin_or_says_why_not():
    assert not [row.label for row in ROWS if row.keras is None and row.torch is None and not row.why]


@every_row
def test_init_is_a_function_of_the_key(row):
    x = case(row.label).x
    first, again, other = (tree.by_name(core.init(row.layer, key(k), x)[0]) for k in (1, 1, 2))
    drawn = [name for name, leaf in first.items() if np.unique(leaf).size > 2]  # an LSTM's bias is 0 or 1
    for name, leaf in first.items():
        np.testing.assert_array_equal(leaf, again[name])
    for name in drawn:
        assert not np.array_equal(first[name], other[name]), name


@every_row
def test_equals_the_numpy_equation(row):
    c = case(row.label)
    y, _ = run(row.layer, c.params, c.state, c.x, key(0))
    close(y, row.equation(c.weights, arrays(c.x, np.float64)), row.tolerance)
    if row.train_equation is not None:
        y, _ = run(row.layer, c.params, c.state, c.x, key(0), train=True)
        close(y, row.train_equation(c.weights, arrays(c.x, np.float64)), row.tolerance)


@every_row
def test_equals_its_keras_twin(row):
    if row.keras is None:
        pytest.skip(f"no twin in Keras: {row.why}")
    c = case(row.label)
    with relaxed():
        twin = row.keras()
        x = list(c.x) if isinstance(c.x, tuple) else c.x
        twin(x)
        if twin.weights:
            twin.set_weights([w.astype(np.float32) for w in row.keras_weights(c.weights)])
        expected = [np.asarray(v) for v in jax.tree.leaves(twin(x, training=False))]
        trained = [np.asarray(v) for v in jax.tree.leaves(twin(x, training=True))] if row.train_equation else None
    close(jax.tree.leaves(run(row.layer, c.params, c.state, c.x, key(0))[0]), expected, row.tolerance)
    if trained is not None:
        close(jax.tree.leaves(run(row.layer, c.params, c.state, c.x, key(0), train=True)[0]), trained, row.tolerance)


@pytest.mark.parametrize("row", [row for row in ROWS if row.torch], ids=[row.label for row in ROWS if row.torch])
def test_equals_its_torch_twin(row):
    torch = pytest.importorskip("torch", reason="PyTorch is an extra of its own: pip install 'thalweg[torch]'")
    c = case(row.label)
    twin = row.torch(c.weights).eval()
    if isinstance(twin, torch.nn.Module):
        twin = twin.float()
    with torch.no_grad():
        expected = twin(*(torch.from_numpy(np.array(a)) for a in jax.tree.leaves(c.x)))
    close(run(row.layer, c.params, c.state, c.x, key(0))[0], expected.numpy(), row.tolerance)


@every_row
def test_jit_equals_eager(row):
    c, train = case(row.label), not row.random
    eager = core.apply(row.layer, c.params, c.state, c.x, key=key(0), train=train)
    close(run(row.layer, c.params, c.state, c.x, key(0), train=train), eager)


@every_row
def test_vmap_over_models_equals_a_loop(row):
    c, train = case(row.label), not row.random
    models = jax.tree.map(lambda a: np.stack([a, (a * 0.5).astype(a.dtype)]), arrays((c.params, c.state, c.x)))
    many = jax.vmap(lambda model: run(row.layer, *model, key(0), train=train))(models)
    for i in range(2):
        close(rows_of(many, i), run(row.layer, *rows_of(models, i), key(0), train=train))


@every_row
def test_scan_over_steps_traces_once_and_equals_a_loop(row):
    c, traces = case(row.label), []

    @jax.jit
    def steps(params, state, seed):
        def step(state, i):
            traces.append(i)
            y, state = core.apply(row.layer, params, state, c.x, key=random.fold(seed, i), train=True)
            return state, y

        return jax.lax.scan(step, state, jnp.arange(2))

    steps(c.params, c.state, key(1))
    _, ys = steps(c.params, c.state, key(0))
    assert len(traces) == 1
    state = c.state
    for i in range(2):
        y, state = run(row.layer, c.params, state, c.x, random.fold(key(0), i), train=True)
        close(rows_of(ys, i), y)


@every_row
def test_gradients_equal_finite_differences(row):
    if not row.differentiable:
        pytest.skip("its derivative is 0 or undefined")
    c, rng, eps = case(row.label), np.random.default_rng(0), 1e-6
    with jax.enable_x64(True):
        params, state, x = jax.tree.map(wide, arrays((c.params, c.state, c.x)))
        given = (params, None) if row.inputs == "int" else (params, x)
        spec = jax.eval_shape(lambda: run(row.layer, params, state, x, key(0), policy=core.FLOAT64)[0])
        weights = jax.tree.map(lambda a: rng.normal(size=a.shape), spec)

        @jax.jit
        @jax.value_and_grad
        def scalar(given):
            inputs = x if given[1] is None else given[1]
            y, _ = run(row.layer, given[0], state, inputs, key(0), train=not row.random, policy=core.FLOAT64)
            return sum(jax.tree.leaves(jax.tree.map(lambda a, w: (a * w).sum(), y, weights)))

        gradient = jax.tree.leaves(arrays(scalar(given)[1]))
        leaves, structure = jax.tree.flatten(given)
        for i, leaf in enumerate(leaves):
            direction = rng.normal(size=leaf.shape)
            ends = ([*leaves[:i], leaf + e * direction, *leaves[i + 1 :]] for e in (eps, -eps))
            up, down = (float(scalar(jax.tree.unflatten(structure, end))[0]) for end in ends)
            expected = (up - down) / (2 * eps)
            np.testing.assert_allclose((gradient[i] * direction).sum(), expected, rtol=1e-5, atol=1e-7, err_msg=str(i))


def wide(a):
    return a.astype(np.float64) if a.dtype == np.float32 else a


@every_row
def test_bfloat16_is_near_float32(row):
    c = case(row.label)
    y32, _ = run(row.layer, c.params, c.state, c.x, key(0))
    y16, state = run(row.layer, c.params, c.state, c.x, key(0), policy=core.BFLOAT16)
    scale = max(1.0, *(np.abs(a).max() for a in jax.tree.leaves(arrays(y32))))
    close(*jax.tree.map(lambda a: a / scale, arrays((y16, y32))), 0.04)
    assert all(a.dtype == np.float32 for a in jax.tree.leaves((y16, state)) if jnp.issubdtype(a.dtype, jnp.floating))


@functools.partial(jax.jit, static_argnums=(0,), static_argnames=("native", "train", "policy"))
def gradient(layer, params, state, x, share, seed, *, native, train=True, policy=core.BFLOAT16):
    """The gradient of the parameters, of rows that count by their share; what reaches the output is all positive."""

    def weighted(y):
        pattern = 1 + np.cos(np.indices(y.shape[1:]).sum(0)[None]) / 2
        return jnp.sum(y * pattern.astype(np.float32) * share.reshape(-1, *[1] * (y.ndim - 1)))

    def loss(params):
        y, _ = core.apply(layer, params, state, x, key=seed, train=train, policy=policy)
        return sum(map(weighted, jax.tree.leaves(y)))

    with contextlib.nullcontext() if native else library.formulas():
        return jax.grad(loss)(params)


# a whole architecture's parameters are those of its layers, which have rows of their own
SINGLE = [row for row in ROWS if row.differentiable and not isinstance(row.layer, WHOLE)]


@pytest.mark.parametrize("row", SINGLE, ids=[row.label for row in SINGLE])
def test_a_gradient_in_bfloat16_is_summed_in_float32(row):
    c = case(row.label)
    if not c.params:
        pytest.skip("it has no parameters")
    x = jax.tree.map(lambda a: np.repeat(a[:1], COPIES, axis=0), arrays(c.x))
    every, first = np.ones(COPIES, np.float32), np.eye(1, COPIES, dtype=np.float32)[0]
    # recurrence in bfloat16 is JAX alone, and what has layers inside has their kernels
    formula = isinstance(row.layer, OverTime | Cell) or any(True for _ in core.children(row.layer))
    for native in (False,) if formula else (False, True):
        given = functools.partial(gradient, row.layer, c.params, c.state, x, native=native, train=not row.random)
        total, one = (tree.by_name(arrays(given(share, key(0)), np.float64)) for share in (every, first))
        for name, sums in total.items():
            bound = 2**-7 * np.abs(sums).max()  # each is rounded once; a sum in bfloat16 ends at 256 rows
            np.testing.assert_allclose(sums, COPIES * one[name], rtol=0, atol=bound, err_msg=f"{name} {native=}")


OVER_TIME = [row for row in ROWS if isinstance(row.layer, OverTime)]


@pytest.mark.parametrize("row", OVER_TIME, ids=[row.label for row in OVER_TIME])
def test_a_gradient_in_bfloat16_is_summed_in_float32_over_time(row):
    c, steps = case(row.label), 1000
    x = np.random.default_rng(0).normal(size=(2, steps, *row.shape[2:])).astype(np.float32)
    narrow, wide = (
        tree.by_name(gradient(row.layer, c.params, c.state, x, np.ones(2, np.float32), key(0), native=True, **how))
        for how in ({"train": False}, {"train": False, "policy": core.FLOAT32})
    )
    for name, expected in wide.items():
        error = np.linalg.norm(narrow[name] - expected) / np.linalg.norm(expected)
        assert error < 2**-5, f"{name} {error}"  # a step's own roundings, 2**-8 each, go on for a few steps


# attention of several heads knows a sequence that attends to itself by identity, and so takes it as it is
AS_THEY_ARE = [
    row
    for row in SINGLE
    if row.inputs != "int" and not row.layer.casts and not isinstance(row.layer, MultiHead | layers.StackedRNNCells)
]


@pytest.mark.parametrize("row", AS_THEY_ARE, ids=[row.label for row in AS_THEY_ARE])
def test_pixels_are_numbers(row):
    """Data in one byte stays so until a layer computes, where the sum of 200 and 100 is no 44."""
    c = case(row.label)
    pixels = jax.tree.map(lambda a: np.clip(np.abs(a) * 128, 0, 255).astype(np.uint8), arrays(c.x))
    floats = jax.tree.map(lambda a: a.astype(np.float32), pixels)
    with relaxed():
        got, expected = (arrays(run(row.layer, c.params, c.state, x, key(0))[0], np.float64) for x in (pixels, floats))
    close(got, expected)


@every_row
def test_round_trip_through_text(row):
    c = case(row.label)
    stored = from_json(json.loads(json.dumps(to_json(row.layer))), layers.ALLOWED)
    written = eval(repr(row.layer), dict(layers.ALLOWED))
    y, _ = run(row.layer, c.params, c.state, c.x, key(0))
    for copy in (stored, written):
        assert copy == row.layer
        assert hash(copy) == hash(row.layer)
        jax.tree.map(np.testing.assert_array_equal, run(copy, c.params, c.state, c.x, key(0))[0], y)


@every_row
def test_a_batch_of_one(row):
    c = case(row.label)
    y, _ = run(row.layer, c.params, c.state, c.x, key(0))
    one, _ = run(row.layer, c.params, c.state, rows_of(c.x, slice(1)), key(0))
    close(one, rows_of(y, slice(1)))


@every_row
def test_sharded_over_four_devices_equals_one(row):
    c = case(row.label)
    mesh = Mesh(np.array(jax.devices()[:4]), ("batch",))
    split, whole = NamedSharding(mesh, PartitionSpec("batch")), NamedSharding(mesh, PartitionSpec())
    params, state, x, seed = jax.device_put((c.params, c.state, c.x, key(0)), (whole, whole, split, whole))
    expected = run(row.layer, c.params, c.state, c.x, key(0), train=True)
    close(run(row.layer, params, state, x, seed, train=True), expected)
