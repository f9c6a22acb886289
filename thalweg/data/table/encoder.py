"""From a table of texts to numbers: what each column becomes is learned once and kept in the model file."""

import os
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from thalweg.data.arrays import aligned
from thalweg.data.labels import Labels
from thalweg.data.sources import ArraySource
from thalweg.data.table.cells import Table, as_table, line_of
from thalweg.data.table.columns import (
    CodeColumn,
    Column,
    NumberColumn,
    OneHotColumn,
    check_dates,
    check_kinds,
    check_rounded,
    first_missing,
    learn_numbers,
    learn_texts,
)
from thalweg.data.table.files import read_csv
from thalweg.data.table.numbers import NumberFormat, check_together, find_format, say_formats
from thalweg.errors import ConfigError, DataError, nearest
from thalweg.record import Record


class TableEncoder(Record):
    """Columns in, one matrix of features and one array of targets out.

    >>> encoder = TableEncoder.fit({"age": [20, 40], "city": ["Oslo", "Kiel"], "buys": ["no", "yes"]}, "buys")
    >>> encoder.features
    ('age', 'city=Kiel', 'city=Oslo')
    >>> x, y = encoder({"age": [30], "city": ["Kiel"], "buys": ["yes"]})
    >>> x.tolist(), y.tolist()
    ([[30.0, 1.0, 0.0]], [1])
    """

    columns: tuple[Column, ...]
    target: str | None = None
    labels: Labels | None = None
    numbers: NumberColumn | None = None

    @classmethod
    def fit(
        cls,
        table: Any,
        target: str | None = None,
        *,
        columns: Collection[str] | None = None,
        drop: Collection[str] = (),
        categorical: Collection[str] = (),
        codes: Collection[str] = (),
        missing: str | None = None,
        rows: Iterable[int] | None = None,
        decimal: str | None = None,
        thousands: str | None = None,
    ) -> "TableEncoder":
        """Learn what each column becomes.

        A column whose every cell is a number stays a number; any other becomes one number for each text it holds. How
        a column writes its numbers (3,5 or 1,060.50 or $12) is found, and said where it is not as Python writes them.

        Args:
            table: columns of texts from `read_csv`, a dict of columns, or a frame.
            target: the column to predict. Texts become class codes, whole numbers int32 (float32 where they are
                too large for it), other numbers float32.
            columns: the columns to learn from; all but the target by default.
            drop: columns to leave out.
            categorical: columns of numbers to treat as texts (a class of travel, a month).
            codes: columns to give as codes, for an `Embedding`.
            missing: "mean" fills a missing number with the column's mean and makes a missing text a value of its own.
            rows: the rows whose means fill in, `split.train`; all by default.
            decimal: the sign before the decimals of all numbers, "." or ","; found for each column by default.
            thousands: the sign between thousands, ",", ".", "'" or " "; likewise.

        Raises:
            DataError: a missing cell, an unknown column, a text column that names rows, a target of one class; a column
                of which most cells are numbers and not all, or whose numbers can be read in two ways.
        """
        table = as_table(table)
        if missing not in (None, "mean"):
            raise ConfigError(f"missing={missing!r} is unknown.\n  Write missing='mean', or leave it out.")
        _check_names(table, columns or (), drop, categorical, codes, [] if target is None else [target])
        chosen = _rows(rows, _length(table))
        kept = _kept(columns or table, target, drop)
        named = [name for name in (*kept, *filter(None, [target])) if name not in {*codes, *categorical}]
        formats = _formats(table, named, decimal, thousands)

        def learn(name: str) -> Column:
            cells, fill = table[name], missing == "mean"
            if name in formats:
                return learn_numbers(name, cells, chosen, fill, formats[name])
            values = learn_texts(name, cells, fill)
            if name in codes:
                return CodeColumn(name, values)
            if name not in categorical:
                check_dates(name, values)
            check_kinds(name, values, len(cells))
            return OneHotColumn(name, values)

        learned = tuple(learn(name) for name in kept)
        if target is None:
            return cls(learned)
        labels = Labels.fit(np.array(_target_cells(target, table)), f"the target {target!r}")
        numbers = _target_numbers(target, table[target], formats[target]) if target in formats else None
        return cls(learned, target, None if numbers else labels, numbers)

    @property
    def features(self) -> tuple[str, ...]:
        """The name of each column of the matrix."""
        return tuple(name for column in self.columns for name in column.features)

    def __call__(self, table: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """`(x, y)`: float32 [rows, features] and the targets, None where the table has no target column."""
        table = as_table(table)
        x = aligned((_length(table), len(self.features)), np.float32)
        start = 0
        for column in self.columns:
            _check_known(column.name, table)
            width = len(column.features)
            x[:, start : start + width] = column(table[column.name])
            start += width
        return x, self._targets(table) if self.target is not None and self.target in table else None

    def _targets(self, table: Table) -> np.ndarray:
        name = str(self.target)
        cells = _target_cells(name, table)
        if self.labels is not None:
            return self.labels(np.array(cells), f"the target {name!r}")
        numbers = (self.numbers or NumberColumn(name))(cells)
        return numbers[:, 0].astype(np.int32 if _whole(cells, numbers) else np.float32)


def _kept(names: Iterable[str], target: str | None, drop: Collection[str]) -> list[str]:
    kept = [name for name in names if name != target and name not in drop]
    if not kept:
        raise DataError("no column is left to learn from.\n  Write fewer names in drop, or other columns.")
    return kept


def _target_numbers(name: str, cells: list[str], written: NumberFormat) -> NumberColumn:
    column = NumberColumn(name, written=written)
    if not _whole(cells, column(cells)):
        check_rounded(name, cells, written)
    return column


def _whole(cells: list[str], numbers: np.ndarray) -> bool:
    """Whether a target's numbers are whole and of int32; beyond it they are quantities."""
    fits = np.abs(numbers).max(initial=0) <= np.iinfo(np.int32).max
    return bool(fits) and all(cell.lstrip("+-").isdigit() for cell in cells)


def _length(table: Table) -> int:
    return len(next(iter(table.values()), []))


def _rows(rows: Iterable[int] | None, count: int) -> list[int]:
    """The rows that means are taken of."""
    if not count:
        raise DataError("the table has no rows.\n  Give at least one; look at how they were chosen.")
    chosen = list(range(count) if rows is None else rows)
    odd = next((row for row in chosen if not 0 <= row < count), None)
    if odd is not None or not chosen:
        raise DataError(
            f"rows={'[]' if odd is None else odd} is not among the {count} rows of the table.\n"
            "  Write rows=split.train, of a split of this table's rows."
        )
    return chosen


def _check_names(table: Table, *lists: Collection[str]) -> None:
    for names in lists:
        if isinstance(names, str):
            raise DataError(f"{names!r} is one text where names of columns are taken.\n  Write [{names!r}].")
        for name in names:
            _check_known(name, table)


def _check_known(name: str, table: Table) -> None:
    if name not in table:
        raise DataError(f"the table has no column {name!r}.\n  {nearest(name, table)}")


def _formats(table: Table, names: list[str], decimal: str | None, thousands: str | None) -> dict[str, NumberFormat]:
    """How the columns of numbers among `names` are written; said where that was found and is not Python's way."""
    found = {name: find_format(name, table[name], decimal, thousands) for name in names}
    formats = {name: written for name, written in found.items() if written is not None}
    check_together(formats, table)
    say_formats(formats, table, decimal, thousands)
    return formats


def _target_cells(name: str, table: Table) -> list[str]:
    cells = table[name]
    gap = first_missing(cells)
    if gap is not None:
        raise DataError(
            f"the target {name!r}: row {gap} is missing.\n  Leave out the rows that have no target"
            f"{line_of(cells, gap)}."
        )
    return cells


def from_csv(
    path: str | os.PathLike[str],
    target: str | None = None,
    *,
    encoder: TableEncoder | None = None,
    names: Collection[str] | None = None,
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
    **options: Any,
) -> tuple[ArraySource, TableEncoder]:
    """A source of a CSV file's rows, and the encoder that made numbers of them.

    Args:
        path: the file.
        target: the column to predict.
        encoder: the encoder of an earlier file, for a test file or for new rows; by default one is fitted.
        names: the columns' names, for a file whose first line is data already.
        delimiter: what separates the cells; found in the first line by default.
        encoding: of the file.
        **options: what `TableEncoder.fit` takes: `columns`, `drop`, `categorical`, `codes`, `missing`, `rows`,
            `decimal`, `thousands`.

    Raises:
        DataError: see `read_csv` and `TableEncoder.fit`.
    """
    table = read_csv(path, names=names, delimiter=delimiter, encoding=encoding)
    encoder = encoder or TableEncoder.fit(table, target, **options)
    return ArraySource(*encoder(table)), encoder
