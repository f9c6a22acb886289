"""baseline: the forecasts that need no learning.

    last value      y_{T+h} = x_T
    last season     y_{T+h} = x_{T+h-m}
    drift           the line through the first and the last value goes on
    linear map      one matrix from past to future, solved in closed form on the training windows

The past ends at T, h counts the steps ahead, and a season has m steps.
"""

from collections.abc import Callable

import numpy as np

from thalweg.data import LinearForecast, WindowSource, drift, naive, seasonal_naive

Forecast = Callable[[np.ndarray], np.ndarray]
"""From inputs [rows, history, variables] to forecasts [rows, horizon, targets]."""


def rivals(source: WindowSource, period: int, train: WindowSource | None) -> dict[str, Forecast]:
    """What needs no learning, by name; the linear map where there are windows to solve it on."""
    targets, horizon = list(source.targets), source.horizon
    by_name: dict[str, Forecast] = {"last value": lambda past: naive(past, horizon)}
    if period > 1:
        by_name["last season"] = lambda past: seasonal_naive(past, horizon, period)
    by_name["drift"] = lambda past: drift(past, horizon)
    if train is not None:
        by_name["linear map"] = LinearForecast.fit(train)
    return {name: lambda x, forecast=forecast: forecast(x[..., targets]) for name, forecast in by_name.items()}
