"""kind: texts into classes; a tokenizer learned from the training part, and the verdict on a classifier."""

import csv
import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.data import Labels, equal_rows, kfold, pad, split
from thalweg.data.text import PADDING, UNKNOWN
from thalweg.datasets import Entry
from thalweg.errors import DataError
from thalweg.model import Model
from thalweg.page import Measure, Table
from thalweg.recipes import classifier, paths, textfiles
from thalweg.recipes.answers import of_rows
from thalweg.recipes.base import Answer, Asked, Facts, Material, Trained
from thalweg.recipes.classifier import Predictions
from thalweg.recipes.copies import in_rows, words
from thalweg.recipes.settings import Asking, Fold, Length, Settings, Vocabulary
from thalweg.recipes.text import files
from thalweg.recipes.text.baseline import naive_bayes
from thalweg.recipes.textfiles import Texts
from thalweg.recipes.verdict import Verdict, percent

FOLDS = 10
SHOWN, TRIED = 16, 10  # texts of the rows with the highest loss; test texts set apart for a first `predict`
SAMPLES = "samples.csv"
CUT = 400  # characters of a text that the page shows


class TextSettings(Settings):
    """What every recipe of text classes has."""

    vocabulary: Vocabulary = 20_000
    length: Length = 64
    fold: Fold = 0


@dataclasses.dataclass(frozen=True)
class TextClasses:
    """Texts into classes.

    Args:
        sets: the named data sets; the setting `corpus` says which, the first where there is no such setting.
        tokenizer: `tokenizer(texts, settings)` learns the record that makes indices of texts, from the training part.
    """

    sets: tuple[Entry, ...]
    tokenizer: Callable[[Sequence[str], Any], Any]
    asking: type[Asking] = Asking
    facts: type[Facts] = Facts

    def gather(self, path: Path | None, settings: TextSettings) -> Material:
        """The texts of the data set (`path` may be the folder that has its files), or those at `path`: see `files`.

        Where no test part is set apart, every tenth text tests, stratified: the tenth that `fold` says.

        Raises:
            DataError: there is no such data, it is damaged, or has one class only.
        """
        entry = self.entry(settings)
        named = path is None or paths.holds(path, entry)
        parts = files.published(entry, path) if path is None or named else files.own(path)
        if "test" not in parts:
            parts = _fold(parts["train"], settings.fold, None if named else path)
        copies = in_rows(parts["train"].texts, parts["test"].texts, words)
        if "validation" not in parts:
            parts |= _with_validation(parts["train"], settings, together=not named)
        train, tokenizer = parts["train"], self.tokenizer(parts["train"].texts, settings)
        records = {"tokenizer": tokenizer, "labels": Labels.fit(train.labels, "the labels")}
        length = min(settings.length, max(map(len, tokenizer(train.texts))))
        rows: dict[str, Any] = {name: _rows(part, records, length) for name, part in parts.items()}
        note = "" if path is None or named else paths.roles(paths.parts(path))
        source = paths.source(entry.title if named else None, path, note)
        classes = tuple(map(str, records["labels"].classes))
        raw = parts["test"].texts
        return Material(**rows, source=source, classes=classes, preprocessing=records, raw=raw, copies=copies)

    def entry(self, settings: TextSettings) -> Entry:
        """The named data set that the settings choose."""
        name = getattr(settings, "corpus", self.sets[0].name)
        return next(entry for entry in self.sets if entry.name == name)

    def blank(self, settings: TextSettings) -> Material:
        """One text of the right length, and a vocabulary of the size that is asked for."""
        words = " ".join(f"word{n}" for n in range(settings.vocabulary))
        entry = self.entry(settings)
        records = {"tokenizer": self.tokenizer([words], settings), "labels": Labels(entry.classes)}
        part = np.ones((1, settings.length), np.int32), np.zeros(1, np.int32)
        return Material(part, part, part, entry.title, entry.classes, records, raw=["word"])

    def exam(self, trained: Trained, path: Path) -> Material:
        """Every text of a labelled file or folder; of a folder with parts, or of a data set's, the test part."""
        if trained.recipe is not None and paths.holds(path, self.entry(trained.settings)):
            return self.gather(path, trained.settings)
        place = paths.judged(path)
        texts = files.labelled(place)
        part = _rows(texts, trained.model.preprocessing, trained.shape[0])
        return Material(part, part, part, str(place), trained.classes, trained.model.preprocessing, raw=texts.texts)

    def judge(self, model: Model, material: Material) -> Verdict:
        """Accuracy beside the commonest class and beside naive Bayes on the words; the worst mistakes as texts."""
        (x, y), reference = material.test, material.train[1]
        predictions = classifier.predictions(model, x, y, material.classes)
        others = {}
        if material.train is not material.test:  # a file to be judged by teaches nothing
            accuracy = float((naive_bayes(*material.train, asked=x, classes=len(material.classes)) == y).mean())
            others["baseline_words"] = Measure("naive Bayes on the words", accuracy, percent(accuracy))
        return classifier.verdict(predictions, reference, "texts", [_worst(predictions, material.raw)], others)

    def samples(self, material: Material, folder: Path) -> tuple[str, ...]:
        """A few test texts with their labels, as a table."""
        labels = [material.classes[k] for k in material.test[1][:TRIED]]
        with (folder / SAMPLES).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *zip(material.raw[:TRIED], labels, strict=True)])
        return (str(folder / SAMPLES),)

    def answers(self, trained: Trained, asked: Asked) -> list[Answer]:
        """What the model says of each text; how many of its tokens were read, and how many of those are unknown."""
        texts = Texts(list(asked.texts)) if asked.file is None else textfiles.read(asked.file)
        x = _indices(texts.texts, trained.record("tokenizer"), trained.shape[0])
        labels = texts.labels or [None] * len(x)
        columns = [
            {"text": text, **({} if label is None else {"label": label})}
            | {"tokens": int((row != PADDING).sum()), "unknown": int((row == UNKNOWN).sum())}
            for text, label, row in zip(texts.texts, labels, x, strict=True)
        ]
        return of_rows(trained, x, columns)


