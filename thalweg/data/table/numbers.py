"""How people write numbers: 1060.5, 1,060.50, 1.060,50, 1 060,5, $12, 40 %.

A column is read in the one way that fits all its cells, and what is not Python's way is said. Where two ways fit and
give different numbers (1,060 is a thousand and sixty, or one and a bit), or where most cells are numbers and
one is not, it is an error with the row: nothing is guessed. A unit is taken off: 40 % is 40; all cells have it or none.
"""

import functools
import itertools
import re
import warnings
from collections.abc import Mapping

from thalweg.data.table.cells import line_of, missing, number
from thalweg.errors import ConfigError, DataError
from thalweg.record import Record

MARKS = str.maketrans(dict.fromkeys("\u00a0\u2007\u2009\u202f", " ") | {"\N{MINUS SIGN}": "-", "’": "'"})
UNIT = re.compile(r"([+-]?) ?([$€£¥₹₩￥]?) ?([+-]?.*?) ?([%‰％$€£¥₹₩￥]?)")
LIKELY = re.compile(r"[\s+\N{MINUS SIGN}$€£¥₹₩￥.,-]{0,8}\d")
ZEROS = re.compile(r"[+-]?0\d+")
LONGEST = 64  # characters of a number
AS_TEXTS = "write categorical=[{!r}] if these are texts"  # what to write where a column is none of numbers


class NumberFormat(Record):
    """How a column writes its numbers: the sign of decimals, that between thousands, and a unit before or after.

    >>> NumberFormat(",", thousands=".")("1.060,50")
    1060.5
    """

    decimal: str = "."
    thousands: str = ""
    unit: str = ""

    def __call__(self, text: str) -> float | None:
        """The number that `text` is, written so; None where it is not."""
        if self == PLAIN:
            return number(text)
        sign, before, digits, after = _parts(text)
        if before + after != self.unit:
            return None
        digits = f"{sign}{digits}"
        if not self.thousands and self.decimal == ".":
            return number(digits)
        if not _pattern(self.decimal, self.thousands).fullmatch(digits):
            return None
        return float((digits.replace(self.thousands, "") if self.thousands else digits).replace(self.decimal, "."))


PLAIN = NumberFormat()


def find_format(
    name: str, cells: list[str], decimal: str | None = None, thousands: str | None = None, texts: str = AS_TEXTS
) -> NumberFormat | None:
    """How a column writes its numbers, or None where most of its cells are texts.

    Args:
        name: of the column.
        cells: its texts; missing ones tell nothing.
        decimal: the sign of decimals, where it is known: "." or ",".
        thousands: that between thousands: ",", ".", "'" or " ".
        texts: what an error says to write where the column is none of numbers.

    Raises:
        DataError: two ways fit and give different numbers; or most cells are numbers, and not all.
        ConfigError: signs that no number is written with.

    >>> find_format("price", ["3,5", "1.060,50"])
    NumberFormat(',', thousands='.')
    """
    _check_signs(decimal, thousands)
    rows = [row for row, cell in enumerate(cells) if not missing(cell)]
    stated = decimal == "," or thousands is not None
    if not rows or (not stated and all(number(cells[row]) is not None for row in rows)):
        return PLAIN
    if 2 * sum(is_number(cells[row]) for row in rows) <= len(rows):
        return None
    ways = _ways(cells, decimal, thousands)
    fitting = {way: [row for row in rows if way(cells[row]) is not None] for way in ways}
    best = max(ways, key=lambda way: len(fitting[way]))
    if len(fitting[best]) < len(rows):
        raise _not_a_number(name, cells, min(set(rows) - set(fitting[best])), fitting[best], best, texts)
    for other in ways:
        if len(fitting[other]) == len(rows):
            _check_same(name, cells, best, other)
    return best


def check_together(formats: Mapping[str, NumberFormat], table: Mapping[str, list[str]]) -> None:
    """`DataError` for 1.060 in a plain column, where another column of the file writes decimals with a comma."""
    commas = next((name for name, way in formats.items() if way.decimal == ","), None)
    european = NumberFormat(",", thousands=".")
    for name in formats if commas is not None else ():
        cells = [cell for cell in table[name] if not missing(cell)]
        if formats[name] == PLAIN and any("." in c for c in cells) and all(european(c) is not None for c in cells):
            row = next(row for row, cell in enumerate(table[name]) if "." in cell)
            cell = table[name][row]
            raise DataError(
                f"column {name!r}: row {row} holds {cell!r}, which is {number(cell):g}, or {european(cell):g} as column"
                f" {commas!r} is written.\n  Write decimal=',' if the whole file is; else write all with a point."
            )


