"""Metrics: exact over an epoch however it was cut into batches, padded rows excluded; accumulators merge."""

import dataclasses
from collections.abc import Callable
from typing import Any

from thalweg.errors import ConfigError, nearest
from thalweg.metrics import sums
from thalweg.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from thalweg.metrics.auc import AUC
from thalweg.metrics.base import Custom, LossMetric, Mean, MeanOfRows, Metric
from thalweg.metrics.bleu import bleu
from thalweg.metrics.classification import ConfusionMatrix, Counts, F1Score, Precision, Recall
from thalweg.metrics.edits import LabelErrorRate, character_error_rate, edit_distance, word_error_rate
from thalweg.metrics.entities import entity_f1, entity_scores, spans, tag_names
from thalweg.metrics.forecast import MASE, SMAPE
from thalweg.metrics.perplexity import Perplexity
from thalweg.metrics.regression import MAE, MSE, R2Score, RootMeanSquaredError
from thalweg.metrics.tagging import ViterbiAccuracy

MeanAbsoluteError = MAE
MeanSquaredError = MSE

ALIASES: dict[type[Metric], tuple[str, ...]] = {
    AUC: ("auc",),
    Accuracy: ("accuracy", "acc"),
    BinaryAccuracy: ("binary_accuracy",),
    CategoricalAccuracy: ("categorical_accuracy",),
    ConfusionMatrix: ("confusion_matrix", "confusion"),
    F1Score: ("f1_score", "f1"),
    LabelErrorRate: ("label_error_rate", "ler"),
    MAE: ("mean_absolute_error", "meanabsoluteerror"),
    MSE: ("mean_squared_error", "meansquarederror"),
    Perplexity: ("perplexity",),
    Precision: ("precision",),
    R2Score: ("r2_score", "r2"),
    Recall: ("recall",),
    RootMeanSquaredError: ("root_mean_squared_error", "rmse"),
    SMAPE: ("smape",),
    SparseCategoricalAccuracy: ("sparse_categorical_accuracy",),
    SparseTopKCategoricalAccuracy: ("sparse_top_k_categorical_accuracy",),
    TopKCategoricalAccuracy: ("top_k_categorical_accuracy",),
    ViterbiAccuracy: ("viterbi_accuracy",),
}
"""Every metric, with its names beside that of the class."""

METRICS: dict[str, type[Metric]] = {
    name: kind for kind, names in ALIASES.items() for name in (kind.__name__.lower(), *names)
}
"""Every metric by name, in lower case."""

ALLOWED: dict[str, type[Metric]] = {kind.__name__: kind for kind in (*ALIASES, LossMetric, MASE)}
"""What a stored description may name; a `LossMetric` holds a record of `thalweg.losses`,
a `MASE` the scale of its training part: neither has a name alone."""

ACCURACIES: dict[str, Metric] = {
    "binary": BinaryAccuracy(),
    "distribution": CategoricalAccuracy(),
    "integer classes": SparseCategoricalAccuracy(),
    "one-hot": CategoricalAccuracy(),
    "signs": BinaryAccuracy(threshold=0.0),
    "tags": ViterbiAccuracy(),
}
"""What "accuracy" means, by the kind of target that the loss takes."""


def metric(value: Any, loss: Any = None, losses: Callable[[str], Any] | None = None) -> Metric:
    """The metric of a name, a record, its class, a loss, or a function of (target, prediction).

    Args:
        value: what the user wrote. A name stays the metric's name in the history.
        loss: the loss that is trained. "accuracy" takes the kind of its targets, and precision, recall and F1 take
            labels side by side with a threshold of 0.5 where its link is a sigmoid; a label error rate takes its blank.
        losses: finds a loss by name (`thalweg.losses.loss`), so that any loss can be a metric.

    Raises:
        ConfigError: the name is unknown, or the value is none of these.

    >>> metric("acc").name
    'acc'
    >>> metric("accuray")
    Traceback (most recent call last):
    thalweg.errors.ConfigError: unknown metric 'accuray'.
      Did you mean 'accuracy'?
    """
    named = _named(value, losses) if isinstance(value, str) else value
    made = named() if isinstance(named, type) else named
    if isinstance(made, Metric):
        return _fitted(made, loss)
    if hasattr(made, "link") and not hasattr(made, "function"):
        return LossMetric(loss=made, name=type(made).__name__)
    if callable(made):
        made = getattr(made, "function", made)  # that of a loss of one's own
        return Custom(function=made, name=getattr(made, "__name__", type(made).__name__))
    raise ConfigError(f"a metric is a name, a Metric or a function; it is {value!r}.\n  Write metrics=['accuracy'].")


def _named(name: str, losses: Callable[[str], Any] | None) -> Metric:
    if name.lower() in METRICS:
        return METRICS[name.lower()](name=name)
    try:
        if losses is not None:
            return LossMetric(loss=losses(name), name=name)
    except ConfigError:
        pass
    raise ConfigError(f"unknown metric {name!r}.\n  {nearest(name, METRICS)}")


def _fitted(metric: Metric, loss: Any) -> Metric:
    """`metric` as the loss's targets need it."""
    _check_cut(metric, loss)
    if isinstance(metric, Accuracy):
        _check_positions(metric, loss)
        chosen = ACCURACIES.get(getattr(loss, "target", ""))
        return metric if chosen is None else dataclasses.replace(chosen, name=metric.name)
    if isinstance(metric, Counts) and getattr(loss, "link", None) == "sigmoid":
        threshold = getattr(metric, metric.cut)
        return dataclasses.replace(metric, **{metric.cut: 0.5 if threshold is None else threshold})
    if isinstance(metric, LabelErrorRate) and metric.blank is None:
        return dataclasses.replace(metric, blank=getattr(loss, "blank", 0))
    return metric


def _check_cut(metric: Metric, loss: Any) -> None:
    """A threshold that parts logits (0 in Keras's listings) would part no probabilities: all are above it."""
    field = getattr(metric, "cut", "threshold")
    cut = getattr(metric, field, None)
    if getattr(loss, "link", None) not in ("sigmoid", "softmax") or cut is None or 0 < cut < 1:
        return
    raise ConfigError(
        f"{type(metric).__name__}: {field}={cut!r} parts no probabilities, which is what metrics see beside"
        f" {type(loss).__name__}, whatever the network ends in.\n  Write {field}=0.5, which is the logit 0."
    )


def _check_positions(metric: Metric, loss: Any) -> None:
    if getattr(loss, "target", "") == "labels":
        raise ConfigError(
            f"{type(loss).__name__} compares whole sequences of labels, which have no {metric.name!r} step by step.\n"
            "  Write metrics=['label_error_rate']."
        )


__all__ = [
    "ACCURACIES",
    "ALIASES",
    "ALLOWED",
    "AUC",
    "MAE",
    "MASE",
    "METRICS",
    "MSE",
    "SMAPE",
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "ConfusionMatrix",
    "Counts",
    "Custom",
    "F1Score",
    "LabelErrorRate",
    "LossMetric",
    "Mean",
    "MeanAbsoluteError",
    "MeanOfRows",
    "MeanSquaredError",
    "Metric",
    "Perplexity",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "ViterbiAccuracy",
    "bleu",
    "character_error_rate",
    "edit_distance",
    "entity_f1",
    "entity_scores",
    "metric",
    "spans",
    "sums",
    "tag_names",
    "word_error_rate",
]
