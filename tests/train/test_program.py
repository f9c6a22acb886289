"""The training program: exact however it is cut, the same under vmap and on four devices, traced once."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from thalweg import data, layers, optim
from thalweg.core import ModuleNetwork
from thalweg.train.evaluate import results
from thalweg.train.program import batch_at, train_body, train_program
from thalweg.train.training import Settings, Training
from thalweg.train.weights import initial
from thalweg.types import row_spec

ROWS, FEATURES, CLASSES, BATCH = 70, 6, 3, 16


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
    y = rng.integers(0, CLASSES, ROWS).astype(np.int32)
    return jnp.asarray(x), jnp.asarray(y), None


@pytest.fixture(scope="module")
def network():
    body = [layers.Dense(8, "tanh"), layers.BatchNormalization(), layers.Dropout(0.3), layers.Dense(CLASSES, "softmax")]
    return ModuleNetwork(layers.Sequential(tuple(body)))


def begin(network, seed=0, rate=1e-2):
    spec = row_spec((FEATURES,))
    settings = Settings.of(optim.Adam(rate), "sparse_categorical_crossentropy", ["accuracy"])
    return Training.begin(network, settings, seed, spec, initial(network, seed, spec))


def bounds(first, last):
    return jnp.int32(first), jnp.int32(last)


def same(a, b):
    return all(np.array_equal(p, q) for p, q in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


def test_the_same_bits_however_an_epoch_is_cut(network, rows):
    order = jnp.asarray(data.order(ROWS, BATCH))
    ends = []
    for cuts in ([0, 5], [0, 1, 2, 3, 4, 5], [0, 3, 5]):
        s = begin(network)
        ts, tally = s.ts, s.task.tally(ROWS, s.output(row_spec((FEATURES,))))
        for first, last in itertools.pairwise(cuts):
            ts, tally, *_ = train_program(s.task)(ts, tally, rows, order, *bounds(first, last))
        ends.append((ts.params, ts.state, ts.optimizer, tally))
    assert same(ends[0], ends[1])
    assert same(ends[0], ends[2])


def test_eight_seeds_and_rates_under_vmap_equal_eight_single_runs(network, rows):
    order = jnp.asarray(data.order(ROWS, BATCH))
    runs = [begin(network, seed, 1e-3 * (seed + 1)) for seed in range(8)]
    task = begin(network).task
    tally = task.tally(ROWS, runs[0].output(row_spec((FEATURES,))))
    stack = jax.tree.map(lambda *a: jnp.stack(a), *(r.ts for r in runs))
    tallies = jax.tree.map(lambda a: jnp.stack([a] * 8), tally)
    together = jax.jit(jax.vmap(train_body(task), in_axes=(0, 0, None, None, None, None)))
    many, counted, *_ = together(stack, tallies, rows, order, *bounds(0, 5))
    alone = jax.jit(train_body(task))
    for i, r in enumerate(runs):
        one, count, *_ = alone(r.ts, tally, rows, order, *bounds(0, 5))
        for a, b in zip(jax.tree.leaves(one.params), jax.tree.leaves(many.params), strict=True):
            np.testing.assert_allclose(a, b[i], rtol=1e-4, atol=1e-5)
        mine = results(task, jax.tree.map(lambda a, i=i: a[i], counted))
        assert mine == pytest.approx(results(task, count), rel=1e-4)
    first, second = (jax.tree.leaves(jax.tree.map(lambda a, i=i: a[i], many.params)) for i in (0, 1))
    assert not all(np.allclose(a, b) for a, b in zip(first, second, strict=True))


def test_sharded_over_four_devices_equals_one(network, rows):
    order = jnp.asarray(data.order(ROWS, BATCH))
    s = begin(network)
    tally = s.task.tally(ROWS, s.output(row_spec((FEATURES,))))
    run = jax.jit(train_body(s.task))
    one, counted, *_ = run(s.ts, tally, rows, order, *bounds(0, 5))
    mesh = Mesh(np.array(jax.devices()), ("batch",))
    whole = NamedSharding(mesh, PartitionSpec())
    split = jax.device_put(order, NamedSharding(mesh, PartitionSpec(None, "batch")))
    args = jax.device_put((s.ts, tally, rows), whole)
    first, last = jax.device_put(bounds(0, 5), whole)
    assert "all-reduce" in run.lower(*args, split, first, last).compile().as_text()
    four, count, *_ = run(*args, split, first, last)
    for a, b in zip(jax.tree.leaves(one.params), jax.tree.leaves(four.params), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert results(s.task, count) == pytest.approx(results(s.task, counted), rel=1e-4)


def test_a_ragged_batch_is_filled_with_its_own_rows_and_masked(rows):
    batch = batch_at(rows, jnp.array([4, 7, 9, -1, -1], jnp.int32))
    np.testing.assert_array_equal(batch.real, [1, 1, 1, 0, 0])
    np.testing.assert_array_equal(batch.x, rows[0][jnp.array([4, 7, 9, 4, 7])])


def test_padding_changes_nothing(network, rows):
    """A batch of three rows with two of padding trains as a batch of three: dropout off, statistics over real rows."""
    plain = ModuleNetwork(layers.Sequential((layers.Dense(8, "tanh"), layers.BatchNormalization(), layers.Dense(3))))
    ends = []
    for order in ([[4, 7, 9]], [[4, 7, 9, -1, -1]]):
        s = begin(plain)
        tally = s.task.tally(3, s.output(row_spec((FEATURES,))))
        ts, tally, *_ = train_program(s.task)(s.ts, tally, rows, jnp.array(order, jnp.int32), *bounds(0, 1))
        ends.append((ts.params, ts.state, tally))
    for a, b in zip(jax.tree.leaves(ends[0]), jax.tree.leaves(ends[1]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_the_walk_ends_at_the_first_loss_that_is_not_finite(network, rows):
    x, y, _ = rows
    bad = (x.at[40].set(jnp.nan), y, None)
    order = jnp.asarray(data.order(ROWS, BATCH, shuffle=False))
    s = begin(network)
    before, *_ = train_program(s.task)(
        s.ts, s.task.tally(ROWS, s.output(row_spec((FEATURES,)))), bad, order, *bounds(0, 2)
    )
    kept = jax.tree.map(np.array, (before.params, before.state, before.optimizer))
    s = begin(network)
    ts, _, reached, finite = train_program(s.task)(
        s.ts, s.task.tally(ROWS, s.output(row_spec((FEATURES,)))), bad, order, *bounds(0, 5)
    )
    assert (int(reached), bool(finite), int(ts.step)) == (2, False, 2)
    assert same(kept, (ts.params, ts.state, ts.optimizer))