def say_formats(
    formats: Mapping[str, NumberFormat], table: Mapping[str, list[str]], *stated: str | None, texts: str = AS_TEXTS
) -> None:
    """A warning with an example for each way of writing that is not Python's and was not `stated`."""
    ways: dict[NumberFormat, list[str]] = {}
    for name, way in formats.items():
        if {way.decimal, way.thousands} - {".", "", *stated} or way.unit:
            ways.setdefault(way, []).append(name)
    for way, names in ways.items():
        cell = max((cell for cell in table[names[0]] if way(cell) is not None), key=len)
        so = [f"decimal={way.decimal!r}"] * (way.decimal != ".") + [f"thousands={way.thousands!r}"] * bool(
            way.thousands
        )
        remedy = f"Write the numbers without {way.unit!r}" if way.unit else f"Write {', '.join(so)} to say so"
        _warn(names, f"numbers are written as {cell!r}, which is read as {way(cell)!r}", f"{remedy}, or {texts}")
    zeros = {name: _with_zeros(table[name]) for name, way in formats.items() if way == PLAIN}
    names = [name for name, cell in zeros.items() if cell]
    if names:
        what = f"{zeros[names[0]]!r} is read as the number {number(zeros[names[0]]):g}"
        _warn(names, what, f"Write it without zeros, or {texts}")


def _warn(names: list[str], what: str, remedy: str) -> None:
    more = f" (and {len(names) - 1} more)" if names[1:] else ""
    warnings.warn(f"column {names[0]!r}{more}: {what}.\n  {remedy.format(names[0])}.", stacklevel=5)


def _with_zeros(cells: list[str]) -> str:
    """The first cell that begins with zeros as names do, 007; empty where there is none."""
    return next((cell for cell in cells if cell[:1] in "0+-" and ZEROS.fullmatch(cell)), "")


def is_number(text: str) -> bool:
    """Whether a text is a number, in whatever way it is written.

    >>> is_number("1 060,50 €"), is_number("1 or 2")
    (True, False)
    """
    return number(text) is not None or (
        bool(LIKELY.match(text)) and any(way(text) is not None for way in _ways([text]))
    )


def _ways(cells: list[str], decimal: str | None = None, thousands: str | None = None) -> list[NumberFormat]:
    parts = [_parts(cell) for cell in cells if not missing(cell)]
    units = dict.fromkeys(["", *(before + after for _, before, _, after in parts)])
    signs = {sign for _, _, digits, _ in parts for sign in ".,' " if sign in digits}
    decimals = [decimal] if decimal else [".", *{","} & signs]
    between = ["", *sorted(signs)] if thousands is None else [thousands]
    pairs = [(point, comma) for point, comma in itertools.product(decimals, between) if point != comma]
    return [NumberFormat(point, comma, unit) for unit in units for point, comma in pairs]


def _check_signs(decimal: str | None, thousands: str | None) -> None:
    if decimal not in (None, ".", ",") or thousands not in (None, "", ".", ",", "'", " "):
        raise ConfigError(
            f"decimal={decimal!r}, thousands={thousands!r}: no number is written so.\n"
            "  Write decimal=',' or '.', and thousands='.', ',', ' ' or \"'\"."
        )
    if decimal is not None and decimal == thousands:
        raise ConfigError(f"decimal and thousands are both {decimal!r}.\n  Write two signs that differ.")


def _check_same(name: str, cells: list[str], way: NumberFormat, other: NumberFormat) -> None:
    for row, cell in enumerate(cells):
        if not missing(cell) and way(cell) != other(cell):
            comma = next(sign for sign in ",.' " if sign in cell)
            raise DataError(
                f"column {name!r}: row {row} holds {cell!r}, which is {way(cell):g} or {other(cell):g}.\n"
                f"  Write numbers with a point; or thousands={comma!r} if it parts thousands, decimal={comma!r} if not."
            )


def _not_a_number(name: str, cells: list[str], row: int, right: list[int], way: NumberFormat, texts: str) -> DataError:
    cell = cells[row]
    signs = f"decimal={way.decimal!r}" + (f", thousands={way.thousands!r}" if way.thousands else "")
    written = "" if way == PLAIN else f" written like {cells[right[0]]!r}" if right else f" written with {signs}"
    what = "the name of the column, as if the line of names came again" if cell == name else repr(cell)
    remedy = "Remove the line" if cell == name else "Mend the cell (leave it empty if it is missing)"
    return DataError(
        f"column {name!r}: row {row} holds {what}; expected a number{written}, as most rows are numbers.\n"
        f"  {remedy}{line_of(cells, row)}; or {texts.format(name)}."
    )


def _parts(text: str) -> tuple[str, str, str, str]:
    """The sign, the unit before, the number, the unit after."""
    found = UNIT.fullmatch(text.translate(MARKS).strip()) if len(text) <= LONGEST else None
    return ("", "", "", "") if found is None else found.group(1, 2, 3, 4)  # pyright: ignore[reportReturnType]


@functools.cache
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    point = re.escape(decimal)
    groups = rf"[1-9]\d{{0,2}}(?:{re.escape(thousands)}\d{{2,3}})*{re.escape(thousands)}\d{{3}}|" if thousands else ""
    return re.compile(rf"[+-]?(?:(?:{groups}\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?")
