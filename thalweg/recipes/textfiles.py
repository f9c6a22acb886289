"""textfiles: what people keep texts in, as texts, with labels where there are some.

    .txt            a text a line
    .csv .tsv       a line a text: a column `text` (or `sentence`, `review`, ...), and `label` (or `class`, ...)
    .jsonl          the same names in an object a line
    FOLDER/         a sub-folder for each class, a .txt file a text

A name may end in `.gz`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from thalweg import data
from thalweg.errors import DataError, nearest

TEXT_COLUMNS = ("text", "sentence", "review", "document", "content")
LABEL_COLUMNS = ("label", "class", "target", "sentiment", "y")
KINDS = (".txt", ".csv", ".tsv", ".jsonl")


class Texts(NamedTuple):
    """Texts, and their labels where they have some."""

    texts: list[str]
    labels: list[str] | None = None

    def at(self, rows: Sequence[int]) -> "Texts":
        """Some of the rows."""
        labels = None if self.labels is None else [self.labels[row] for row in rows]
        return Texts([self.texts[row] for row in rows], labels)


def read(path: Path) -> Texts:
    """The texts in a file, or in a folder with a sub-folder for each class.

    Raises:
        DataError: it is missing, empty, in another encoding, of a kind that is not read here, or a text is empty.
    """
    if path.is_dir():
        return _without_gaps(Texts(*data.read_classes(path)), path)
    if not path.is_file():
        raise DataError(f"{path} is no file.\n  Write the path of a {', '.join(KINDS)} file, or of a folder.")
    kind = next((suffix for suffix in reversed(path.suffixes) if suffix.lower() != ".gz"), "").lower()
    if kind not in KINDS:
        raise DataError(f"{path} is none of the kinds read here.\n  {nearest(kind, KINDS)}")
    if kind == ".txt":
        return _without_gaps(Texts(data.read_lines(path)), path)
    options: dict[str, Any] = (
        {"delimiter": "\t", "quotes": False} if kind == ".tsv" else {}
    )  # there a quote is a letter
    table = data.read_jsonl(path) if kind == ".jsonl" else data.read_csv(path, **options)
    return _without_gaps(_columns(table, path), path)


def _columns(table: Mapping[str, list[Any]], path: Path) -> Texts:
    names = {name.lower(): name for name in table}
    text, label = (next((names[n] for n in known if n in names), None) for known in (TEXT_COLUMNS, LABEL_COLUMNS))
    if text is None:
        raise DataError(
            f"{path} has no column of texts; it has {', '.join(map(repr, table))}.\n"
            f"  Name it {TEXT_COLUMNS[0]} (or {', '.join(TEXT_COLUMNS[1:])})."
        )
    texts, labels = (None if name is None else list(map(_cell, table[name])) for name in (text, label))
    return Texts(texts or [], labels)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)  # JSON's null


def _without_gaps(texts: Texts, path: Path) -> Texts:
    gap = next((row for row, text in enumerate(texts.texts) if not text.strip()), None)
    if gap is not None:
        raise DataError(f"{path}: text {gap} is empty.\n  Fill it, or remove the row.")
    return texts
