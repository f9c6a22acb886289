"""Text classes: texts in three parts, a tokenizer learned from the training part, and the verdict on a classifier."""

import csv
import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import datasets
from thalweg.data import Labels, kfold, pad, split
from thalweg.data.text import PADDING, UNKNOWN
from thalweg.datasets import Entry, store
from thalweg.errors import DataError
from thalweg.model import Model
from thalweg.page import Measure, Table
from thalweg.recipes import classifier as judging
from thalweg.recipes import textfiles
from thalweg.recipes.answers import said_of_rows
from thalweg.recipes.base import Answer, Asked, Material, Trained
from thalweg.recipes.classifier import Judged
from thalweg.recipes.settings import Asking, Fold, Length, Settings, Vocabulary
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

    def gather(self, path: Path | None, settings: TextSettings) -> Material:
        """The texts of the data set (`path` may be the folder that has its files), or those at `path`: see `textfiles`.

        Where no test part is set apart, every tenth text tests, stratified: the tenth that `fold` says.

        Raises:
            DataError: there is no such data, it is damaged, or has one class only.
        """
        entry = self.chosen(settings)
        named = path is None or _holds(path, entry)
        found = _named(entry, path) if named else _own(path)
        if "test" not in found:
            found = _folded(found["train"], settings.fold, path)
        if "validation" not in found:
            whole = found["train"]
            rows = split(
                len(whole.texts), validation=settings.validation_split, labels=whole.labels, seed=settings.seed
            )
            found |= {"train": whole.at(rows.train.tolist()), "validation": whole.at(rows.validation.tolist())}
        train, tokenizer = found["train"], self.tokenizer(found["train"].texts, settings)
        records = {"tokenizer": tokenizer, "labels": Labels.fit(train.labels, "the labels")}
        length = min(settings.length, max(map(len, tokenizer(train.texts))))
        made: dict[str, Any] = {name: _rows(part, records, length) for name, part in found.items()}
        source = ", ".join([entry.title] * named + [str(path)] * (path is not None))
        classes = tuple(map(str, records["labels"].classes))
        return Material(**made, source=source, classes=classes, preprocessing=records, raw=found["test"].texts)

    def chosen(self, settings: TextSettings) -> Entry:
        """The named data set."""
        name = getattr(settings, "corpus", self.sets[0].name)
        return next(entry for entry in self.sets if entry.name == name)

    def blank(self, settings: TextSettings) -> Material:
        """One text of the right length, and a vocabulary of the size that is asked for."""
        words = " ".join(f"word{n}" for n in range(settings.vocabulary))
        entry = self.chosen(settings)
        records = {"tokenizer": self.tokenizer([words], settings), "labels": Labels(entry.classes)}
        part = np.ones((1, settings.length), np.int32), np.zeros(1, np.int32)
        return Material(part, part, part, entry.title, entry.classes, records, raw=["word"])

    def exam(self, trained: Trained, path: Path) -> Material:
        """Every text of a labelled file or folder; of a folder with parts, or of a data set's, the test part."""
        if trained.recipe is not None and _holds(path, self.chosen(trained.settings)):
            return self.gather(path, trained.settings)
        found = textfiles.labelled(textfiles.parts(path).get("test", path))
        part = _rows(found, trained.model.preprocessing, trained.shape[0])
        return Material(part, part, part, str(path), trained.classes, trained.model.preprocessing, raw=found.texts)

    def judge(self, model: Model, material: Material) -> Verdict:
        """Accuracy beside the commonest class and beside naive Bayes on the words; the worst mistakes as texts."""
        (x, y), reference = material.test, material.train[1]
        found = judging.judge(model, x, y, material.classes)
        others = {}
        if material.train is not material.test:  # a file to be judged by teaches nothing
            counted = float((naive_bayes(*material.train, asked=x, classes=len(material.classes)) == y).mean())
            others["baseline_words"] = Measure("naive Bayes on the words", counted, percent(counted))
        return judging.verdict(found, reference, "texts", [_worst(found, material.raw)], others)

    def samples(self, material: Material, folder: Path) -> tuple[str, ...]:
        """A few test texts with their labels, as a table."""
        labels = [material.classes[k] for k in material.test[1][:TRIED]]
        with (folder / SAMPLES).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *zip(material.raw[:TRIED], labels, strict=True)])
        return (str(folder / SAMPLES),)

    def answers(self, trained: Trained, asked: Asked) -> list[Answer]:
        """What the model says of each text; how many of its tokens were read, and how many of those are unknown."""
        found = Texts(list(asked.texts)) if asked.file is None else textfiles.read(asked.file)
        x = _indices(found.texts, trained.record("tokenizer"), trained.shape[0])
        labels = found.labels or [None] * len(x)
        given = [
            {"text": text, **({} if label is None else {"label": label})}
            | {"tokens": int((row != PADDING).sum()), "unknown": int((row == UNKNOWN).sum())}
            for text, label, row in zip(found.texts, labels, x, strict=True)
        ]
        return said_of_rows(trained, x, given)


