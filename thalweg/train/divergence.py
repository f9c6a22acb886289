"""Where the first number that is not finite arose: the bad step is run again, layer by layer.

The program stops before the update that a non-finite loss would make, so the state is the one the step started from.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import random, tree
from thalweg.train.task import Batch, Task, TrainState


def explain(task: Task, ts: TrainState, batch: Batch, epoch: int, step: int) -> str:
    """A message that names the layer, for a step whose loss is not finite."""
    where = (
        _first_parameter(ts)
        or _first_activation(task, ts, batch)
        or "in the loss itself: every layer's output is finite"
    )
    return (
        f"the loss of epoch {epoch + 1}, step {step + 1} is not finite. "
        f"The first number that is not finite arose {where}.\n"
        "  The weights are those from before that step. Lower the learning rate, clip the gradients "
        "(optimizer with global_clipnorm=1.0), or look at the inputs' scale."
    )


def _first_parameter(ts: TrainState) -> str | None:
    for name, value in tree.by_name(ts.params).items() if isinstance(ts.params, dict) else ():
        if not _finite(value):
            return f"in the gradient of {name}, one step earlier"
    return None


def _first_activation(task: Task, ts: TrainState, batch: Batch) -> str | None:
    observe = getattr(task.network, "observe", None)
    key = random.fold(ts.key, ts.step)
    if observe is None:
        return None
    state = {**ts.state, "rows": batch.real} if getattr(task.network, "masks", False) else ts.state
    for name, value in observe(ts.params, state, batch.x, key=key, train=True).items():
        if not _finite(value):
            layer = f"layer {name}" if name else "the network's output"
            return f"in the output of {layer} ({_describe(value)})"
    return None


def _finite(value: Any) -> bool:
    return all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(value))


def _describe(value: Any) -> str:
    leaf = np.asarray(jax.tree.leaves(value)[0]).astype(np.float32)
    nan, inf = int(np.isnan(leaf).sum()), int(np.isinf(leaf).sum())
    return f"{nan} NaN and {inf} infinite of {leaf.size} numbers"
