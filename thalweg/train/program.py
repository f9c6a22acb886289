"""Programs: many steps compiled as one, so that between dispatches the host costs nothing.

`train` walks rows `first` to `last` of the epoch's order, a batch a row. Both bounds are numbers given at run time, not
part of the program: however the host cuts an epoch into chunks, the same instructions run, and the same bits come out.
The walk ends early at the first step whose loss is not finite, and its end says whether all else is.

Data lies on the device once; each step gathers its rows by index. An index of -1 is padding: a last ragged batch is
filled up with rows of its own, and `real` masks them, so there is one trace for all batches.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from thalweg import compilation
from thalweg.core import Network
from thalweg.train.divergence import sound
from thalweg.train.task import Batch, Task, TrainState, applied, ending, penalty
from thalweg.types import Array, Tree

TRACES: dict[str, int] = {"train": 0, "evaluate": 0, "predict": 0}
"""How often each program has been traced in this process; the tests count with it."""


def batch_at(data: tuple[Tree, Tree, Array | None], index: Array) -> Batch:
    """The rows of `data` at `index` [batch], where -1 is padding."""
    real = index >= 0
    count = jnp.maximum(jnp.sum(real, dtype=index.dtype), 1)
    position = jax.lax.iota(index.dtype, index.shape[0])
    filled = jnp.where(real, index, index[position % count])
    x, y, weight = jax.tree.map(lambda a: jnp.take(a, filled, axis=0, mode="clip"), data)
    return Batch(x, y, weight, real.astype(jnp.float32))


def train_body(task: Task) -> Callable[..., tuple[TrainState, Tree, Array, Array]]:
    """The training program as a plain function, to be compiled, mapped over states, or sharded."""

    def run(
        ts: TrainState, tally: Tree, data: tuple[Tree, Tree, Array | None], order: Array, first: Array, last: Array
    ) -> tuple[TrainState, Tree, Array, Array]:
        TRACES["train"] += 1

        def body(carry: tuple[TrainState, Tree, Array, Array]) -> tuple[TrainState, Tree, Array, Array]:
            ts, tally, i, _ = carry
            batch = batch_at(data, jax.lax.dynamic_index_in_dim(order, i, keepdims=False))
            ts, tally, finite = task.step(ts, tally, batch)
            return ts, tally, i + finite.astype(i.dtype), finite

        def more(carry: tuple[TrainState, Tree, Array, Array]) -> Array:
            return (carry[2] < last) & carry[3]

        ts, tally, reached, finite = jax.lax.while_loop(more, body, (ts, tally, first, jnp.bool_(True)))
        return ts, tally, reached, finite & sound(ts, reached - first)

    return run


def evaluate_body(task: Task) -> Callable[..., tuple[Tree, Tree]]:
    """The loss and metrics over rows `first` to `last` of an order, in evaluation mode; what layers carry goes on."""

    def run(
        ts: TrainState, tally: Tree, data: tuple[Tree, Tree, Array | None], order: Array, first: Array, last: Array
    ) -> tuple[Tree, Tree]:
        TRACES["evaluate"] += 1

        def body(i: Array, carry: tuple[Tree, Tree]) -> tuple[Tree, Tree]:
            state, tally = carry
            batch = batch_at(data, jax.lax.dynamic_index_in_dim(order, i, keepdims=False))
            output, state, mask = applied(task.network, ts.params, state, batch)
            losses = task.losses(output, batch, ts.hyper, mask)
            return state, task.tallied(tally, batch, output, losses, penalty(state, losses.rows.dtype))

        return jax.lax.fori_loop(first, last, body, (ts.state, tally))

    return run


@compilation.kept
def start_program(task: Task) -> Callable[[Array, Tree, Tree], TrainState]:
    """The compiled `task.resume`, on copies, because training gives its state up to the programs."""

    def begin(key: Array, params: Tree, state: Tree) -> TrainState:
        return task.resume(key, *jax.tree.map(jnp.copy, (params, state)))

    return jax.jit(begin)


@compilation.kept
def train_program(task: Task) -> compilation.ByShape:
    """The compiled training program of a task; state and accumulators are given up to it."""
    return compilation.ByShape(train_body(task), inputs=(2, 3), donated=(0, 1))


@compilation.kept
def evaluate_program(task: Task) -> compilation.ByShape:
    """The compiled evaluation program of a task."""
    return compilation.ByShape(evaluate_body(task), inputs=(2, 3), donated=(1,))


@compilation.kept
def predict_program(network: Network) -> compilation.ByShape:
    """The compiled network in evaluation mode, with its final activation; and the leaves of the state that it moved.

    Only what stateful layers carry moves. A None stands for each leaf that stays, so that it is not copied.
    """

    def run(params: Tree, state: Tree, x: Tree) -> tuple[Tree, list[Array | None]]:
        TRACES["predict"] += 1
        output, new = network.apply(params, state, x, key=None, train=False)
        pairs = zip(jax.tree.leaves(state), jax.tree.leaves(new), strict=True)
        return ending(network, output), [None if now is old else now for old, now in pairs]

    return compilation.ByShape(run, inputs=(2,))


def moved(state: Tree, leaves: list[Array | None]) -> Tree:
    """`state` with those leaves in place that a prediction moved."""
    old, structure = jax.tree.flatten(state)
    return jax.tree.unflatten(structure, [was if now is None else now for was, now in zip(old, leaves, strict=True)])
