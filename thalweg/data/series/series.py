"""Series over time: [time, variables] with names and times, checked for gaps before anything is learned from them."""

import dataclasses
import os
from collections.abc import Collection
from typing import Any

import numpy as np

from thalweg.data.arrays import plain
from thalweg.data.table.files import Table, missing, number, read_csv
from thalweg.errors import ConfigError, DataError, nearest

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclasses.dataclass(frozen=True, eq=False)
class Series:
    """Values float64 [time, variables], the variables' names, and the time of each row (or None).

    >>> series = Series.of([1.0, 2.0, 4.0], names=["price"])
    >>> series.values.shape, series.names, len(series)
    ((3, 1), ('price',), 3)
    """

    values: np.ndarray
    names: tuple[str, ...]
    times: np.ndarray | None = None

    @classmethod
    def of(cls, values: Any, names: Collection[str] | None = None, times: Any = None) -> "Series":
        """A series of what people have: an array or list [time] or [time, variables], a frame, another series.

        Args:
            values: the numbers, the oldest first.
            names: of the variables; a frame brings its own, others are numbered.
            times: of the rows: ISO texts or datetime64; they must be evenly spaced.

        Raises:
            DataError: a value is missing or infinite, or the times are unordered or uneven.
            ConfigError: another number of names than of variables, or of times than of rows.
        """
        if isinstance(values, Series):
            return values
        x = plain(values, "the series").astype(np.float64)
        x = x[:, None] if x.ndim == 1 else x
        if x.ndim != 2 or not x.size:
            raise DataError(f"a series is [time, variables]; it is {list(x.shape)}.\n  Write one row for each time.")
        known = getattr(values, "columns", range(x.shape[1])) if names is None else names
        named = tuple(str(name) for name in known)
        stamps = None if times is None else np.asarray(times, "datetime64[s]")
        if len(named) != x.shape[1] or (stamps is not None and len(stamps) != len(x)):
            count = len(x) if stamps is None else len(stamps)
            raise ConfigError(f"{len(named)} names and {count} times for a series {list(x.shape)}.\n  Write one each.")
        _check_values(x, named)
        if stamps is not None:
            time_step(stamps)
        return cls(x, named, stamps)

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str | int) -> int:
        """The place of a variable; `ConfigError` where there is none of that name."""
        if isinstance(name, int | np.integer) and 0 <= name < len(self.names):
            return int(name)
        if name not in self.names:
            raise ConfigError(f"the series has no variable {name!r}.\n  {nearest(str(name), self.names)}")
        return self.names.index(str(name))


def read_series(
    path: str | os.PathLike[str],
    time: str | None = None,
    *,
    variables: Collection[str] | None = None,
    missing: str | None = None,
    regular: bool = True,
    **options: Any,
) -> Series:
    r"""The series in a CSV file, the oldest row first.

    Args:
        path: the file.
        time: the column of times; by default the first column whose every cell is a date (1949-01, 2016-07-01 13:00).
        variables: the columns to keep; all but the time by default.
        missing: "forward" repeats the last known value where one is missing; nothing later is looked at.
        regular: whether times that are not evenly spaced are an error; False counts rows as steps.
        **options: what `read_csv` takes: `names`, `delimiter`, `encoding`.

    Raises:
        DataError: see `read_csv`; a cell is no number or missing, the times are unordered or uneven.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "rain.csv"
    >>> _ = path.write_text("Month,Rain\n1949-01,12\n1949-02,15\n")
    >>> read_series(path).names
    ('Rain',)
    """
    table = read_csv(path, **options)
    if missing not in (None, "forward"):
        raise ConfigError(f"missing={missing!r} is unknown.\n  Write missing='forward', or leave it out.")
    for name in (*filter(None, [time]), *(variables or ())):
        if name not in table:
            raise DataError(f"{path} has no column {name!r}.\n  {nearest(name, table)}")
    time = _time_column(table) if time is None else time
    stamps = None if time is None else _stamps(time, table[time])
    kept = [name for name in (variables or table) if name != time]
    if not kept:
        raise DataError(f"{path} has no column beside the time {time!r}.\n  A series needs a variable.")
    values = np.stack([_numbers(name, table[name], forward=missing == "forward") for name in kept], axis=1)
    series = Series.of(values, kept, stamps if regular else None)
    return dataclasses.replace(series, times=stamps)


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


def _time_column(table: Table) -> str | None:
    return next((name for name, cells in table.items() if number(cells[0]) is None and _dates(cells) is not None), None)


def _dates(cells: list[str]) -> np.ndarray | None:
    try:
        stamps = np.array(cells, "datetime64[s]")
    except ValueError:
        return None
    return None if np.isnat(stamps).any() else stamps


def _stamps(name: str, cells: list[str]) -> np.ndarray:
    stamps = _dates(cells)
    if stamps is None:
        row = next(row for row, cell in enumerate(cells) if _dates([cell]) is None)
        raise DataError(
            f"column {name!r}: row {row} holds {cells[row]!r}, which is no date.\n"
            "  Write dates as 2016-07, 2016-07-01 or 2016-07-01 13:00:00."
        )
    return stamps


def _numbers(name: str, cells: list[str], *, forward: bool) -> np.ndarray:
    out = np.zeros(len(cells))
    for row, cell in enumerate(cells):
        value = number(cell)
        if value is None and not missing(cell):
            raise DataError(f"column {name!r}: row {row} holds {cell!r}; expected a number.\n  {_mended(cell)}")
        gap = missing(cell) or value is None
        if gap and not (forward and row):
            raise _missing(name, row)
        out[row] = out[row - 1] if gap else value
    return out


def _mended(cell: str) -> str:
    """What to do about a cell that is no number; a comma makes two kinds of numbers, and which is not known.

    >>> _mended("1,200"), _mended("many")
    ('Write numbers with a point and without commas: 1.5, 1200.', 'Mend the row, or leave the column out.')
    """
    if "," in cell and number(cell.replace(",", "")) is not None:
        return "Write numbers with a point and without commas: 1.5, 1200."
    return "Mend the row, or leave the column out."


def _missing(name: str, row: int) -> DataError:
    return DataError(
        f"variable {name!r}: row {row} is missing.\n  Write missing='forward' to repeat the value before it (row 0 has"
        " none), or leave the rows out."
    )


def _check_values(x: np.ndarray, names: tuple[str, ...]) -> None:
    wrong = np.argwhere(~np.isfinite(x))
    if wrong.size:
        row, column = wrong[0]
        if np.isnan(x[row, column]):
            raise _missing(names[column], int(row))
        raise DataError(f"variable {names[column]!r}: row {row} is infinite.\n  Mend it where it comes from.")
