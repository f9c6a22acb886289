"""errors: how far a forecast is off, step by step.

MSE and MAE are those of scaled values, as the literature states them. MASE is the mean of |error| / s, s the error that
the forecast of last season makes within the training part: below 1 is better than that (Hyndman, Koehler 2006).
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg.data import WindowSource, walk
from thalweg.recipes.series.baseline import Forecast


@dataclasses.dataclass(frozen=True, eq=False)
class Units:
    """The way from scaled values back to those that people have, for variables [..., variables].

    Args:
        mean: of each variable in the training part.
        std: likewise.
        logarithm: whether the values that were scaled are logarithms.
    """

    mean: np.ndarray
    std: np.ndarray
    logarithm: bool = False

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """In float64."""
        x = z.astype(np.float64) * self.std + self.mean
        return np.exp(x) if self.logarithm else x

    def of(self, targets: Any) -> "Units":
        """Those of some variables."""
        return dataclasses.replace(self, mean=self.mean[list(targets)], std=self.std[list(targets)])


@dataclasses.dataclass(frozen=True, eq=False)
class Errors:
    """Means over all windows, each [horizon, targets]: squared and absolute, scaled; absolute, in units."""

    square: np.ndarray
    absolute: np.ndarray
    units: np.ndarray

    @property
    def mse(self) -> float:
        """Over all steps and targets."""
        return float(self.square.mean())

    @property
    def mae(self) -> float:
        """Over all steps and targets."""
        return float(self.absolute.mean())

    def mase(self, season: np.ndarray | None) -> float | None:
        """Over all steps and targets, `season` being each target's s; None where one of them never errs."""
        return None if season is None else float((self.units / season).mean())


def measure(forecasts: Mapping[str, Forecast], source: WindowSource, units: Units) -> dict[str, Errors]:
    """The errors of each forecast over all windows of `source`; `units` are the targets'."""
    totals = {name: np.zeros((3, source.horizon, len(source.targets))) for name in forecasts}
    for _, (x, y, _) in walk(source):
        truth, truth_in_units = y.astype(np.float64), units(y)
        for name, forecast in forecasts.items():
            answer = forecast(x)
            error = answer.astype(np.float64) - truth
            in_units = np.abs(units(answer) - truth_in_units).sum(0)
            totals[name] += np.stack([(error**2).sum(0), np.abs(error).sum(0), in_units])
    return {name: Errors(*(total / len(source))) for name, total in totals.items()}


def seasonal_error(values: np.ndarray, period: int) -> list[float] | None:
    """The mean of |x_t - x_{t-m}| of each variable [time, variables]; None where one repeats itself exactly.

    >>> seasonal_error(np.array([[1.0], [3.0], [4.0]]), 1)
    [1.5]
    """
    if period >= len(values):
        return None
    error = np.abs(values[period:] - values[:-period]).mean(0)
    return error.tolist() if (error > 0).all() else None
