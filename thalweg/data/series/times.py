"""The times of a series: how far apart they are, and which come next.

A calendar numbers its own times: seconds one after another, months by their last day, the days from Monday to Friday.
Times are regular where some calendar has them all, in even steps. Times with an offset from UTC are read as what the
clock shows where the offset never changes, else as UTC; by the clock again where only that is regular (days in a zone
with summer time).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg.errors import DataError, FormatError

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
FRACTIONS = {
    "s": (1, "second"),
    "ms": (10**3, "millisecond"),
    "us": (10**6, "microsecond"),
    "ns": (10**9, "nanosecond"),
}
WEEKS = {
    "1111100": ("business day", ""),
    "1111110": ("day", " of Monday to Saturday"),
    "1111001": ("day", " of Sunday to Thursday"),
}
"""The days of a week that has fewer than seven, from Monday on, and what such a day is called."""
OFFSET = re.compile(r"(.*[T ]\d.*?) ?(Z|[+-]\d\d(?::?\d\d)?)")
FRACTION = re.compile(r"[.,](\d+)")
DATE = re.compile(r"(\d{4})(\d\d)(\d\d)")
LONGEST = 64  # signs of a time
USUAL = 0.5  # the share of the steps that must be alike for an error to name them


class Calendar(NamedTuple):
    """Times by number: the numbers of some, the times of any numbers, how many units of what a step of k is."""

    numbers: np.ndarray
    at: Callable[[np.ndarray], np.ndarray]
    step: Callable[[int], str]


def time_step(times: np.ndarray) -> str:
    """How far apart the times are: "1 hour", "1 month", "3 months, on the last day", "1 business day".

    Raises:
        DataError: they are unordered, or no calendar has them in even steps.

    >>> time_step(np.array(["1949-01", "1949-02", "1949-03"], "datetime64[s]"))
    '1 month'
    """
    calendar, step = _regular(times)
    return calendar.step(step)


def next_times(times: np.ndarray, count: int) -> np.ndarray:
    """The `count` times that follow `times`, in the steps of their calendar.

    Raises:
        DataError: the times are unordered or uneven: see `time_step`.

    >>> next_times(np.array(["1949-11-30", "1949-12-31"], "datetime64[s]"), 2).astype("datetime64[D]").tolist()
    [datetime.date(1950, 1, 31), datetime.date(1950, 2, 28)]
    """
    if len(times) < 2:
        raise DataError(f"{len(times)} times say not how far apart they are.\n  Give two times or more.")
    calendar, step = _regular(times)
    return calendar.at(calendar.numbers[-1] + step * np.arange(1, count + 1)).astype(times.dtype)


def read_times(values: Any) -> np.ndarray:
    """ISO texts (2016-07, 2016-07-01 13:00, 20160701, with a fraction or an offset) or datetime64 as datetime64.

    Its unit is the second, or what the finest fraction needs.

    Raises:
        ValueError: one is no time; or some have an offset from UTC and some have none.
    """
    values = np.asarray(values)
    if values.dtype.kind == "M":
        return _coarsest(values)
    texts = [str(value).strip() for value in values.tolist()]
    long = next((text for text in texts if len(text) > LONGEST), None)
    if long is not None:  # looked at by its ends, it would take a time that grows with the square of its length
        raise FormatError(f"{long[:20]!r} and {len(long) - 20} signs more are no time")
    if all(map(DATE.fullmatch, texts)):
        texts = [DATE.sub(r"\1-\2-\3", text) for text in texts]
    parts = [OFFSET.fullmatch(text) for text in texts]
    if not any(parts):
        return _of_texts(texts)
    if not all(parts):
        raise FormatError("some times have an offset from UTC, and some have none")
    clock = _of_texts([part[1] for part in parts if part])
    offsets = np.array([_minutes(part[2]) for part in parts if part], "timedelta64[m]")
    utc = clock - offsets
    return clock if (offsets == offsets[0]).all() or (not _is_regular(utc) and _is_regular(clock)) else utc


def _of_texts(texts: Sequence[str]) -> np.ndarray:
    texts = [text.replace(",", ".") for text in texts]
    digits = max((len(found[1]) for text in texts if (found := FRACTION.search(text))), default=0)
    stamps = np.array(texts, f"datetime64[{('s', 'ms', 'us', 'ns')[-(-digits // 3)]}]" if digits < 10 else "no time")
    if np.isnat(stamps).any():
        raise FormatError("a time is missing")
    return _coarsest(stamps)


def _coarsest(stamps: np.ndarray) -> np.ndarray:
    for unit in FRACTIONS:
        coarse = stamps.astype(f"datetime64[{unit}]")
        if (coarse == stamps).all():
            return coarse
    return stamps


def _minutes(offset: str) -> int:
    digits = re.sub(r"\D", "", offset).ljust(4, "0")
    return (-1 if offset[0] == "-" else 1) * (60 * int(digits[:2]) + int(digits[2:]))


def _is_regular(times: np.ndarray) -> bool:
    try:
        return bool(_regular(times))
    except DataError:
        return False


def _regular(times: np.ndarray) -> tuple[Calendar, int]:
    _check_ascending(times)
    calendars = list(_calendars(times))
    if len(times) < 2:
        return calendars[-1], 1
    steps = [np.diff(calendar.numbers) for calendar in calendars]
    for calendar, found in zip(calendars, steps, strict=True):
        if found[0] > 0 and (found == found[0]).all():
            return calendar, int(found[0])
    usual = [int(np.median(found)) for found in steps]
    shares = [float(np.mean(found == step)) for found, step in zip(steps, usual, strict=True)]
    best = int(np.argmax(shares))
    row = int(np.flatnonzero(steps[best] != usual[best])[0]) + 1
    known = shares[best] > USUAL
    step, comma, where = calendars[best].step(usual[best]).partition(",")
    most = f"; most rows are {step} apart{comma}{where}" if known else ", and no step is the usual one"
    add = "Add the missing rows with empty cells and write missing='forward', or write" if known else "Write"
    raise DataError(
        f"the times are not evenly spaced: row {row} is {times[row]}, row {row - 1} {times[row - 1]}{most}.\n"
        f"  {add} regular=False to count rows as steps."
    )


def _check_ascending(times: np.ndarray) -> None:
    back = np.flatnonzero(np.diff(times).astype(np.int64) <= 0)
    if back.size:
        row = back[0] + 1
        raise DataError(
            f"the times do not ascend: row {row} is {times[row]}, row {row - 1} {times[row - 1]}.\n"
            "  Sort the rows by time, and keep one for each; the hour that comes twice when summer time ends needs its"
            " offset: 2020-10-25 02:00+01:00."
        )


def _calendars(times: np.ndarray) -> Iterator[Calendar]:
    """The calendars that have all of `times`, the likelier first; seconds have any and come last."""
    days = times.astype("datetime64[D]")
    if (times - days == times[0] - days[0]).all():
        yield from _months(days, times[0] - days[0])
    seconds = _seconds(times)
    if (np.diff(times) == times[1:2] - times[:1]).all():  # before the calendars that few even rows may fit by chance
        yield seconds
    if (times - days == times[0] - days[0]).all():
        yield from _working(days, times[0] - days[0])
    if times.dtype != np.dtype("datetime64[s]"):
        yield from _rounded(times)
    yield seconds


def _seconds(times: np.ndarray) -> Calendar:
    size, name = FRACTIONS[np.datetime_data(times.dtype)[0]]

    def step(k: int) -> str:
        if k % size:
            return _counted(k, name)
        length, unit = next((length, unit) for length, unit in UNITS if k // size % length == 0)
        return _counted(k // size // length, unit)

    return Calendar(times.astype(np.int64), lambda numbers: numbers.astype(times.dtype), step)


def _rounded(times: np.ndarray) -> Iterator[Calendar]:
    """Thirty in a second, to the millisecond: .033, .067, .100."""
    fraction = np.datetime_data(times.dtype)[0]
    offsets, numbers = (times - times[0]).astype(np.int64), np.arange(len(times))
    length, first = np.polyfit(numbers, offsets, 1) if len(times) > 2 else (offsets[-1], 0)

    def at(numbers: np.ndarray) -> np.ndarray:
        return times[0] + np.rint(first + length * numbers).astype(f"timedelta64[{fraction}]")

    if np.abs(offsets - first - length * numbers).max() <= 1:
        yield Calendar(numbers, at, lambda k: f"{k * length:.4g} {FRACTIONS[fraction][1]}s")


def _months(days: np.ndarray, clock: np.timedelta64) -> Iterator[Calendar]:
    months = days.astype("datetime64[M]")
    if (_last_day(months) == days).all():
        yield _monthly(months, _last_day, clock, ", on the last day")
    places = days - months
    if len(days) > 2 or (places == places[0]).all():
        on_day = _monthly(
            months, lambda m: np.minimum(m.astype("datetime64[D]") + places.max(), _last_day(m)), clock, ""
        )
        if (on_day.at(on_day.numbers) - clock == days).all():
            yield on_day


def _working(days: np.ndarray, clock: np.timedelta64) -> Iterator[Calendar]:
    months = days.astype("datetime64[M]")
    for where, at in ((", on the last business day", _last_working), (", on the first business day", _first_working)):
        if (at(months) == days).all():
            yield _monthly(months, at, clock, where)
    skips = int((np.diff(days).astype(np.int64) > 1).sum())
    for week, (name, which) in WEEKS.items():
        if np.is_busday(days, week).all() and skips > bool(which):
            yield _weekly(days, week, clock, name, which)


def _weekly(days: np.ndarray, week: str, clock: np.timedelta64, name: str, which: str) -> Calendar:
    start = np.datetime64("1970-01-05")  # a Monday
    return Calendar(
        np.busday_count(start, days, week),
        lambda numbers: np.busday_offset(start, numbers, "forward", week) + clock,
        lambda k: f"{_counted(k, name)}{which}",
    )


def _monthly(months: np.ndarray, at: Callable[[np.ndarray], np.ndarray], clock: np.timedelta64, where: str) -> Calendar:
    return Calendar(
        months.astype(np.int64),
        lambda numbers: at(numbers.astype("datetime64[M]")) + clock,
        lambda k: f"{_counted(k, 'month')}{where}",
    )


def _last_day(months: np.ndarray) -> np.ndarray:
    return (months + 1).astype("datetime64[D]") - 1


def _last_working(months: np.ndarray) -> np.ndarray:
    return np.busday_offset((months + 1).astype("datetime64[D]"), -1, "forward")


def _first_working(months: np.ndarray) -> np.ndarray:
    return np.busday_offset(months.astype("datetime64[D]"), 0, "forward")


def _counted(n: int, unit: str) -> str:
    return f"{n} {unit}{'s' if n > 1 else ''}"
