"""CSV files as columns of texts. Rows are counted from 0 in every message, as arrays count them."""

import csv
import io
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from thalweg.data.decoding import UTF8, decoded, read_bytes
from thalweg.data.table.cells import Cells, Table
from thalweg.data.table.numbers import is_number
from thalweg.errors import DataError
from thalweg.limits import beyond, limit, within
from thalweg.ranges import flag

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

    An empty line is passed over. Where there is one column alone, it is a row whose cell is empty, up to the last line
    that holds something. How large a file may be is in `thalweg.limits`: `csv_bytes`, `csv_columns`, `csv_cells`,
    `csv_characters`.

    Args:
        path: the file.
        names: the columns' names, for a file whose first line is data already.
        delimiter: what separates the cells; by default the one of `,` `;` tab `|` that the first line has most of.
        encoding: of the file; UTF-8 with or without a byte order mark.
        quotes: whether a cell may stand in double quotes; False where a quotation mark is a letter like any other.

    Raises:
        DataError: the file is missing, empty, in another encoding, beyond a limit, has lines of unequal length, or no
            line of names, or has it twice.
    """
    path = Path(path)
    lines = list(_lines(path, delimiter, encoding, flag("quotes", quotes), None if names is None else len(names)))
    if not lines:
        raise DataError(f"{path} is empty.\n  A table has a line of names and at least one line of data.")
    header, body = (list(names), lines) if names is not None else (lines[0][1], lines[1:])
    _check_header(path, header, given=names is not None)
    if not body:
        raise DataError(f"{path} has a line of names and no data.\n  Look at how it was written.")
    for row, (line, cells) in enumerate(body):
        _check_row(path, row, line, cells, header)
    return dict(zip(header, _columns(body, len(header)), strict=True))


def _columns(body: list[tuple[int, list[str]]], width: int) -> Iterator[Cells]:
    lines = [line for line, _ in body]
    for place in range(width):
        column = Cells(cells[place] for _, cells in body)
        column.lines = lines
        yield column


def _lines(
    path: Path, delimiter: str | None, encoding: str, quotes: bool, width: int | None
) -> Iterator[tuple[int, list[str]]]:
    """The number of each line that holds a row, and its cells; `width` columns, or as many as the first line has."""
    text = _text(path, encoding)
    csv.field_size_limit(limit("csv_characters"))
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    how = {"delimiter": delimiter or _delimiter(text, width), "quoting": quoting}
    raw: list[str] = []  # the lines of the row that is read
    reader = csv.reader(_noted(io.StringIO(text, newline=""), raw), **how)
    begin, line, found, empty, last = 1, 1, 0, [], []
    columns, most = limit("csv_columns"), limit("csv_cells")
    try:
        for read in reader:
            line, begin, last = begin, reader.line_num + 1, raw[:]
            raw.clear()
            cells = [cell.strip() for cell in read]
            found += len(cells) or 1
            if len(cells) > columns or found > most:
                raise beyond("csv_columns" if len(cells) > columns else "csv_cells", f"{path}, line {line},")
            if not any(cells) and len(cells) < 2 and read != [""]:  # a line of nothing, not of two quotes
                empty += [line] * (width == 1)
                continue
            width = width or len(cells)
            yield from ((blank, [""]) for blank in empty)
            empty = []
            yield line, cells
    except csv.Error as error:
        if "field limit" in str(error):
            raise beyond("csv_characters", f"{path} is no CSV file, or its cell on line {begin}") from error
        raise DataError(f"{path} is no CSV file: {error}.\n  Look at its quotes and delimiters.") from error
    _check_closed(last, how, f"{path}, line {line},")


def _check_closed(last: list[str], how: Mapping[str, Any], where: str) -> None:
    """Whether the last row, of the lines `last`, ends: a quote that is never closed takes all the rest of a file."""
    try:
        list(csv.reader(last, strict=True, **how))
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise DataError(
                f"{where} opens a quote that is never closed.\n  Close it, or read the file without quotes."
            ) from error


def _noted(lines: Iterable[str], raw: list[str]) -> Iterator[str]:
    for line in lines:
        raw.append(line)
        yield line


def _text(path: Path, encoding: str) -> str:
    if path.is_file():
        within("csv_bytes", path.stat().st_size, path)
    content = read_bytes(path)
    within("csv_bytes", len(content), path)
    return decoded(content, path, encoding).removeprefix("\ufeff")


def _delimiter(text: str, width: int | None) -> str:
    first = text.lstrip().partition("\n")[0]
    counts = {sign: first.count(sign) for sign in DELIMITERS}
    fitting = [sign for sign, count in counts.items() if width is not None and count == width - 1]
    return max(fitting or DELIMITERS, key=counts.__getitem__)


def _check_row(path: Path, row: int, line: int, cells: list[str], header: list[str]) -> None:
    if len(cells) != len(header):
        raise DataError(
            f"{path}: row {row} has {len(cells)} cells; the table has {len(header)} columns {header[:8]}.\n"
            f"  Look at line {line}. Quote cells that contain the delimiter, or name another delimiter; quotes=False if"
            " they are text."
        )
    if len(header) > 1 and cells == header:
        raise DataError(
            f"{path}: row {row} is the line of names again: {header[:8]}.\n"
            f"  Remove line {line}, as where files were written one behind the other."
        )


def _check_header(path: Path, header: list[str], *, given: bool) -> None:
    repeated = sorted(name for name, count in Counter(header).items() if count > 1)
    if repeated or "" in header:
        what = f"the name {repeated[0]!r} twice" if repeated and repeated[0] else "a column without a name"
        raise DataError(
            f"{path} has {what}.\n  Mend its first line, or write names=[...], one for each of {len(header)} columns."
        )
    numbers = [name for name in header if is_number(name) and not name.endswith("%")]
    if not given and (len(numbers) == len(header) or any("." in name or "," in name for name in numbers)):
        raise DataError(
            f"{path}: the first line holds numbers, not the columns' names: {header[:8]}.\n"
            f"  Put a line of names above it, or write names=[...], one for each of its {len(header)} columns."
        )
