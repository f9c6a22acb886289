"""The lowest temperature of each day in Melbourne, 1981 to 1990, in degrees Celsius (Bureau of Meteorology)."""

from typing import Any

from thalweg.data import Series, SeriesSplit
from thalweg.datasets.catalog.series import DAILY_MIN_TEMPERATURES
from thalweg.datasets.series import cut, load
from thalweg.datasets.store import Folder

VALIDATION = 365  # the last rows of the training part


def load_data(data: Folder = None) -> Series:
    """3,650 days of one variable, "Temp". 31 December of 1984 and of 1988 are missing: rows are counted as days.

    Args:
        data: the folder that has the file; by default `THALWEG_DATA`, the cache, then the public mirror.

    Raises:
        DataError: the file is nowhere to be had, or damaged.
    """
    return load(DAILY_MIN_TEMPERATURES, data, regular=False)


def parts(history: int, horizon: int = 1, data: Folder = None, **options: Any) -> SeriesSplit:
    """Windows: seven years train, one validates, the last two test.

    Args:
        history: rows of the past that are seen.
        horizon: rows of the future that are predicted.
        data: see `load_data`.
        **options: what `split_series` takes.
    """
    return cut(load_data(data), DAILY_MIN_TEMPERATURES, VALIDATION, history, horizon, options)
