"""Pictures: labelled pictures in three parts, from a named data set or from a file of one's own."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import data, datasets
from thalweg.data import encode_labels, split
from thalweg.datasets import Entry
from thalweg.errors import DataError
from thalweg.recipes import rows

TEST = 0.2  # the share of a file of one's own that tests
Part = tuple[np.ndarray, np.ndarray]
"""Pictures and their class numbers."""


@dataclasses.dataclass(frozen=True, eq=False)
class Pictures:
    """What a network learns from, what steers the training, and what it is judged by."""

    train: Part
    validation: Part
    test: Part
    classes: tuple[str, ...]
    source: str

    @property
    def brightest(self) -> float:
        """What white is, in the training part."""
        return float(self.train[0].max())

    def described(self) -> dict[str, Any]:
        """Where the data is from, its sizes, and the digests of its parts."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {
            "source": self.source,
            "rows": {name: len(part[1]) for name, part in parts.items()},
            "sha256": {name: data.digest(part) for name, part in parts.items()},
        }


def gather(entry: Entry, path: Path | None, validation: float, seed: int) -> Pictures:
    """The pictures of `entry`, or those at `path`.

    Args:
        entry: the named data set.
        path: a folder with the set's files, or an .npz or .csv file of one's own, a fifth of which then tests.
        validation: the share of the training part that validates.
        seed: fixes which rows those are.

    Raises:
        DataError: there is no such data, or it is damaged.
    """
    if path is not None and not path.is_dir():
        return _own(path, validation, seed)
    if path is not None and not entry.files:
        raise DataError(f"{path} is a folder; {entry.title} takes none.\n  Write --data FILE.npz with arrays x and y.")
    (x, y), test = datasets.load(entry.name, path)
    source = entry.title if path is None else f"{entry.title}, {path}"
    train, test = (x, y.reshape(-1)), (test[0], test[1].reshape(-1))
    return Pictures(*_halves(train, validation, seed), test, entry.classes, source)


def labelled(path: Path, shape: tuple[int, ...], classes: tuple[str, ...]) -> Part:
    """Every row of a file, for a network that takes rows of `shape` and knows `classes`."""
    x, y = rows.read(path, shape)
    return x, rows.codes(_known(y, path), classes)


def _own(path: Path, validation: float, seed: int) -> Pictures:
    x, labels = rows.read(path)
    y, classes = encode_labels(_known(labels, path))
    parts = split(len(y), test=TEST, labels=y, seed=seed)
    train, test = (x[parts.train], y[parts.train]), (x[parts.test], y[parts.test])
    return Pictures(*_halves(train, validation, seed), test, tuple(map(str, classes)), str(path))


def _known(labels: np.ndarray | None, path: Path) -> np.ndarray:
    if labels is None:
        raise DataError(f"{path} holds no labels.\n  Add an array y (.npz) or a column y (.csv), one label a row.")
    return labels


def _halves(part: Part, validation: float, seed: int) -> tuple[Part, Part]:
    x, y = part
    rows = split(len(y), validation=validation, labels=y, seed=seed)
    return (x[rows.train], y[rows.train]), (x[rows.validation], y[rows.validation])
