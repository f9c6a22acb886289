"""Judged: a classifier's predictions held against the truth.

    counts[t, p] = rows of class t that were called p
    precision_k = counts[k, k] / sum_t counts[t, k]      recall_k = counts[k, k] / sum_p counts[k, p]
    F1_k = 2 precision_k recall_k / (precision_k + recall_k), and 0 where its parts are 0
    loss = -mean_n log p[n, t_n]

What it counts is the likeliest class of each row.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from thalweg.errors import ContractError
from thalweg.model import Model
from thalweg.page import Confusion, Measure, Section, Table
from thalweg.recipes.verdict import Verdict, percent

SMALLEST = float(np.finfo(np.float32).tiny)  # a probability that came out as 0 counts as this


@dataclasses.dataclass(frozen=True, eq=False)
class Judged:
    """Labels [rows] as class numbers, the probabilities [rows, classes] given to them, and the classes' names."""

    labels: np.ndarray
    probabilities: np.ndarray
    classes: tuple[str, ...]

    @cached_property
    def predicted(self) -> np.ndarray:
        """The likeliest class of each row."""
        return self.probabilities.argmax(1)

    @cached_property
    def wrong(self) -> int:
        """How many rows were called something else."""
        return int((self.predicted != self.labels).sum())

    @property
    def own(self) -> np.ndarray:
        """The probability that each row's own class was given."""
        return self.probabilities[np.arange(len(self.labels)), self.labels]

    @property
    def loss(self) -> float:
        """The mean cross-entropy."""
        return float(-np.log(np.maximum(self.own, SMALLEST)).mean())

    @property
    def accuracy(self) -> float:
        """The share of rows called what they are."""
        return 1.0 - self.wrong / len(self.labels)

    @cached_property
    def counts(self) -> np.ndarray:
        """The confusion matrix [true, predicted]."""
        k = len(self.classes)
        return np.bincount(self.labels * k + self.predicted, minlength=k * k).reshape(k, k)

    @property
    def per_class(self) -> list[dict[str, Any]]:
        """Precision, recall, F1 and rows of each class."""
        hits, truth, called = np.diag(self.counts), self.counts.sum(1), self.counts.sum(0)
        precision, recall, f1 = _share(hits, called), _share(hits, truth), _share(2 * hits, truth + called)
        rows = zip(self.classes, precision.tolist(), recall.tolist(), f1.tolist(), truth.tolist(), strict=True)
        return [dict(zip(("class", "precision", "recall", "f1", "rows"), row, strict=True)) for row in rows]

    def scores(self, reference: np.ndarray) -> dict[str, Any]:
        """Loss, accuracy, and the baseline: always saying the class that is commonest in the labels `reference`."""
        answer = int(np.bincount(reference).argmax())
        return {
            "loss": self.loss,
            "accuracy": self.accuracy,
            "baseline": float((self.labels == answer).mean()),
            "baseline_answer": self.classes[answer],
            "wrong": self.wrong,
            "rows": len(self.labels),
        }

    def described(self) -> dict[str, Any]:
        """Counts and measures as JSON holds them."""
        return {"classes": list(self.classes), "per_class": self.per_class, "confusion": self.counts.tolist()}

    def pair(self, row: int) -> tuple[int, int]:
        """What a row is, and what it was called."""
        return int(self.labels[row]), int(self.predicted[row])

    def hardest(self, count: int) -> np.ndarray:
        """The rows with the highest loss, the worst first: those whose own class was given least."""
        return np.argsort(self.own, kind="stable")[:count]


def _share(part: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.divide(part, of, out=np.zeros(len(of)), where=of > 0)


def judge(model: Model, x: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> Judged:
    """What `model` makes of rows `x` with class numbers `labels`.

    Raises:
        ContractError: the model gives something else than a probability for each of `classes`.
    """
    probabilities = np.asarray(model.predict(x), np.float64)
    if probabilities.shape != (len(x), len(classes)) or abs(probabilities.sum(1) - 1).max(initial=0) > 0.02:
        raise ContractError(
            f"the model gives {list(probabilities.shape[1:])} numbers a row, and not a probability for each of "
            f"{len(classes)} classes.\n  Judge a classifier that ends in a softmax with a unit for each class."
        )
    return Judged(labels.astype(np.int64), probabilities, classes)


def verdict(
    judged: Judged,
    reference: np.ndarray,
    rows: str,
    examples: Sequence[Section] = (),
    others: Mapping[str, Measure] | None = None,
) -> Verdict:
    """The verdict on a classifier: the share of rows called what they are, beside the commonest class.

    Args:
        judged: what became of the test part.
        reference: the labels of the training part, of which the commonest is the baseline.
        rows: what a row is called, in the plural: "pictures".
        examples: sections after the confusion matrix, such as the worst mistakes.
        others: the accuracy of further baselines, by their names in the scores.
    """
    others, total = others or {}, len(judged.labels)
    scores = {**judged.scores(reference), **{name: measure.value for name, measure in others.items()}}
    always, also = scores["baseline_answer"], "".join(f", {m.name} {m.value:.4f}" for m in others.values())
    return Verdict(
        measure=Measure("test accuracy", judged.accuracy, percent(judged.accuracy)),
        baselines=[Measure(f"always “{always}”", scores["baseline"], percent(scores["baseline"])), *others.values()],
        scores=scores,
        line=f"Test accuracy {judged.accuracy:.4f}: {total - judged.wrong:,} of {total:,} right. "
        f"Always answering {always} gives {scores['baseline']:.4f}{also}.",
        heading=f"{percent(judged.accuracy)} right",
        note=f"{judged.wrong} of {total:,} test {rows} wrong",
        facts={"wrong": f"{judged.wrong:,} of {total:,}", "test loss": f"{scores['loss']:.4f}"},
        sections=[Confusion("Confusion matrix", judged.counts, judged.classes), _by_class(judged), *examples],
        details=judged.described(),
    )


def _by_class(judged: Judged) -> Table:
    lines, measures = judged.per_class, ("precision", "recall", "f1")
    rows = [[line["class"], *(f"{line[m]:.3f}" for m in measures), f"{line['rows']:,}"] for line in lines]
    mean = [f"{np.mean([line[m] for line in lines]):.3f}" for m in measures]
    total = ["mean", *mean, f"{len(judged.labels):,}"]
    header = ["class", "precision", "recall", "F1", "rows"]
    return Table("Class by class", header, [*rows, total], numbers=(1, 2, 3, 4), half=True)


def hardest_title(judged: Judged, shown: int) -> str:
    """What a section of the `shown` hardest rows is called."""
    if judged.wrong >= shown:
        return "The worst mistakes"
    return f"{'The worst mistakes, then' if judged.wrong else 'No mistakes;'} the least sure answers"
