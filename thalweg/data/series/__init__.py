"""Series over time: values with names and times, their windows and parts, forecasts that a network has to beat."""

from thalweg.data.series.baselines import LinearForecast, drift, naive, score_forecast, seasonal_naive
from thalweg.data.series.files import read_series
from thalweg.data.series.series import Series
from thalweg.data.series.splits import SeriesSplit, split_series
from thalweg.data.series.times import next_times, time_step
from thalweg.data.series.windows import WindowSource, forecast_windows, timeseries_dataset_from_array

__all__ = [
    "LinearForecast",
    "Series",
    "SeriesSplit",
    "WindowSource",
    "drift",
    "forecast_windows",
    "naive",
    "next_times",
    "read_series",
    "score_forecast",
    "seasonal_naive",
    "split_series",
    "time_step",
    "timeseries_dataset_from_array",
]
