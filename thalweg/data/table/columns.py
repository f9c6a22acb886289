"""The columns of a table: texts in, numbers out. Each kind of column is a record of what it learned."""

import math
import re

import numpy as np

from thalweg.data.table.cells import line_of, missing
from thalweg.data.table.numbers import PLAIN, NumberFormat
from thalweg.errors import DataError
from thalweg.record import Record

DATE = re.compile(r"(?:\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.](?:\d\d){1,2})(?:[T ]\d\d?:.*)?")
ROUNDED = 1e-3  # of a column's deviation: what may be lost to float32
FEW = 100  # a text column with more values than this, most of them different, names rows rather than kinds


class NumberColumn(Record):
    """A column of numbers. `fill` stands for a missing one; without it a missing number is an error.

    >>> NumberColumn("age", fill=30.0)(["20", "NA"]).tolist()
    [[20.0], [30.0]]
    """

    name: str
    fill: float | None = None
    written: NumberFormat = PLAIN

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the numbers that a row gives."""
        return (self.name,)

    def __call__(self, cells: list[str]) -> np.ndarray:
        """float64 [rows, 1]."""
        numbers = [self.fill if missing(cell) else self.written(cell) for cell in cells]
        for row, value in enumerate(numbers):
            if value is None or not math.isfinite(value):
                raise bad_cell(self.name, row, cells, "a number")
        return np.array(numbers, np.float64)[:, None]


class OneHotColumn(Record):
    """A column of texts, as one number for each known text: 1 where the row holds it, else 0.

    >>> OneHotColumn("sex", ("female", "male"))(["male"]).tolist()
    [[0.0, 1.0]]
    """

    name: str
    values: tuple[str, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the numbers that a row gives."""
        return tuple(f"{self.name}={value}" for value in self.values)

    def __call__(self, cells: list[str]) -> np.ndarray:
        """float64 [rows, values]."""
        return np.eye(len(self.values))[_codes(self.name, self.values, cells)]


class CodeColumn(Record):
    """A column of texts, as the place of each text among the known ones: what an `Embedding` looks up.

    >>> CodeColumn("city", ("Kiel", "Oslo"))(["Oslo", "Kiel"]).tolist()
    [[1.0], [0.0]]
    """

    name: str
    values: tuple[str, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the numbers that a row gives."""
        return (self.name,)

    def __call__(self, cells: list[str]) -> np.ndarray:
        """float64 [rows, 1]."""
        return np.array(_codes(self.name, self.values, cells), np.float64)[:, None]


Column = NumberColumn | OneHotColumn | CodeColumn


def learn_numbers(name: str, cells: list[str], rows: list[int], fill: bool, written: NumberFormat) -> NumberColumn:
    """The column of numbers that `cells` are, as `written` says.

    With `fill`, the mean of `rows` (the training part) stands for what is missing.
    """
    check_rounded(name, cells, written)
    if not fill:
        return NumberColumn(name, None, written)
    known = [written(cells[row]) for row in rows if not missing(cells[row])]
    if not known:
        raise DataError(f"column {name!r} is empty: every cell is missing.\n  Write drop=[{name!r}].")
    return NumberColumn(name, float(np.mean(np.array(known, np.float64))), written)


def check_rounded(name: str, cells: list[str], written: NumberFormat) -> None:
    """`DataError` for numbers that differ by little beside their size: float32, as networks take it, makes them one.

    Such are days written 20200131, seconds since 1970 and long ids: |float32(x) - x| > 0.001 of their deviation.
    """
    read = [math.nan if missing(cell) else written(cell) for cell in cells]
    numbers = np.array([math.nan if value is None else value for value in read])
    numbers[~np.isfinite(numbers)] = np.nan
    with np.errstate(over="ignore"):
        off = np.nan_to_num(np.abs(numbers.astype(np.float32) - numbers))
    worst = int(off.argmax()) if len(off) else 0
    if not off.any() or off[worst] <= ROUNDED * np.nanstd(numbers) or not np.nanstd(numbers):
        return
    rounded = float(np.float32(numbers[worst]))
    raise DataError(
        f"column {name!r}: row {worst} holds {cells[worst]!r}, which float32 rounds to {rounded!r}: numbers that differ"
        f" become one.\n  Subtract the smallest, write drop=[{name!r}], or categorical=[{name!r}]"
        f" if these are names{line_of(cells, worst)}."
    )


def learn_texts(name: str, cells: list[str], fill: bool) -> tuple[str, ...]:
    """The different texts of a column, sorted; with `fill` a missing one counts as the empty text."""
    gap = first_missing(cells)
    if gap is not None and not fill:
        raise bad_cell(name, gap, cells, "")
    return tuple(sorted({"" if missing(cell) else cell for cell in cells}))


def check_kinds(name: str, values: tuple[str, ...], rows: int) -> None:
    """`DataError` for a column of which nothing can be learned because nearly every row has a text of its own."""
    if len(values) > max(FEW, rows // 2):
        raise DataError(
            f"column {name!r} holds {len(values)} different texts in {rows} rows: it names rows, not kinds.\n"
            f"  Write drop=[{name!r}], or codes=[{name!r}] for an Embedding."
        )


def check_dates(name: str, values: tuple[str, ...]) -> None:
    """`DataError` for a column of dates, of which a new one would be unknown."""
    if all(map(DATE.fullmatch, filter(None, values))):
        raise DataError(
            f"column {name!r} holds dates such as {values[-1]!r}: as texts, a new date would be unknown.\n"
            f"  Write drop=[{name!r}] and columns of your own (weekday, month), or categorical=[{name!r}]."
        )


def first_missing(cells: list[str]) -> int | None:
    """The first row whose cell holds nothing."""
    return next((row for row, cell in enumerate(cells) if missing(cell)), None)


def bad_cell(name: str, row: int, cells: list[str], expected: str) -> DataError:
    """The error for a cell that is missing or is not what was `expected`, with its row, its column and the remedy."""
    where = line_of(cells, row)
    if missing(cells[row]):
        return DataError(
            f"column {name!r}: row {row} is missing.\n  Write missing='mean' to fill it, drop=[{name!r}] to"
            f" leave the column out, or remove the row{where}."
        )
    return DataError(f"column {name!r}: row {row} holds {cells[row]!r}; expected {expected}.\n  Mend the cell{where}.")


def _codes(name: str, values: tuple[str, ...], cells: list[str]) -> list[int]:
    place = {value: i for i, value in enumerate(values)}
    texts = ["" if missing(cell) else cell for cell in cells]
    for row, text in enumerate(texts):
        if text not in place:
            raise bad_cell(name, row, cells, f"one of {', '.join(map(repr, values[:8]))}")
    return [place[text] for text in texts]
