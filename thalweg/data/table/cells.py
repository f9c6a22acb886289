"""A table before anything is learned from it: columns of texts, and what a text in a cell is."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from thalweg.errors import DataError

Table = dict[str, list[str]]
"""The texts of each column by its name, in the order of the file."""

MISSING = frozenset({"", "?", "na", "<na>", "n/a", "nan", "-nan", "nat", "null", "#n/a", "#na"})


class Cells(list[str]):
    """The texts of a column that knows on which line of its file each row begins."""

    lines: Sequence[int] = ()


def line_of(cells: list[str], row: int) -> str:
    """Where a row of a column stands, for the end of a remedy: ", on line 7 of the file", or nothing."""
    lines = getattr(cells, "lines", ())
    return f", on line {lines[row]} of the file" if lines else ""


def missing(text: str) -> bool:
    """Whether a cell holds nothing: empty, "?", "NA", "#N/A", "NaN", "NaT" or "null", in any case."""
    return text.lower() in MISSING


def number(text: str) -> float | None:
    """The number that a cell holds, written as Python writes numbers, or None (Python would read "1_0" as ten)."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return number(text.replace("\N{MINUS SIGN}", "-")) if "\N{MINUS SIGN}" in text else None


def as_table(frame: Any) -> Table:
    """A frame (pandas, or a dict of columns) as columns of texts; None and NaN become the empty text.

    Raises:
        DataError: two columns of one name, columns of several lengths, or a cell of several values.

    >>> as_table({"age": [31, None], "city": ["Oslo", "Kiel"]})
    {'age': ['31', ''], 'city': ['Oslo', 'Kiel']}
    """
    names = list(frame) if isinstance(frame, dict) else list(frame.columns)
    twice = next((name for name, count in Counter(map(str, names)).items() if count > 1), None)
    if twice is not None:
        raise DataError(
            f"the table has the name {twice!r} twice.\n  Write frame.columns = [...], a name for each column."
        )
    table = {str(name): _column(str(name), frame[name]) for name in names}
    lengths = {name: len(cells) for name, cells in table.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(
            f"the columns differ in their number of rows: {lengths}.\n  Give each row a cell in every column."
        )
    return table


def _column(name: str, values: Any) -> list[str]:
    cells = Cells(_text(name, row, value) for row, value in enumerate(values))
    cells.lines = getattr(values, "lines", ())
    return cells


def _text(name: str, row: int, value: Any) -> str:
    if isinstance(value, list | tuple | dict | set | complex) or getattr(value, "ndim", 0):
        raise DataError(
            f"column {name!r}: row {row} holds {value!r:.80}; a cell is one number or one text.\n"
            "  Make a column of each of its parts."
        )
    text = "" if value is None else str(value).strip()
    return "" if missing(text) else text
