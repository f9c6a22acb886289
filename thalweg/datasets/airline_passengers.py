"""Airline passengers: thousands a month, January 1949 to December 1960 (Box, Jenkins 1976, series G)."""

from typing import Any

from thalweg.data import Series, SeriesSplit
from thalweg.datasets.catalog.series import AIRLINE_PASSENGERS
from thalweg.datasets.series import cut, load
from thalweg.datasets.store import Folder

VALIDATION = 12  # the last rows of the training part


def load_data(data: Folder = None) -> Series:
    """144 months of one variable, "Passengers".

    Args:
        data: the folder that has the file; by default `THALWEG_DATA`, the cache, then the public mirror.

    Raises:
        DataError: the file is nowhere to be had, or damaged.
    """
    return load(AIRLINE_PASSENGERS, data)


def parts(history: int, horizon: int = 1, data: Folder = None, **options: Any) -> SeriesSplit:
    """Windows: 1949 to 1957 train, 1958 validates, 1959 and 1960 test, each where its targets lie.

    Args:
        history: rows of the past that are seen.
        horizon: rows of the future that are predicted.
        data: see `load_data`.
        **options: what `split_series` takes.
    """
    return cut(load_data(data), AIRLINE_PASSENGERS, VALIDATION, history, horizon, options)
