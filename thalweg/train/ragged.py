"""Ragged: a last batch of one row, looked at before the first step.

A layer that trains on the statistics of a batch learns nothing of one row alone: less its mean it is 0, and so is its
variance. Where all batches are such, the layer refuses; where the last one is, training is possible, and it is said.
"""

import itertools
import warnings

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.errors import ContractError
from thalweg.losses import Custom
from thalweg.train.buckets import Bucketed
from thalweg.train.task import Batch, applied
from thalweg.train.training import Training
from thalweg.train.windows import Feed


def check(training: Training, feed: Feed, size: int, steps: int | None) -> None:
    """Warn where an epoch of `steps` batches of `size` at most has one of a single row, where a layer needs more.

    Raises:
        ContractError: there the layer would refuse in the middle of the epoch: the loss is one number a batch, so that
            each batch is computed without what fills it up.
    """
    if size == 1 or not _single(feed, size, steps):
        return
    refused = _refused(training, feed)
    if refused is None:
        return
    better = next(n for n in itertools.count(size + 1) if not _single(feed, n, None))
    said = (
        f"{len(feed.rows)} rows in batches of {size} leave one row alone, on which a layer does not train: {refused}\n"
        f"  Write batch_size={better}, or leave a row out."
    )
    if isinstance(training.task.loss, Custom):
        first = next(feed.windows(feed.order(size, shuffle=False, steps=1), 0))
        if training.task.loss.joint(first.data[1], training.output(feed.spec)):
            raise ContractError(said)
    warnings.warn(said, stacklevel=4)


def _single(feed: Feed, size: int, steps: int | None) -> bool:
    order = feed.order(size, shuffle=False, steps=None if isinstance(feed, Bucketed) else steps)  # buckets are drawn
    return bool((np.sum(order >= 0, axis=1) == 1).any())


def _refused(training: Training, feed: Feed) -> str | None:
    """What a layer says of a step on one row."""
    task, ts = training.task, training.ts
    batch = Batch(feed.spec, None, None, jax.ShapeDtypeStruct((1,), jnp.float32))  # type: ignore[arg-type]
    try:
        jax.eval_shape(lambda p, s, b, k: applied(task.network, p, s, b, k, train=True)[0], *ts[2:4], batch, ts.key)
    except ContractError as error:
        return str(error).partition("\n")[0]
    return None
