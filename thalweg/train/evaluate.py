"""evaluate: the loss and the metrics over a feed, exact over all of its rows."""

from typing import Any

import jax
import jax.numpy as jnp

from thalweg.metrics import Mean
from thalweg.train.program import evaluate_program
from thalweg.train.task import Task
from thalweg.train.training import Training
from thalweg.train.windows import Feed
from thalweg.types import Tree

BATCH = 256  # rows evaluated together, unless said
RUNNING = 4096  # accumulators larger than this many numbers are read at the end of an epoch only


def scores(training: Training, feed: Feed, batch_size: int) -> dict[str, Any]:
    """The loss and each metric by name, in evaluation mode.

    What stateful layers carry goes on from batch to batch; the training's own state stays as it is.
    """
    task, rows = training.task, feed.rows
    tally = task.tally(len(rows), training.output(feed.spec))
    order = feed.order(min(batch_size, len(rows)), shuffle=False)
    with training.held as now:
        ts = now
        for window in training.windows(feed, order, 0):
            first, last = jnp.int32(window.first), jnp.int32(window.last)
            state, tally = evaluate_program(task)(ts, tally, window.data, window.order, first, last)
            ts = ts._replace(state=state)
    return results(task, tally)


def results(task: Task, tally: Tree, *, running: bool = False) -> dict[str, Any]:
    """What the accumulators say; `running` leaves out those that are costly to read."""
    out: dict[str, Any] = {"loss": Mean().result(tally["loss"])}
    for name, metric in task.metrics:
        if not running or sum(leaf.size for leaf in jax.tree.leaves(tally[name])) <= RUNNING:
            out[name] = metric.result(tally[name])
    return out


def listed(scores: dict[str, Any], *, return_dict: bool) -> Any:
    """Scores as Keras gives them: a dict where one is asked for, the loss alone, or a list."""
    values = list(scores.values())
    return scores if return_dict else values[0] if len(values) == 1 else values
