"""Monthly means of sunspots, January 1749 to December 1983 (SIDC, Brussels)."""

from typing import Any

from thalweg.data import Series, SeriesSplit
from thalweg.datasets.catalog.series import SUNSPOTS
from thalweg.datasets.series import cut, load
from thalweg.datasets.store import Folder

VALIDATION = 282  # the last rows of the training part


def load_data(data: Folder = None) -> Series:
    """2,820 months of one variable, "Sunspots"; their cycle is about 132 months.

    Args:
        data: the folder that has the file; by default `THALWEG_DATA`, the cache, then the public mirror.

    Raises:
        DataError: the file is nowhere to be had, or damaged.
    """
    return load(SUNSPOTS, data)


def parts(history: int, horizon: int = 1, data: Folder = None, **options: Any) -> SeriesSplit:
    """Windows: 70 percent train, 10 validate, the last 20 test.

    Args:
        history: rows of the past that are seen.
        horizon: rows of the future that are predicted.
        data: see `load_data`.
        **options: what `split_series` takes.
    """
    return cut(load_data(data), SUNSPOTS, VALIDATION, history, horizon, options)
