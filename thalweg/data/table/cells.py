"""A table before anything is learned from it: columns of texts, and what a text in a cell is."""

from collections.abc import Sequence
from typing import Any

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

    >>> as_table({"age": [31, None], "city": ["Oslo", "Kiel"]})
    {'age': ['31', ''], 'city': ['Oslo', 'Kiel']}
    """
    names = list(frame) if isinstance(frame, dict) else list(frame.columns)
    return {str(name): _column(frame[name]) for name in names}


def _column(values: Any) -> list[str]:
    cells = Cells(_text(value) for value in values)
    cells.lines = getattr(values, "lines", ())
    return cells


def _text(value: Any) -> str:
    text = "" if value is None else str(value).strip()
    return "" if missing(text) else text
