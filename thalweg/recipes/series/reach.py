"""reach: how far a forecast looks back and ahead: as it is set, or as is usual for the series."""

from typing import Any, NamedTuple

import numpy as np

from thalweg.data import Series, time_step
from thalweg.errors import ConfigError, DataError

DAY = 86_400
SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": DAY}
AHEAD = 12  # rows ahead where no season says how many


class Reach(NamedTuple):
    """How many rows are seen, how many are predicted, and after how many a season comes again (1: there is none)."""

    history: int
    horizon: int
    period: int


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
        number, unit, *week = time_step(times).partition(",")[0].split()
    except DataError:  # uneven: rows are counted, and no season is known
        return 1
    unit = unit.removesuffix("s")
    if unit == "month":
        return max(1, 12 // int(number))
    if week:  # business days, or days of Monday to Saturday
        return {"1": 6 if "Saturday" in week else 5}.get(number, 1)
    if unit not in SECONDS:  # parts of a second
        return 1
    seconds = int(number) * SECONDS[unit]
    return DAY // seconds if seconds < DAY else 7 if seconds == DAY else 52 if seconds == 7 * DAY else 1


def choose(settings: Any, default: Reach) -> Reach:
    """What is set, and what is usual where nothing is.

    Raises:
        ConfigError: a season that is longer than the history.
    """
    values = {name: getattr(settings, name) for name in Reach._fields}
    reach = default._replace(**{name: value for name, value in values.items() if value is not None})
    if settings.period is None and reach.history < reach.period:
        reach = reach._replace(period=1)
    if reach.period > reach.history:
        raise ConfigError(
            f"period={reach.period} is longer than history={reach.history}: last season would not be seen.\n"
            f"  Write --set history={reach.period} or more, or period=1 where there is no season."
        )
    return reach
