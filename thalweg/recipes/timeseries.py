"""timeseries: the series that a recipe forecasts, named or a person's own, and how far it looks back and ahead.

A named series is cut where the literature cuts it. Of a person's own, the last rows test, those before them validate.
"""

import dataclasses
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg.data import Series, SeriesSplit, read_series, split_series, time_step
from thalweg.datasets import airline_passengers, daily_min_temperatures, ett, exchange_rate, sunspots
from thalweg.datasets.catalog.series import AIRLINE_PASSENGERS, DAILY_MIN_TEMPERATURES, ETT, EXCHANGE_RATE, SUNSPOTS
from thalweg.datasets.entry import Entry
from thalweg.datasets.series import cut
from thalweg.errors import ConfigError, DataError

DAY = 86_400
COUNTED = {"second": 1, "minute": 60, "hour": 3_600, "day": DAY}
AHEAD = 12  # rows ahead where no season says how many


class Reach(NamedTuple):
    """How many rows are seen, how many are predicted, and after how many a season comes again (1: there is none)."""

    history: int
    horizon: int
    period: int


class Named(NamedTuple):
    """A named series: its entry, its module, the rows that validate, what is usual, the results stated on it."""

    entry: Entry
    module: Any
    usual: Reach
    published: tuple[tuple[str, float, float], ...] = ()  # at the usual horizon: name, MSE, MAE


SOURCE = "Zeng et al. 2023 (arXiv:2205.13504), table 2"
CORPORA = {
    "ett": Named(
        ETT,
        ett,
        Reach(336, 96, 24),
        (("NLinear", 0.374, 0.394), ("DLinear", 0.375, 0.399), ("FEDformer", 0.376, 0.419), ("Repeat", 1.295, 0.713)),
    ),
    "airline": Named(AIRLINE_PASSENGERS, airline_passengers, Reach(24, 12, 12)),
    "exchange": Named(
        EXCHANGE_RATE,
        exchange_rate,
        Reach(96, 96, 7),
        (("NLinear", 0.089, 0.208), ("DLinear", 0.081, 0.203), ("FEDformer", 0.148, 0.278), ("Repeat", 0.081, 0.196)),
    ),
    "temperatures": Named(DAILY_MIN_TEMPERATURES, daily_min_temperatures, Reach(365, 7, 365)),
    "sunspots": Named(SUNSPOTS, sunspots, Reach(264, 12, 132)),
}
"""The named series by the setting `corpus`."""


def own(path: Path, settings: Any, variables: Any = None) -> Series:
    """The series in a person's file, oldest row first; what is wrong with it is said in the words of the settings.

    Raises:
        DataError: see `read_series`.
    """
    missing = "forward" if settings.missing == "forward" else None
    try:
        return read_series(
            path, settings.time, variables=variables, missing=missing, regular=settings.spacing == "even"
        )
    except DataError as error:
        text = str(error).replace("missing='forward'", "--set missing=forward")
        raise DataError(text.replace("regular=False", "--set spacing=any")) from error


def usual(series: Series) -> Reach:
    """What suits a series whose rows are so far apart: a day of hours, a week of days, a year of months.

    >>> usual(Series.of(np.arange(300.0), times=np.arange("2001-01", "2026-01", dtype="datetime64[M]")))
    Reach(history=48, horizon=12, period=12)
    """
    period = 1 if series.times is None else _season(series.times)
    horizon = period if period > 1 else AHEAD
    return Reach(max(2, min(4 * horizon, max(period, len(series) // 5))), horizon, period)


def _season(times: np.ndarray) -> int:
    try:
        number, unit = time_step(times).split()
    except DataError:  # uneven: rows are counted, and no season is known
        return 1
    unit = unit.removesuffix("s")
    if unit == "month":
        return max(1, 12 // int(number))
    seconds = int(number) * COUNTED[unit]
    return DAY // seconds if seconds < DAY else 7 if seconds == DAY else 52 if seconds == 7 * DAY else 1


def reach(settings: Any, known: Reach) -> Reach:
    """What is set, and what is usual where nothing is.

    Raises:
        ConfigError: a season that is longer than the history.
    """
    chosen = {name: getattr(settings, name) for name in Reach._fields}
    found = known._replace(**{name: value for name, value in chosen.items() if value is not None})
    if settings.period is None and found.history < found.period:
        found = found._replace(period=1)
    if found.period > found.history:
        raise ConfigError(
            f"period={found.period} is longer than history={found.history}: last season would not be seen.\n"
            f"  Write --set history={found.period} or more, or period=1 where there is no season."
        )
    return found


def prepared(series: Series, settings: Any) -> tuple[Series, tuple[int, ...]]:
    """The variables that take part, in logarithms where `values=log`, and the places of the targets among them.

    Raises:
        ConfigError: a target that the series does not have.
        DataError: the logarithm of a number that is not above 0.
    """
    columns = [series.column(name) for name in settings.target or series.names]
    if len(set(columns)) < len(columns):
        raise ConfigError(f"target={','.join(settings.target)} names a variable twice.\n  Name each once.")
    if settings.variables == "apart":
        kept, targets = columns, range(len(columns))
    else:
        kept, targets = range(len(series.names)), columns
    names, values = [series.names[i] for i in kept], series.values[:, list(kept)]
    if settings.values == "log":
        values = _logarithm(values, names)
    return dataclasses.replace(series, values=values, names=tuple(names)), tuple(targets)


def _logarithm(values: np.ndarray, names: list[str]) -> np.ndarray:
    low = np.argwhere(values <= 0)
    if low.size:
        row, column = low[0]
        raise DataError(
            f"variable {names[column]!r}: row {row} is {values[row, column]:g}, which has no logarithm.\n"
            "  Write --set values=plain."
        )
    return np.log(values)


def parts(series: Series, targets: tuple[int, ...], settings: Any, known: Named | None, far: Reach) -> SeriesSplit:
    """The windows of each part, scaled by the training rows alone.

    Raises:
        ConfigError: the series is too short for a window in each part.
        DataError: no target changes over the training rows.
    """
    options = {"targets": targets, "stride": settings.stride}
    if known is not None:
        return cut(series, known.entry, known.module.VALIDATION, far.history, far.horizon, options)
    tested = max(far.horizon, round(settings.test_split * len(series)))
    steering = max(far.horizon, round(settings.validation_split * (len(series) - tested)))
    _check_length(series, far, tested + steering)
    parts = split_series(series, far.history, far.horizon, validation=steering, test=tested, **options)
    _check_changes(series, targets, parts.borders[0])
    return parts


def _check_length(series: Series, far: Reach, apart: int) -> None:
    needed = far.history + far.horizon + apart
    if len(series) < needed:
        raise ConfigError(
            f"the series has {len(series)} rows, which are too few: a window of history={far.history} and"
            f" horizon={far.horizon}, and {apart} rows to validate and test, need {needed}.\n"
            "  Give a longer series, or write --set a shorter history or horizon."
        )


def _check_changes(series: Series, targets: tuple[int, ...], rows: int) -> None:
    """That there is something to learn; where only some targets stand still, a warning names the first."""
    still = [i for i in targets if np.ptp(series.values[:rows, i]) == 0]
    if not still:
        return
    what = f"variable {series.names[still[0]]!r} never changes over the {rows} training rows"
    if len(still) == len(targets):
        raise DataError(f"{what}; there is nothing to learn.\n  Give a series that changes, or another target.")
    warnings.warn(f"{what}, so its errors are not scaled; --set target= leaves it out.", stacklevel=2)
