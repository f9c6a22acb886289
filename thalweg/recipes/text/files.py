"""files: labelled texts by part: as a named data set was published, or as people keep their own."""

from pathlib import Path

from thalweg import datasets
from thalweg.datasets import Entry
from thalweg.errors import DataError
from thalweg.recipes import paths, textfiles
from thalweg.recipes.textfiles import LABEL_COLUMNS, TEXT_COLUMNS, Texts


def published(entry: Entry, folder: Path | None) -> dict[str, Texts]:
    """The parts of a named data set, in the order that they are published in; class numbers become names."""
    loaded = datasets.load(entry.name, folder)
    pairs = loaded if isinstance(loaded[0], tuple) else (loaded,)
    names = ("train", "test") if len(pairs) < 3 else ("train", "validation", "test")
    parts = (Texts(list(texts), [entry.classes[k] for k in codes]) for texts, codes in pairs)
    return dict(zip(names, parts, strict=False))


def own(path: Path) -> dict[str, Texts]:
    """A person's texts by part; all of them as "train" where none are set apart."""
    return {part: labelled(place) for part, place in (paths.parts(path) or {"train": path}).items()}


def labelled(path: Path) -> Texts:
    """The texts that `textfiles.read` reads; `DataError` where there are no labels, or one is missing."""
    texts = textfiles.read(path)
    if texts.labels is None:
        raise DataError(
            f"{path} holds no labels.\n  Write a table with the columns {TEXT_COLUMNS[0]} and {LABEL_COLUMNS[0]}, or a"
            " folder with a sub-folder for each class."
        )
    gap = next((row for row, label in enumerate(texts.labels) if not label.strip()), None)
    if gap is not None:
        raise DataError(f"{path}: the label of row {gap} is missing.\n  Fill it, or remove the row.")
    return texts
