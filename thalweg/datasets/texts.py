"""What the sets of texts share: a file that is found or fetched, as lines, cells, or tokens and tags."""

from thalweg.data import read_conll, read_text
from thalweg.data.decoding import lines_of
from thalweg.datasets.entry import Entry
from thalweg.datasets.store import Folder, obtain
from thalweg.errors import DataError

Tagged = tuple[list[list[str]], list[list[str]]]
"""The tokens of each sentence, and its tags."""


def text(entry: Entry, name: str, data: Folder = None) -> str:
    """The text of the published file `name`."""
    published = next(file for file in entry.files if file.name == name)
    return read_text(obtain(entry, published, data))


def lines(entry: Entry, name: str, data: Folder = None) -> list[str]:
    """The lines of the published file `name`."""
    return lines_of(text(entry, name, data))


def cells(entry: Entry, name: str, columns: tuple[str, ...], data: Folder = None) -> list[list[str]]:
    """Columns by name of a published table whose cells are separated by tabs and never quoted.

    Raises:
        DataError: the table has no such column, or a row another number of cells.
    """
    header, *rows = (line.split("\t") for line in lines(entry, name, data))
    if not set(columns) <= set(header) or any(len(row) != len(header) for row in rows):
        raise DataError(f"{entry.title}: {name} is not as it was published, columns {header}.\n  Copy it anew.")
    return [[row[place] for row in rows] for place in map(header.index, columns)]


def codes(entry: Entry, name: str, labels: list[str]) -> list[int]:
    """The class numbers that a published table writes out.

    Raises:
        DataError: one is no number of a class.
    """
    numbers = {str(k): k for k in range(len(entry.classes))}
    wrong = next((row for row, label in enumerate(labels) if label not in numbers), None)
    if wrong is not None:
        raise DataError(
            f"{entry.title}: {name}, row {wrong}: the label is {labels[wrong]!r:.40}; the classes are 0 to "
            f"{len(numbers) - 1}.\n  Copy it anew."
        )
    return [numbers[label] for label in labels]


def tagged(entry: Entry, name: str, data: Folder = None) -> Tagged:
    """The tokens and tags of the published CoNLL file `name`; the tag is the last column."""
    published = next(file for file in entry.files if file.name == name)
    tokens, tags = read_conll(obtain(entry, published, data))
    return tokens, tags