def naive_bayes(ids: np.ndarray, labels: np.ndarray, asked: np.ndarray, classes: int) -> np.ndarray:
    """The class of each row of `asked` by counting tokens in the rows `ids`: what a network has to beat.

        argmax_k  log n_k / n + sum_t log (c_kt + 1) / (c_k + V)

    where c_kt counts token t in class k, c_k all tokens of class k, and V is how many tokens there are.

    Args:
        ids: int32 [rows, length], 0 for padding.
        labels: the rows' class numbers.
        asked: like `ids`.
        classes: how many classes there are.

    Source:
        Manning, Raghavan, Schuetze 2008, "Introduction to Information Retrieval", chapter 13: the multinomial model.
    """
    size = int(max(ids.max(), asked.max())) + 1
    counts = np.zeros((classes, size))
    np.add.at(counts, (np.repeat(labels, ids.shape[1]), ids.reshape(-1)), 1)
    counts[:, PADDING] = 0
    score = np.log(counts + 1) - np.log(counts.sum(1, keepdims=True) + size - 1)  # [classes, tokens]
    score[:, PADDING] = 0
    prior = np.log(np.maximum(np.bincount(labels, minlength=classes), 0.5) / len(labels))
    return (prior + score[:, asked].sum(2).T).argmax(1)


def _holds(path: Path, entry: Entry) -> bool:
    return any(store.find(entry, file.name, path) for file in entry.files)


def _named(entry: Entry, folder: Path | None) -> dict[str, Texts]:
    """The parts of a named data set, in the order that they are published in; class numbers become names."""
    loaded = datasets.load(entry.name, folder)
    pairs = loaded if isinstance(loaded[0], tuple) else (loaded,)
    parts = ("train", "test") if len(pairs) < 3 else ("train", "validation", "test")
    named = (Texts(list(texts), [entry.classes[k] for k in codes]) for texts, codes in pairs)
    return dict(zip(parts, named, strict=False))


def _own(path: Path | None) -> dict[str, Texts]:
    assert path is not None
    return {part: textfiles.labelled(place) for part, place in (textfiles.parts(path) or {"train": path}).items()}


def _folded(whole: Texts, fold: int, path: Path | None) -> dict[str, Texts]:
    if len(whole.texts) < 2 * FOLDS:
        raise DataError(f"{path} has {len(whole.texts)} texts.\n  Give at least {2 * FOLDS}, or set a test part apart.")
    counts = Counter(whole.labels)
    rare = next((label for label, count in counts.items() if count < 2 and len(counts) > 1), None)
    if rare is not None:
        raise DataError(f"{path}: one text alone is {rare!r}: it cannot train and test.\n  Give more, or leave it out.")
    rows = kfold(len(whole.texts), FOLDS, labels=whole.labels)[fold]
    return {"train": whole.at(rows.train.tolist()), "test": whole.at(rows.validation.tolist())}


def _rows(found: Texts, records: Any, length: int) -> tuple[np.ndarray, np.ndarray]:
    return _indices(found.texts, records["tokenizer"], length), records["labels"](found.labels, "the labels")


def _indices(texts: Sequence[str], tokenizer: Any, length: int) -> np.ndarray:
    """int32 [texts, length]: a longer text keeps its beginning."""
    ids = tokenizer(list(texts))
    gap = next((row for row, found in enumerate(ids) if not len(found)), None)
    if gap is not None:
        raise DataError(
            f"text {gap} is {texts[gap]!r:.60}, which holds nothing to read.\n  Fill it, or remove the row."
        )
    return pad(ids, length, truncate="right")


def _worst(judged: Judged, texts: list[str]) -> Table:
    shown = judged.hardest(SHOWN).tolist()
    rows = [_line(row, texts[row], judged) for row in shown]
    header = ["row", "text", "is", "with", "called", "with"]
    return Table(judging.hardest_title(judged, len(shown)), header, rows, numbers=(0, 3, 5), prose=(1,))


def _line(row: int, text: str, judged: Judged) -> tuple[str, ...]:
    said = [(judged.classes[k], percent(float(judged.probabilities[row, k]))) for k in judged.pair(row)]
    return str(row), text if len(text) <= CUT else f"{text[:CUT]}...", *said[0], *said[1]
