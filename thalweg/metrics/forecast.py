"""Metrics of forecasts: y the target, p the prediction. MAE, MSE and their root are in `metrics/regression.py`."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from thalweg.errors import ConfigError
from thalweg.metrics.base import MeanOfRows
from thalweg.ops.precision import widen
from thalweg.ops.targets import aligned, mean_of_rows
from thalweg.ranges import POSITIVE
from thalweg.types import Array


class MASE(MeanOfRows):
    """The mean of |p - y| / s, s the error that the seasonal naive forecast makes within the training part.

        s = mean_t |x_t - x_{t-m}|

    Below 1 the forecast beats the naive one. Hyndman, Koehler 2006, "Another look at measures of forecast accuracy".

    Args:
        scale: s, one for all or one for each variable of the last axis; `MASE.of` finds it.

    >>> MASE.of(np.array([1.0, 3.0, 4.0]))
    MASE((1.5,))
    """

    scale: float | Sequence[float]
    name: str = field(default="mase", kw_only=True)

    limits: ClassVar = {"scale": POSITIVE}

    @classmethod
    def of(cls, train: Any, period: int = 1) -> "MASE":
        """The metric of a training part [time] or [time, variables], in the units that targets will have.

        Raises:
            ConfigError: it is no longer than one `period`, or a variable repeats itself exactly.
        """
        x = np.asarray(train, np.float64)
        x = x[:, None] if x.ndim == 1 else x
        if not 1 <= period < len(x):
            raise ConfigError(f"period={period} of {len(x)} training rows.\n  Write a period from 1 to {len(x) - 1}.")
        scale = np.abs(x[period:] - x[:-period]).mean(0)
        if not (scale > 0).all():
            raise ConfigError(f"variable {int(np.argmin(scale))} repeats itself exactly.\n  Write another period.")
        return cls(tuple(scale.tolist()))

    def rows(self, y: Array, p: Array, /) -> Array:
        """|p - y| / s."""
        p = widen(p)
        s = jnp.asarray(np.asarray(self.scale, np.float64).reshape((1,) * (p.ndim - 1) + (-1,)), p.dtype)
        return mean_of_rows(jnp.abs(p - aligned(y, p)) / s)


class SMAPE(MeanOfRows):
    """The mean of 200 |p - y| / (|p| + |y|) percent, 0 where both are 0: from 0 to 200.

    Makridakis 1993; as in the M4 competition. It suits targets that are never near 0.
    """

    name: str = field(default="smape", kw_only=True)

    def rows(self, y: Array, p: Array, /) -> Array:
        """200 |p - y| / (|p| + |y|)."""
        p = widen(p)
        y = aligned(y, p).astype(p.dtype)
        total = jnp.abs(p) + jnp.abs(y)
        return mean_of_rows(jnp.where(total > 0, 200 * jnp.abs(p - y) / jnp.where(total > 0, total, 1), 0))
