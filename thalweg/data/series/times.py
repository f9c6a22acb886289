"""The times of a series: how far apart they are, and which come next."""

import numpy as np

from thalweg.errors import DataError

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def time_step(times: np.ndarray) -> str:
    """How far apart the times are: "1 hour", "1 month".

    Raises:
        DataError: they are unordered, or not evenly spaced in seconds nor in months.

    >>> time_step(np.array(["1949-01", "1949-02", "1949-03"], "datetime64[s]"))
    '1 month'
    """
    seconds = np.diff(times).astype(np.int64)
    back = np.flatnonzero(seconds <= 0)
    if back.size:
        row = back[0] + 1
        raise DataError(
            f"the times do not ascend: row {row} is {times[row]}, row {row - 1} {times[row - 1]}.\n"
            "  Sort the rows by time, and keep one for each."
        )
    months = np.diff(times.astype("datetime64[M]")).astype(np.int64)
    same_day = (times - times.astype("datetime64[M]")).astype(np.int64)
    if months.size and months[0] > 0 and (months == months[0]).all() and (same_day == same_day[0]).all():
        return _counted(int(months[0]), "month")
    usual = int(np.median(seconds)) if seconds.size else 1
    uneven = np.flatnonzero(seconds != usual)
    if uneven.size:
        row = uneven[0] + 1
        raise DataError(
            f"the times are not evenly spaced: row {row} is {times[row]}, row {row - 1} {times[row - 1]}; most rows are"
            f" {_span(usual)} apart.\n  Add the missing rows with empty cells and write missing='forward', or write"
            " regular=False to count rows as steps."
        )
    return _span(usual)


def next_times(times: np.ndarray, count: int) -> np.ndarray:
    """The `count` times that follow `times`, evenly spaced as they are.

    Raises:
        DataError: the times are unordered or uneven: see `time_step`.

    >>> next_times(np.array(["1949-11", "1949-12"], "datetime64[s]"), 2).astype("datetime64[D]").tolist()
    [datetime.date(1950, 1, 1), datetime.date(1950, 2, 1)]
    """
    number, unit = time_step(times).split()
    ahead, month = np.arange(1, count + 1), times[-1].astype("datetime64[M]")
    if unit.startswith("month"):
        return (month + int(number) * ahead).astype("datetime64[s]") + (times[-1] - month)
    return times[-1] + (times[-1] - times[-2]) * ahead


def _span(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in UNITS if seconds % size == 0)
    return _counted(seconds // size, unit)


def _counted(n: int, unit: str) -> str:
    return f"{n} {unit}{'s' if n > 1 else ''}"