def _fold(whole: Texts, fold: int, path: Path | None) -> dict[str, Texts]:
    if len(whole.texts) < 2 * FOLDS:
        raise DataError(f"{path} has {len(whole.texts)} texts.\n  Give at least {2 * FOLDS}, or set a test part apart.")
    counts = Counter(whole.labels)
    rare = next((label for label, count in counts.items() if count < 2 and len(counts) > 1), None)
    if rare is not None:
        raise DataError(f"{path}: one text alone is {rare!r}: it cannot train and test.\n  Give more, or leave it out.")
    groups = None if path is None else _groups(whole)  # a named set's folds are as they were published
    rows = kfold(len(whole.texts), FOLDS, labels=whole.labels, groups=groups)[fold]
    return {"train": whole.at(rows.train.tolist()), "test": whole.at(rows.validation.tolist())}


def _groups(whole: Texts) -> np.ndarray | None:
    """Copies of a text as one group; None where so few texts differ that they are kinds, not copies."""
    groups = equal_rows(whole.texts)
    return groups if len(np.unique(groups)) >= 2 * FOLDS else None


def _with_validation(whole: Texts, settings: TextSettings, *, together: bool) -> dict[str, Texts]:
    groups, count = _groups(whole) if together else None, len(whole.texts)
    rows = split(count, settings.validation_split, labels=whole.labels, groups=groups, seed=settings.seed)
    return {"train": whole.at(rows.train.tolist()), "validation": whole.at(rows.validation.tolist())}


def _rows(texts: Texts, records: Any, length: int) -> tuple[np.ndarray, np.ndarray]:
    return _indices(texts.texts, records["tokenizer"], length), records["labels"](texts.labels, "the labels")


def _indices(texts: Sequence[str], tokenizer: Any, length: int) -> np.ndarray:
    """int32 [texts, length]: a longer text keeps its beginning."""
    ids = tokenizer(list(texts))
    gap = next((row for row, tokens in enumerate(ids) if not len(tokens)), None)
    if gap is not None:
        raise DataError(
            f"text {gap} is {texts[gap]!r:.60}, which holds nothing to read.\n  Fill it, or remove the row."
        )
    return pad(ids, length, truncate="right")


def _worst(predictions: Predictions, texts: list[str]) -> Table:
    rows = predictions.hardest(SHOWN).tolist()
    lines = [_line(row, texts[row], predictions) for row in rows]
    header = ["row", "text", "is", "with", "called", "with"]
    return Table(classifier.hardest_title(predictions, len(rows)), header, lines, numbers=(0, 3, 5), prose=(1,))


def _line(row: int, text: str, predictions: Predictions) -> tuple[str, ...]:
    truth, answer = predictions.truth_and_answer(row)
    return str(row), text if len(text) <= CUT else f"{text[:CUT]}...", *truth, *answer
