"""Precision, recall, F1 and the confusion matrix, exact: counted over the epoch, divided once at its end.

    precision_k = hits_k / predicted_k,   recall_k = hits_k / actual_k,   F1_k = 2 hits_k / (predicted_k + actual_k)

A class that was never predicted (or never there) has 0, as in scikit-learn with zero_division=0.
"""

from collections.abc import Callable
from dataclasses import field
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.errors import ConfigError, nearest
from thalweg.metrics import sums
from thalweg.metrics.base import Metric, wide
from thalweg.ops.targets import aligned, class_index, is_class, most_probable
from thalweg.types import Array, Bool, ShapeDtype, Tree

Score = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _of_sums(score: Score, hits: np.ndarray, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    return score(*(np.sum(n, keepdims=True) for n in (hits, predicted, actual)))


def _weighted(score: Score, hits: np.ndarray, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    return sums.ratio(np.sum(score(hits, predicted, actual) * actual, keepdims=True), np.sum(actual, keepdims=True))


AVERAGES: dict[str | None, Callable[..., np.ndarray]] = {
    "macro": lambda score, *counts: np.mean(score(*counts), keepdims=True),
    "micro": _of_sums,
    "weighted": _weighted,
    "none": lambda score, *counts: score(*counts),
    None: lambda score, *counts: score(*counts),
}
"""How the classes' scores become one: their mean, the score of all counts together, their mean by size, not at all."""


class Counts(Metric):
    """The base of the three: counts hits, predictions and actual rows of each class. A subclass states `score`.

    Outputs of one column are binary: the score is that of the positive class. Several columns are exclusive classes,
    of which the most probable is predicted, or with a threshold labels that stand side by side.
    """

    cut: ClassVar[str] = "threshold"  # the field with the threshold; Keras writes `thresholds` for some

    average: str | None = field(default="macro", kw_only=True)
    class_id: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        Metric.__post_init__(self)
        if self.average not in AVERAGES:
            remedy = nearest(str(self.average), [name for name in AVERAGES if name])
            raise ConfigError(f"{type(self).__name__}: unknown average {self.average!r}.\n  {remedy}")

    @staticmethod
    def score(hits: np.ndarray, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        """The score of each class from its counts."""
        raise NotImplementedError

    def init(self, rows: int, output: ShapeDtype) -> Tree:
        """See `Metric.init`."""
        del rows
        classes = (output.shape[-1] if len(output.shape) > 1 else 1,)
        return {name: sums.zero(classes, wide(output)) for name in ("hits", "predicted", "actual")}

    def update(self, acc: Tree, target: Array, prediction: Array, weight: Array) -> Tree:
        """See `Metric.update`."""
        actual, predicted = decided(target, columns(prediction), getattr(self, self.cut))
        counted = {"hits": actual & predicted, "predicted": predicted, "actual": actual}
        w = spread(weight, actual)[:, None]
        return {name: sums.plus(acc[name], jnp.sum(jnp.where(yes, w, 0), axis=0)) for name, yes in counted.items()}

    def result(self, acc: Tree) -> float | np.ndarray:
        """One number; an array of the classes' with `average=None`."""
        counts = [sums.value(acc[name]) for name in ("hits", "predicted", "actual")]
        if self.class_id is not None:
            counts = [n[self.class_id, None] for n in counts]
        scores = AVERAGES[self.average](self.score, *counts)
        return float(scores[0]) if len(scores) == 1 else scores


class Precision(Counts):
    """hits / predicted: how much of what was said is true.

    Args:
        average: "macro" (the mean over classes), "micro", "weighted" (by size), or None for one number a class.
        thresholds: the probability above which a label is given, where labels stand side by side; one number.
        class_id: one class alone.
        name: its word in the history.
    """

    cut: ClassVar[str] = "thresholds"

    name: str = field(default="precision", kw_only=True)
    thresholds: float | None = field(default=None, kw_only=True)

    @staticmethod
    def score(hits: np.ndarray, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        """The share of the predicted that are hits."""
        del actual
        return sums.ratio(hits, predicted)


class Recall(Counts):
    """hits / actual: how much of what is true was said. Arguments as for `Precision`."""

    cut: ClassVar[str] = "thresholds"

    name: str = field(default="recall", kw_only=True)
    thresholds: float | None = field(default=None, kw_only=True)

    @staticmethod
    def score(hits: np.ndarray, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        """The share of the actual that are hits."""
        del predicted
        return sums.ratio(hits, actual)


class F1Score(Counts):
    """2 hits / (predicted + actual), the harmonic mean of precision and recall. Arguments: see `Precision`."""

    name: str = field(default="f1_score", kw_only=True)
    threshold: float | None = field(default=None, kw_only=True)

    @staticmethod
    def score(hits: np.ndarray, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        """The harmonic mean of precision and recall."""
        return sums.ratio(2 * hits, predicted + actual)


class ConfusionMatrix(Metric):
    """How many rows of class i (row) were taken for class j (column); two classes for outputs of one column.

    Args:
        threshold: of binary outputs.
        name: its word in the history.
    """

    name: str = field(default="confusion_matrix", kw_only=True)
    threshold: float = field(default=0.5, kw_only=True)

    def init(self, rows: int, output: ShapeDtype) -> Tree:
        """See `Metric.init`."""
        del rows
        classes = max(output.shape[-1] if len(output.shape) > 1 else 1, 2)
        return {"count": sums.zero((classes, classes), wide(output))}

    def update(self, acc: Tree, target: Array, prediction: Array, weight: Array) -> Tree:
        """See `Metric.update`."""
        p = columns(prediction)
        actual, predicted = decided(target, p, self.threshold if p.shape[-1] == 1 else None)
        if actual.shape[1] == 1:
            actual, predicted = (jnp.concatenate([~a, a], axis=1) for a in (actual, predicted))
        w = spread(weight, actual)[:, None]
        counts = jnp.matmul(jnp.where(actual, w, 0).T, predicted.astype(w.dtype), precision=jax.lax.Precision.HIGHEST)
        return {"count": sums.plus(acc["count"], counts)}

    def result(self, acc: Tree) -> float | np.ndarray:
        """The matrix [actual, predicted]."""
        return sums.value(acc["count"])


def columns(p: Array) -> Array:
    """Predictions with an axis of outputs."""
    return p[:, None] if p.ndim == 1 else p


def decided(target: Array, p: Array, threshold: float | None) -> tuple[Bool[Array, "n k"], Bool[Array, "n k"]]:
    """What is and what is predicted, yes or no for each row (and time) and class.

    Args:
        target: labels as `p`, or class numbers.
        p: probabilities, [batch, ..., k].
        threshold: the probability above which a label is given; None gives the most probable class alone.
    """
    k = p.shape[-1]
    side_by_side = target.shape == p.shape or k == 1
    labels = aligned(target, p) > 0.5 if side_by_side else is_class(class_index(target, p), p)
    exclusive = threshold is None and k > 1
    answers = is_class(most_probable(p), p) if exclusive else p > (0.5 if threshold is None else threshold)
    return labels.reshape(-1, k), answers.reshape(-1, k)


def spread(weight: Array, rows: Array) -> Array:
    """The weights [batch] or [batch, time] for [batch * time, ...] rows: each position has its own or its row's."""
    return jnp.repeat(weight.reshape(-1), rows.shape[0] // weight.size)
