"""Series in people's CSV files: which column is the time, what fills a gap, which row is wrong."""

import dataclasses
import os
from collections.abc import Collection
from typing import Any

import numpy as np

from thalweg.data.series.series import Series, missing_value
from thalweg.data.series.times import read_times
from thalweg.data.table.cells import Table, line_of, missing, number
from thalweg.data.table.files import read_csv
from thalweg.data.table.numbers import PLAIN, NumberFormat, check_together, find_format, say_formats
from thalweg.errors import ConfigError, DataError, nearest
from thalweg.ranges import flag

LEFT_OUT = "leave the column {!r} out"


def read_series(
    path: str | os.PathLike[str],
    time: str | None = None,
    *,
    variables: Collection[str] | None = None,
    missing: str | None = None,
    regular: bool = True,
    decimal: str | None = None,
    thousands: str | None = None,
    **options: Any,
) -> Series:
    r"""The series in a CSV file, the oldest row first.

    Args:
        path: the file.
        time: the column of times; by default the first column whose every cell is a date (1949-01, 2016-07-01 13:00).
        variables: the columns to keep; all but the time by default.
        missing: "forward" repeats the last known value where one is missing; nothing later is looked at.
        regular: whether times that are not evenly spaced are an error; False counts rows as steps.
        decimal: the sign before the decimals, "." or ","; found for each column by default, and said.
        thousands: the sign between thousands, ",", ".", "'" or " "; likewise.
        **options: what `read_csv` takes: `names`, `delimiter`, `encoding`.

    Raises:
        DataError: see `read_csv`; a cell is no number or missing, or is one of two numbers; the times are unordered or
            uneven.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "rain.csv"
    >>> _ = path.write_text("Month,Rain\n1949-01,12\n1949-02,15\n")
    >>> read_series(path).names
    ('Rain',)
    """
    regular = flag("regular", regular)
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
    formats = {name: find_format(name, table[name], decimal, thousands, LEFT_OUT) or PLAIN for name in kept}
    check_together(formats, table)
    say_formats(formats, table, decimal, thousands, texts=LEFT_OUT)
    values = np.stack([_numbers(name, table[name], formats[name], missing == "forward") for name in kept], axis=1)
    series = Series.of(values, kept, stamps if regular else None)
    return dataclasses.replace(series, times=stamps)


def _time_column(table: Table) -> str | None:
    return next((name for name, cells in table.items() if number(cells[0]) is None and _dates(cells) is not None), None)


def _dates(cells: list[str]) -> np.ndarray | None:
    try:
        return read_times(cells)
    except ValueError:
        return None


def _stamps(name: str, cells: list[str]) -> np.ndarray:
    stamps = _dates(cells)
    if stamps is None:
        row = next((row for row, cell in enumerate(cells) if _dates([cell]) is None), 0)
        raise DataError(
            f"column {name!r}: row {row} holds {cells[row]!r}, which is no date.\n"
            "  Write dates as 2016-07, 2016-07-01 or 2016-07-01 13:00:00; an offset (+01:00) in all or in none."
        )
    return stamps


def _numbers(name: str, cells: list[str], written: NumberFormat, forward: bool) -> np.ndarray:
    out = np.zeros(len(cells))
    for row, cell in enumerate(cells):
        value = None if missing(cell) else written(cell)
        if value is None and not missing(cell):
            raise DataError(
                f"column {name!r}: row {row} holds {cell!r}; expected a number{line_of(cells, row)}.\n"
                "  Mend the row, or leave the column out."
            )
        if value is None and not (forward and row):
            raise missing_value(name, row)
        out[row] = out[row - 1] if value is None else value
    return out
