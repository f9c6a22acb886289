"""classifier: the network of a recipe of classes, its predictions held against the truth, and the verdict on them.

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

from thalweg import optim
from thalweg.core import Module
from thalweg.errors import ContractError
from thalweg.model import Model, Sequential
from thalweg.page import Confusion, Measure, Section, Table
from thalweg.recipes.settings import Settings
from thalweg.recipes.verdict import Verdict, percent

SMALLEST = float(np.finfo(np.float32).tiny)  # a probability that came out as 0 counts as this


def model(settings: Settings, layers: Sequence[Module], rate: Any = None) -> Model:
    """The network of `layers`, which end in a softmax, to be trained by Adam on class numbers.

    Args:
        settings: its learning rate, precision and seed are used.
        layers: one after another.
        rate: a schedule in the place of the constant learning rate.
    """
    network = Sequential(layers)
    optimizer = optim.Adam(settings.learning_rate if rate is None else rate)
    loss = "sparse_categorical_crossentropy"
    network.compile(optimizer, loss, ["accuracy"], precision=settings.precision, seed=settings.seed)
    return network


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
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

    def details(self) -> dict[str, Any]:
        """Counts and measures as JSON holds them."""
        return {"classes": list(self.classes), "per_class": self.per_class, "confusion": self.counts.tolist()}

    def truth_and_answer(self, row: int) -> tuple[tuple[str, str], tuple[str, str]]:
        """What a row is, and what it was called: each class with the probability that it was given."""
        truth, answer = (
            (self.classes[k], percent(float(self.probabilities[row, k])))
            for k in (self.labels[row], self.predicted[row])
        )
        return truth, answer

    def hardest(self, count: int) -> np.ndarray:
        """The rows with the highest loss, the worst first: those whose own class was given least."""
        return np.argsort(self.own, kind="stable")[:count]


def _share(part: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.divide(part, of, out=np.zeros(len(of)), where=of > 0)


def predictions(network: Model, x: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> Predictions:
    """What `network` makes of rows `x` with class numbers `labels`.

    Raises:
        ContractError: the model gives something else than a probability for each of `classes`.
    """
    probabilities = np.asarray(network.predict(x), np.float64)
    if probabilities.shape != (len(x), len(classes)) or abs(probabilities.sum(1) - 1).max(initial=0) > 0.02:
        raise ContractError(
            f"the model gives {list(probabilities.shape[1:])} numbers a row, and not a probability for each of "
            f"{len(classes)} classes.\n  Judge a classifier that ends in a softmax with a unit for each class."
        )
    return Predictions(labels.astype(np.int64), probabilities, classes)


def verdict(
    predictions: Predictions,
    reference: np.ndarray,
    rows: str,
    examples: Sequence[Section] = (),
    others: Mapping[str, Measure] | None = None,
) -> Verdict:
    """The verdict on a classifier: the share of rows called what they are, beside the commonest class.

    Args:
        predictions: what became of the test part.
        reference: the labels of the training part, of which the commonest is the baseline.
        rows: what a row is called, in the plural: "pictures".
        examples: sections after the confusion matrix, such as the worst mistakes.
        others: the accuracy of further baselines, by their names in the scores.
    """
    others, total = others or {}, len(predictions.labels)
    scores = {**predictions.scores(reference), **{name: measure.value for name, measure in others.items()}}
    always, also = scores["baseline_answer"], "".join(f", {m.name} {m.value:.4f}" for m in others.values())
    return Verdict(
        measure=Measure("test accuracy", predictions.accuracy, percent(predictions.accuracy)),
        baselines=[Measure(f"always “{always}”", scores["baseline"], percent(scores["baseline"])), *others.values()],
        scores=scores,
        line=f"Test accuracy {predictions.accuracy:.4f}: {total - predictions.wrong:,} of {total:,} right. "
        f"Always answering {always} gives {scores['baseline']:.4f}{also}.",
        heading=f"{percent(predictions.accuracy)} right",
        note=f"{predictions.wrong} of {total:,} test {rows} wrong",
        facts={"wrong": f"{predictions.wrong:,} of {total:,}", "test loss": f"{scores['loss']:.4f}"},
        sections=[
            Confusion("Confusion matrix", predictions.counts, predictions.classes),
            _by_class(predictions),
            *examples,
        ],
        details=predictions.details(),
    )


def _by_class(predictions: Predictions) -> Table:
    lines, measures = predictions.per_class, ("precision", "recall", "f1")
    rows = [[line["class"], *(f"{line[m]:.3f}" for m in measures), f"{line['rows']:,}"] for line in lines]
    mean = [f"{np.mean([line[m] for line in lines]):.3f}" for m in measures]
    total = ["mean", *mean, f"{len(predictions.labels):,}"]
    header = ["class", "precision", "recall", "F1", "rows"]
    return Table("Class by class", header, [*rows, total], numbers=(1, 2, 3, 4), half=True)


def hardest_title(predictions: Predictions, shown: int) -> str:
    """What a section of the `shown` hardest rows is called."""
    if predictions.wrong >= shown:
        return "The worst mistakes"
    return f"{'The worst mistakes, then' if predictions.wrong else 'No mistakes;'} the least sure answers"
