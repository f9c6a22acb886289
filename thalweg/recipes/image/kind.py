"""kind: pictures into classes; labelled pictures in three parts, from a named data set or from a file of one's own."""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg import datasets
from thalweg.data import encode_labels, equal_rows, split
from thalweg.datasets import Entry
from thalweg.errors import ConfigError, DataError
from thalweg.model import Model
from thalweg.recipes import classifier, paths
from thalweg.recipes.answers import of_rows
from thalweg.recipes.base import Answer, Asked, Facts, Material, Trained
from thalweg.recipes.copies import Counted, in_arrays
from thalweg.recipes.folder import SAMPLES
from thalweg.recipes.image import files
from thalweg.recipes.image.verdict import verdict
from thalweg.recipes.settings import Asking, Settings
from thalweg.recipes.verdict import Verdict

TEST = 0.2  # the share of a file of one's own that tests
TRIED = 10  # test pictures set apart for a first `predict`
Part = tuple[np.ndarray, np.ndarray]
"""Pictures and their class numbers."""


class Parts(NamedTuple):
    """The part that trains, the one that steers, and the one that judges."""

    train: Part
    validation: Part
    test: Part


class Shades(Facts):
    """The value that white has in what the network was trained on."""

    brightest: float = 255.0


@dataclasses.dataclass(frozen=True)
class PictureClasses:
    """Pictures into classes. `entry` is the named data set; None knows only files of a person's own."""

    entry: Entry | None = None
    asking: type[Asking] = Asking
    facts: type[Facts] = Shades

    def gather(self, path: Path | None, settings: Settings) -> Material:
        """The pictures of the data set, or those at `path`.

        Args:
            path: a folder with the set's files, or an .npz or .csv file of one's own, a fifth of which then tests.
            settings: the share that validates, and the seed that fixes which rows those are.

        Raises:
            DataError: there is no such data, or it is damaged.
        """
        if path is not None and not path.is_dir():
            return _own(path, settings.validation_split, settings.seed)
        if self.entry is None:
            raise ConfigError("the model is no recipe's, so its test data is not known.\n  Write --data FILE.npz.")
        if path is not None and not self.entry.files:
            raise DataError(
                f"{path} is a folder; {self.entry.title} takes none.\n  Write --data FILE.npz with arrays x and y."
            )
        (x, y), test = datasets.load(self.entry.name, path)
        source = paths.source(self.entry.title, path)
        halves = _halves((x, y.reshape(-1)), settings.validation_split, settings.seed)
        return _material(
            Parts(*halves, (test[0], test[1].reshape(-1))), self.entry.classes, source, in_arrays(x, test[0])
        )

    def blank(self, settings: Settings) -> Material:
        """One black picture of the data set's shape."""
        del settings
        if self.entry is None:
            raise ConfigError(
                "no data set is named, so the shape of a picture is not known.\n"
                "  Name a recipe that has one: thalweg recipes."
            )
        part = np.zeros((1, *self.entry.shape), np.uint8), np.zeros(1, np.int32)
        return _material(Parts(part, part, part), self.entry.classes, self.entry.title)

    def exam(self, trained: Trained, path: Path) -> Material:
        """Every row of a labelled file; or the test part of the data set in the folder `path`."""
        if path.is_dir():
            return self.gather(path, trained.settings)
        part = labelled(path, trained.shape, trained.classes)
        return _material(Parts(part, part, part), trained.classes, str(path))

    def judge(self, model: Model, material: Material) -> Verdict:
        """Accuracy beside the commonest class; confusion matrix, class by class, the worst mistakes."""
        x, y = material.test
        return verdict(classifier.predictions(model, x, y, material.classes), x, material.train[1])

    def samples(self, material: Material, folder: Path) -> tuple[str, ...]:
        """A few test pictures with their labels."""
        x, y = material.test
        np.savez(folder / SAMPLES, x=x[:TRIED], y=y[:TRIED])
        return (str(folder / SAMPLES),)

    def answers(self, trained: Trained, asked: Asked) -> list[Answer]:
        """What the model says of each row in the file; a label that the file has stands beside it."""
        x, labels = files.read(asked.only_file(), trained.shape, trained.manifest.get("brightest", 255))
        columns = [{}] * len(x) if labels is None else [{"label": label.item()} for label in labels]
        return of_rows(trained, x, columns)


def labelled(path: Path, shape: tuple[int, ...], classes: tuple[str, ...]) -> Part:
    """Every row of a file, for a network that takes rows of `shape` and knows `classes`."""
    x, y = files.read(path, shape)
    return x, files.codes(_labels(y, path), classes)


def _material(parts: Parts, classes: tuple[str, ...], source: str, copies: Counted | None = None) -> Material:
    facts: dict[str, Any] = {"brightest": float(parts.train[0].max())}  # what white is, in the training part
    return Material(*parts, source, classes, facts=facts, copies=copies)


def _own(path: Path, validation: float, seed: int) -> Material:
    x, labels = files.read(path)
    y, classes = encode_labels(_labels(labels, path))
    groups = equal_rows(x)
    parts = split(len(y), test=TEST, labels=y, groups=groups, seed=seed)
    train, test = (x[parts.train], y[parts.train]), (x[parts.test], y[parts.test])
    halves = _halves(train, validation, seed, groups[parts.train])
    return _material(Parts(*halves, test), tuple(map(str, classes)), str(path))


def _labels(labels: np.ndarray | None, path: Path) -> np.ndarray:
    if labels is None:
        raise DataError(f"{path} holds no labels.\n  Add an array y (.npz) or a column y (.csv), one label a row.")
    return labels


def _halves(part: Part, validation: float, seed: int, groups: Any = None) -> tuple[Part, Part]:
    x, y = part
    rows = split(len(y), validation=validation, labels=y, groups=groups, seed=seed)
    return (x[rows.train], y[rows.train]), (x[rows.validation], y[rows.validation])
