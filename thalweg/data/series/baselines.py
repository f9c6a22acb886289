"""Forecasts that cost nothing: what a network has to beat. past is [rows, history, variables], oldest first.

Hyndman, Athanasopoulos 2021, "Forecasting: principles and practice", section 5.2.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from thalweg.data.series.windows import WindowSource
from thalweg.data.sources import walk
from thalweg.errors import ConfigError
from thalweg.types import Float


def naive(past: Float[np.ndarray, "n t v"], horizon: int) -> Float[np.ndarray, "n h v"]:
    """Tomorrow is as today: y_{T+h} = x_T.

    >>> naive(np.array([[[1.0], [4.0]]]), 2).ravel().tolist()
    [4.0, 4.0]
    """
    return np.repeat(past[:, -1:], horizon, axis=1)


def seasonal_naive(past: Float[np.ndarray, "n t v"], horizon: int, period: int) -> Float[np.ndarray, "n h v"]:
    """Next season is as the last: y_{T+h} = x_{T+h-m k}, k the fewest whole seasons that reach back to the past.

    Raises:
        ConfigError: the past is shorter than a season.

    >>> seasonal_naive(np.array([[[1.0], [2.0], [3.0]]]), 4, period=2).ravel().tolist()
    [2.0, 3.0, 2.0, 3.0]
    """
    if not 1 <= period <= past.shape[1]:
        raise ConfigError(f"period={period} of a past of {past.shape[1]} rows.\n  Write a history of {period} or more.")
    return past[:, past.shape[1] - period + np.arange(horizon) % period]


def drift(past: Float[np.ndarray, "n t v"], horizon: int) -> Float[np.ndarray, "n h v"]:
    """The line through the first and the last value goes on: y_{T+h} = x_T + h (x_T - x_1) / (T - 1).

    >>> drift(np.array([[[1.0], [2.0], [5.0]]]), 2).ravel().tolist()
    [7.0, 9.0]
    """
    if past.shape[1] < 2:
        raise ConfigError("a drift needs a past of at least 2 rows.\n  Write history=2 or more.")
    slope = (past[:, -1:] - past[:, :1]) / np.asarray(past.shape[1] - 1, past.dtype)
    return past[:, -1:] + np.arange(1, horizon + 1, dtype=past.dtype)[None, :, None] * slope


@dataclasses.dataclass(frozen=True, eq=False)
class LinearForecast:
    """One linear map from the past of a variable to its future, the same for all, solved in closed form.

        y_{T+h} = x_T + b_h + sum_t W_{t, h} (x_t - x_T),  W, b = argmin |error|^2 + ridge |W|^2

    It is what DLinear and NLinear (Zeng et al. 2023, arXiv:2205.13504) look for by gradient descent: a moving average
    and its remainder are linear maps too, so that their sum adds nothing to W. Taking x_T away first, as NLinear does,
    lets the level wander. The past is summed up 32 MB at a time.
    """

    weights: np.ndarray  # [history, horizon]
    bias: np.ndarray  # [horizon]

    @classmethod
    def fit(cls, source: WindowSource, ridge: float = 1.0) -> "LinearForecast":
        """The best map for the windows of `source`; the weights of `ridge` keep it small where the past says little."""
        n, T, H = 0, source.history, source.horizon
        first, second = np.zeros(T + H), np.zeros((T + H, T + H))
        for _, (x, y, _) in walk(source):
            past = of_targets(source, x)
            both = np.concatenate([past, y], axis=1).astype(np.float64)  # [rows, history + horizon, targets]
            both = (both - past[:, -1:]).transpose(0, 2, 1).reshape(-1, T + H)
            n, first, second = n + len(both), first + both.sum(0), second + both.T @ both
        mean = first / n
        scatter = second - n * np.outer(mean, mean)
        weights = np.linalg.solve(scatter[:T, :T] + ridge * np.eye(T), scatter[:T, T:])
        return cls(weights, mean[T:] - mean[:T] @ weights)

    def __call__(self, past: Float[np.ndarray, "n t v"]) -> Float[np.ndarray, "n h v"]:
        """The forecast, in the precision of `past`."""
        last = past[:, -1:]
        ahead = np.einsum("ntv,th->nhv", past - last, self.weights.astype(past.dtype))
        return last + ahead + self.bias.astype(past.dtype)[None, :, None]


def of_targets(source: WindowSource, x: np.ndarray | dict[str, np.ndarray]) -> np.ndarray:
    """The past of the variables that a source predicts, [rows, history, targets], from its inputs."""
    past = x["past"] if isinstance(x, dict) else x
    return past[..., list(source.targets)]


def score_forecast(forecast: Callable[[np.ndarray], np.ndarray], source: WindowSource) -> dict[str, float]:
    """How far a forecast of the targets' past is off over all windows of `source`: {"mae", "mse", "rmse"}.

    >>> from thalweg.data import forecast_windows
    >>> score_forecast(lambda past: naive(past, 2), forecast_windows(np.arange(9.0), 3, 2))["mae"]
    1.5
    """
    total, square, count = 0.0, 0.0, 0
    for _, (x, y, _) in walk(source):
        error = forecast(of_targets(source, x)).astype(np.float64) - y
        total, square = total + float(np.abs(error).sum()), square + float((error**2).sum())
        count += error.size
    return {"mae": total / count, "mse": square / count, "rmse": math.sqrt(square / count)}
