"""CSV files as columns of texts. Rows are counted from 0 in every message, as arrays count them."""

import csv
import io
import os
from collections.abc import Collection
from pathlib import Path

from thalweg.data.decoding import UTF8, decoded, read_bytes
from thalweg.data.table.cells import Table, number
from thalweg.errors import DataError

DELIMITERS = ",;\t|"


def read_csv(
    path: str | os.PathLike[str],
    *,
    names: Collection[str] | None = None,
    delimiter: str | None = None,
    encoding: str = UTF8,
    quotes: bool = True,
) -> Table:
    """The columns of a CSV file as texts, spaces around them removed.

    Args:
        path: the file.
        names: the columns' names, for a file whose first line is data already.
        delimiter: what separates the cells; by default the one of `,` `;` tab `|` that the first line has most of.
        encoding: of the file; UTF-8 with or without a byte order mark.
        quotes: whether a cell may stand in double quotes; False where a quotation mark is a letter like any other.

    Raises:
        DataError: the file is missing, empty, in another encoding, has lines of unequal length, or has no header.
    """
    path = Path(path)
    lines = _lines(path, delimiter, encoding, quotes)
    if not lines:
        raise DataError(f"{path} is empty.\n  A table has a line of names and at least one line of data.")
    header, body = (list(names), lines) if names is not None else (lines[0], lines[1:])
    _check_header(path, header, given=names is not None)
    if not body:
        raise DataError(f"{path} has a line of names and no data.\n  Look at how it was written.")
    for row, cells in enumerate(body):
        if len(cells) != len(header):
            raise DataError(
                f"{path}: row {row} has {len(cells)} cells; the table has {len(header)} columns {header[:8]}.\n"
                "  Quote cells that contain the delimiter, or name another delimiter; quotes=False if they are text."
            )
    return {name: [cells[i] for cells in body] for i, name in enumerate(header)}


def _lines(path: Path, delimiter: str | None, encoding: str, quotes: bool) -> list[list[str]]:
    try:
        text = decoded(read_bytes(path), path, encoding)
        first = text.lstrip().partition("\n")[0]
        delimiter, quoting = (
            delimiter or max(DELIMITERS, key=first.count),
            csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
        )
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
        return [[cell.strip() for cell in cells] for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise DataError(f"{path} is no CSV file: {error}.\n  Look at its quotes and delimiters.") from error


def _check_header(path: Path, header: list[str], *, given: bool) -> None:
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated or "" in header:
        what = f"the name {repeated[0]!r} twice" if repeated and repeated[0] else "a column without a name"
        raise DataError(
            f"{path} has {what}.\n  Mend its first line, or write names=[...], one for each of {len(header)} columns."
        )
    numbers = [name for name in header if number(name) is not None]
    if not given and (len(numbers) == len(header) or any("." in name for name in numbers)):
        raise DataError(
            f"{path}: the first line holds numbers, not the columns' names: {header[:8]}.\n"
            f"  Put a line of names above it, or write names=[...], one for each of its {len(header)} columns."
        )
