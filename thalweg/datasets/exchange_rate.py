"""Daily exchange rates of eight countries, 1990 to 2016 (Lai et al. 2018, arXiv:1703.07015)."""

from typing import Any

from thalweg.data import Series, SeriesSplit
from thalweg.datasets.catalog.series import EXCHANGE_RATE
from thalweg.datasets.series import cut, load
from thalweg.datasets.store import Folder

VALIDATION = 760  # the last rows of the training part


def load_data(data: Folder = None) -> Series:
    """7,588 days of eight variables, "0" to "7".

    They are the currencies of Australia, Britain, Canada, Switzerland, China, Japan, New Zealand and Singapore.

    Args:
        data: the folder that has the file; by default `THALWEG_DATA`, the cache, then the public mirror.

    Raises:
        DataError: the file is nowhere to be had, or damaged.
    """
    return load(EXCHANGE_RATE, data)


def parts(history: int, horizon: int = 1, data: Folder = None, **options: Any) -> SeriesSplit:
    """Windows: 70 percent train, 10 validate, 20 test, as in Autoformer (Wu et al. 2021, arXiv:2106.13008).

    Args:
        history: rows of the past that are seen.
        horizon: rows of the future that are predicted.
        data: see `load_data`.
        **options: what `split_series` takes.
    """
    return cut(load_data(data), EXCHANGE_RATE, VALIDATION, history, horizon, options)
