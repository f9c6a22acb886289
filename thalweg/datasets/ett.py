"""Electricity transformer temperature, hourly, July 2016 to June 2018 (Zhou et al. 2021, "Informer", arXiv:2012.07436).

ETTh1 and ETTh2 are two stations: six loads and the temperature of the oil, "OT". Results are stated on the standardised
values of all seven, for 12 months of training, 4 of validation and 4 of test, of 30 days each.
"""

from typing import Any

from thalweg.data import Series, SeriesSplit
from thalweg.datasets.catalog.series import ETT
from thalweg.datasets.series import cut, load
from thalweg.datasets.store import Folder
from thalweg.errors import ConfigError, nearest

VALIDATION = 4 * 30 * 24  # the last hours of the training part
STATIONS = ("ETTh1", "ETTh2")


def load_data(data: Folder = None, station: str = "ETTh1") -> Series:
    """17,420 hours of seven variables.

    Args:
        data: the folder that has the files; by default `THALWEG_DATA`, the cache, then the public mirror.
        station: "ETTh1" or "ETTh2".

    Raises:
        DataError: the file is nowhere to be had, or damaged.
        ConfigError: there is no such station.
    """
    if station not in STATIONS:
        raise ConfigError(f"station={station!r} is unknown.\n  {nearest(station, STATIONS)}")
    return load(ETT, data, file=STATIONS.index(station))


def parts(history: int, horizon: int = 1, data: Folder = None, station: str = "ETTh1", **options: Any) -> SeriesSplit:
    """Windows in the standard parts: 8,640 hours train, 2,880 validate, 2,880 test; the last 3,020 are left out.

    Args:
        history: hours of the past that are seen.
        horizon: hours of the future that are predicted: 96, 192, 336 or 720 in the literature.
        data: see `load_data`.
        station: "ETTh1" or "ETTh2".
        **options: what `split_series` takes.
    """
    return cut(load_data(data, station), ETT, VALIDATION, history, horizon, options)
