"""Metric: what every metric is to training, and Mean, the accumulator that most of them are.

    acc = metric.init(rows, output)                          before an epoch
    acc = metric.update(acc, target, prediction, weight)     in the compiled loop, once a batch
    acc = metric.merge(acc, of_another_host)                 at the end
    metric.result(acc)                                       on the host, in float64

Accumulators are nested dicts of arrays. `weight` is 0 for padded rows, and where there is a mask for padded steps, so a
metric is that of all real positions of the epoch, however it was cut into batches.
"""

from collections.abc import Callable
from dataclasses import field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.errors import ContractError
from thalweg.metrics import sums
from thalweg.ops.precision import widen
from thalweg.ops.targets import answered, mean_of_rows, of_positions
from thalweg.record import Record
from thalweg.types import Array, Dtype, Float, Shaped, ShapeDtype, Tree


class Metric(Record):
    """The base of the metrics. `name` is the metric's word in the history.

    `result` gives a float, or an array where there is a number for each class; the history keeps that as a list.

    Class attribute:
      ranks  True where only the order of a row's classes counts, so that logits serve as well as probabilities
    """

    ranks: ClassVar[bool] = False

    name: str = field(default="metric", kw_only=True)

    def init(self, rows: int, output: ShapeDtype) -> Tree:
        """The accumulator before an epoch of `rows` rows, of predictions like `output`, in batches of any size."""
        raise NotImplementedError

    def update(self, acc: Tree, target: Array, prediction: Array, weight: Array) -> Tree:
        """The accumulator after one more batch.

        Args:
            acc: the accumulator.
            target: [batch, ...].
            prediction: the network's output after its link (probabilities), [batch, ...].
            weight: each row's weight, 0 where it is padding, [batch]; or each position's, [batch, time, ...].
        """
        raise NotImplementedError

    def result(self, acc: Tree) -> float | np.ndarray:
        """The metric of all rows so far."""
        raise NotImplementedError

    def merge(self, a: Tree, b: Tree) -> Tree:
        """The accumulator of both parts of the rows."""
        return jax.tree.map(sums.joined, a, b, is_leaf=lambda node: isinstance(node, dict) and "hi" in node)


class Mean(Record):
    """The mean of numbers that come row by row: the accumulator of losses and of most metrics.

    >>> mean = Mean()
    >>> acc = mean.init(3, jax.ShapeDtypeStruct((2, 1), jnp.float32))
    >>> acc = mean.add(acc, jnp.array([1.0, 2.0]), jnp.array([1.0, 1.0]))
    >>> acc = mean.add(acc, jnp.array([6.0, jnp.nan]), jnp.array([1.0, 0.0]))
    >>> mean.result(acc)
    3.0
    """

    def init(self, rows: int, output: ShapeDtype) -> Tree:
        """The mean of no rows; it accumulates in at least float32."""
        del rows
        dtype = wide(output)
        return {"total": sums.zero(dtype=dtype), "weight": sums.zero(dtype=dtype)}

    def add(self, acc: Tree, values: Array, weight: Array) -> Tree:
        """The mean with the rows of one batch; both [batch] or of one shape."""
        return {
            "total": sums.plus(acc["total"], jnp.sum(masked(values, weight))),
            "weight": sums.plus(acc["weight"], jnp.sum(weight)),
        }

    def merge(self, a: Tree, b: Tree) -> Tree:
        """The mean over both parts."""
        return {name: sums.joined(a[name], b[name]) for name in a}

    def result(self, acc: Tree) -> float:
        """The mean; NaN where there were no rows."""
        return float(sums.ratio(sums.value(acc["total"]), sums.value(acc["weight"]), empty=np.nan))


MEAN = Mean()


class MeanOfRows(Metric):
    """The base of metrics that are a mean: a subclass states `values`, of each row or of each of its positions."""

    def init(self, rows: int, output: ShapeDtype) -> Tree:
        """See `Metric.init`."""
        return MEAN.init(rows, output)

    def update(self, acc: Tree, target: Array, prediction: Array, weight: Array) -> Tree:
        """See `Metric.update`."""
        if weight.ndim == 1:
            return MEAN.add(acc, self.rows(target, prediction), weight)
        return MEAN.add(acc, of_positions(self.values(target, prediction), weight.shape), weight)

    def rows(self, y: Array, p: Array, /) -> Float[Array, " batch"]:
        """The value of each row: the mean over its positions."""
        return mean_of_rows(self.values(y, p))

    def values(self, y: Array, p: Array, /) -> Shaped[Array, "batch ..."]:
        """The equation, [batch, ...]."""
        raise NotImplementedError

    def result(self, acc: Tree) -> float | np.ndarray:
        """See `Metric.result`."""
        return MEAN.result(acc)


class Custom(MeanOfRows):
    """A function of (target, prediction), as a metric: a number for each row, or an array that has the rows first.

    It receives the targets in the shape of the predictions, where they have a number for each.
    """

    function: Callable[..., Any]

    def values(self, y: Array, p: Array, /) -> Shaped[Array, "batch ..."]:
        """The function's values."""
        values = answered(self.function, y, p)
        if values.ndim == 0:
            raise ContractError(
                f"{self.function!r} gave one number for {len(p)} rows; a metric is exact over the rows of an epoch.\n"
                "  Return one number for each row: leave out the mean over the first axis."
            )
        return values


class LossMetric(Metric):
    """A loss as a metric: its mean over the rows, computed from predictions, with no weights and no penalties."""

    loss: Any

    def init(self, rows: int, output: ShapeDtype) -> Tree:
        """See `Metric.init`."""
        return MEAN.init(rows, output)

    def update(self, acc: Tree, target: Array, prediction: Array, weight: Array) -> Tree:
        """See `Metric.update`; of weights [batch, time] it matters where they are 0."""
        z, mask = LOGITS[self.loss.link](widen(prediction)), None if weight.ndim == 1 else weight > 0
        real = weight if mask is None else jnp.any(mask, axis=tuple(range(1, mask.ndim))).astype(weight.dtype)
        counts = self.loss.counts(target, z, mask)
        return MEAN.add(acc, self.loss(target, z, mask=mask), real if counts is None else real * counts)

    def result(self, acc: Tree) -> float | np.ndarray:
        """See `Metric.result`."""
        return MEAN.result(acc)


def log_odds(p: Array) -> Array:
    """The logit log p - log(1 - p) of a probability kept off 0 and 1 by one rounding."""
    p = jnp.clip(p, jnp.finfo(p.dtype).eps, 1 - jnp.finfo(p.dtype).eps)
    return jnp.log(p) - jnp.log1p(-p)


LOGITS: dict[str | None, Callable[[Array], Array]] = {
    None: lambda p: p,
    "sigmoid": log_odds,
    "softmax": lambda p: jnp.log(jnp.maximum(p, jnp.finfo(p.dtype).tiny)),
}
"""From what a link gave back to logits."""


def masked(values: Array, weight: Array) -> Array:
    """The products values * weight in at least float32, 0 where the weight is 0, whatever the value."""
    v = widen(values)
    return jnp.where(weight > 0, v * weight.astype(v.dtype), 0)


def wide(output: ShapeDtype) -> Dtype:
    """The dtype to accumulate in: that of the predictions, and at least float32."""
    return jax.eval_shape(widen, output).dtype
