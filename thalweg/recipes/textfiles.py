"""textfiles: what people keep texts in, as texts, with labels where there are some, and parts where they are set apart.

    .txt            a text a line
    .csv .tsv       a line a text: a column `text` (or `sentence`, `review`, ...), and `label` (or `class`, ...)
    .jsonl          the same names in an object a line
    FOLDER/         a sub-folder for each class, a .txt file a text
    FOLDER/         parts set apart: `train...`, `test...`, perhaps `valid...` or `dev...`, each of the kinds above

Where parts are set apart and none is called test, the one called `dev` or `valid` judges. A name may end in `.gz`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from thalweg import data
from thalweg.errors import DataError, nearest

TEXT_COLUMNS = ("text", "sentence", "review", "document", "content")
LABEL_COLUMNS = ("label", "class", "target", "sentiment", "y")
PARTS = {"train": ("train",), "validation": ("valid", "dev"), "test": ("test",)}
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
        return _whole(Texts(*data.read_classes(path)), path)
    if not path.is_file():
        raise DataError(f"{path} is no file.\n  Write the path of a {', '.join(KINDS)} file, or of a folder.")
    kind = next((suffix for suffix in reversed(path.suffixes) if suffix.lower() != ".gz"), "").lower()
    if kind not in KINDS:
        raise DataError(f"{path} is none of the kinds read here.\n  {nearest(kind, KINDS)}")
    if kind == ".txt":
        return _whole(Texts(data.read_lines(path)), path)
    table = data.read_jsonl(path) if kind == ".jsonl" else data.read_csv(path, **_cells(kind))
    return _whole(_columns(table, path), path)


def labelled(path: Path) -> Texts:
    """The same; `DataError` where there are no labels, or one is missing."""
    found = read(path)
    if found.labels is None:
        raise DataError(
            f"{path} holds no labels.\n  Write a table with the columns {TEXT_COLUMNS[0]} and {LABEL_COLUMNS[0]}, or a"
            " folder with a sub-folder for each class."
        )
    gap = next((row for row, label in enumerate(found.labels) if not label.strip()), None)
    if gap is not None:
        raise DataError(f"{path}: the label of row {gap} is missing.\n  Fill it, or remove the row.")
    return found


def parts(path: Path, kinds: Sequence[str] = KINDS) -> dict[str, Path]:
    """The parts that are set apart in a folder, by name: `{"train": ..., "test": ...}`; nothing where none are.

    Args:
        path: the folder.
        kinds: how the names of files end.
    """
    names = [p for p in sorted(path.iterdir()) if p.is_dir() or _readable(p, kinds)] if path.is_dir() else []
    found = {part: _named(names, signs) for part, signs in PARTS.items()}
    if found["test"] is None:
        found = {"train": found["train"], "test": found["validation"], "validation": None}
    return {part: place for part, place in found.items() if place} if found["train"] and found["test"] else {}


def _named(names: Sequence[Path], signs: Sequence[str]) -> Path | None:
    return next((p for p in names if any(sign in p.name.lower() for sign in signs)), None)


def _readable(path: Path, kinds: Sequence[str]) -> bool:
    return any(suffix.lower() in kinds for suffix in path.suffixes)


def _cells(kind: str) -> dict[str, Any]:
    return {"delimiter": "\t", "quotes": False} if kind == ".tsv" else {}  # where tabs separate, a quote is a letter


def _columns(table: Mapping[str, list[Any]], path: Path) -> Texts:
    names = {name.lower(): name for name in table}
    text, label = (next((names[n] for n in known if n in names), None) for known in (TEXT_COLUMNS, LABEL_COLUMNS))
    if text is None:
        raise DataError(
            f"{path} has no column of texts; it has {', '.join(map(repr, table))}.\n"
            f"  Name it {TEXT_COLUMNS[0]} (or {', '.join(TEXT_COLUMNS[1:])})."
        )
    texts, labels = (None if name is None else [_said(cell) for cell in table[name]] for name in (text, label))
    return Texts(texts or [], labels)


def _said(cell: Any) -> str:
    return "" if cell is None else str(cell)  # JSON's null


def _whole(found: Texts, path: Path) -> Texts:
    gap = next((row for row, text in enumerate(found.texts) if not text.strip()), None)
    if gap is not None:
        raise DataError(f"{path}: text {gap} is empty.\n  Fill it, or remove the row.")
    return found
