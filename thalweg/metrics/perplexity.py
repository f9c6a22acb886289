"""Perplexity: between how many equally likely words a language model hesitates."""

from dataclasses import field

import jax.numpy as jnp
import numpy as np

from thalweg.metrics.base import MEAN, Metric
from thalweg.metrics.classification import spread
from thalweg.ops.precision import widen
from thalweg.ops.targets import at_class, class_index
from thalweg.types import Array, ShapeDtype, Tree


class Perplexity(Metric):
    """exp(mean -log p_y) over all positions of the epoch, y the number of the class.

    Args:
        ignore_class: a label whose positions count for nothing, such as that of padding.
        name: its word in the history.
    """

    name: str = field(default="perplexity", kw_only=True)
    ignore_class: int | None = field(default=None, kw_only=True)

    def init(self, rows: int, output: ShapeDtype) -> Tree:
        """See `Metric.init`."""
        return MEAN.init(rows, output)

    def update(self, acc: Tree, target: Array, prediction: Array, weight: Array) -> Tree:
        """See `Metric.update`."""
        p, y = widen(prediction), class_index(target, prediction).reshape(-1)
        p_y = at_class(p.reshape(-1, p.shape[-1]), y)
        w = spread(weight, y)
        w = w if self.ignore_class is None else jnp.where(y == self.ignore_class, 0, w)
        return MEAN.add(acc, -jnp.log(jnp.maximum(p_y, jnp.finfo(p.dtype).tiny)), w)

    def result(self, acc: Tree) -> float | np.ndarray:
        """See `Metric.result`."""
        return float(np.exp(MEAN.result(acc)))
