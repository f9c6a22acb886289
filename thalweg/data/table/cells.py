"""A table before anything is learned from it: columns of texts, and what a text in a cell is."""

from typing import Any

Table = dict[str, list[str]]
"""The texts of each column by its name, in the order of the file."""

MISSING = frozenset({"", "?", "na", "<na>", "n/a", "nan", "nat", "null"})


def missing(text: str) -> bool:
    """Whether a cell holds nothing: empty, "?", "NA", "N/A", "NaN", "NaT" or "null", in any case."""
    return text.lower() in MISSING


def number(text: str) -> float | None:
    """The number that a cell holds, or None (Python would read "1_0" as ten)."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def as_table(frame: Any) -> Table:
    """A frame (pandas, or a dict of columns) as columns of texts; None and NaN become the empty text.

    >>> as_table({"age": [31, None], "city": ["Oslo", "Kiel"]})
    {'age': ['31', ''], 'city': ['Oslo', 'Kiel']}
    """
    names = list(frame) if isinstance(frame, dict) else list(frame.columns)
    return {str(name): [_text(value) for value in frame[name]] for name in names}


def _text(value: Any) -> str:
    text = "" if value is None else str(value).strip()
    return "" if missing(text) else text
