"""One row for each metric: data, and what scikit-learn (or an equation in float64) says of the whole of it."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import metrics as sk

from thalweg import losses, metrics

N, CLASSES, TIME = 23, 4, 3
PADDING = np.where(np.eye(CLASSES), 0, -1e30)


def binary(rng):
    return rng.integers(0, 2, (N, 1)), np.round(rng.random((N, 1)), 1)  # rounded: ties


def flat(rng):
    y, p = binary(rng)
    return y[:, 0], p[:, 0]


def signs(rng):
    return 2 * rng.integers(0, 2, (N, 1)) - 1, rng.normal(size=(N, 1))


def labels(rng):
    return rng.integers(0, 2, (N, CLASSES)), np.round(rng.random((N, CLASSES)), 1)


def classes(rng):
    return np.append(rng.integers(0, CLASSES, N - CLASSES), range(CLASSES)), rng.dirichlet(np.ones(CLASSES), N)


def one_hot(rng):
    y, p = classes(rng)
    return np.eye(CLASSES)[y], p


def words(rng):
    return rng.integers(0, CLASSES, (N, TIME)), rng.dirichlet(np.ones(CLASSES), (N, TIME))


def potentials(rng):
    """Of sequences of one to three steps, and of a CRF that sees no neighbours, so that the best path is an argmax."""
    psi = np.broadcast_to(rng.normal(size=(N, TIME, 1, CLASSES)), (N, TIME, CLASSES, CLASSES))
    there = np.arange(TIME) < rng.integers(1, TIME + 1, (N, 1))
    tags = np.where(rng.random((N, TIME)) < 0.1, -1, rng.integers(0, CLASSES, (N, TIME)))
    return tags, np.where(there[..., None, None], psi, PADDING)


def tagged(y, psi):
    there = (psi[:, :, 0, -1] > -1e29) & (y >= 0)
    return np.mean((psi[:, :, 0].argmax(-1) == y)[there])


def spoken(rng):
    """Labels 1 to 3, filled up with -1, and probabilities that often say them."""
    y = np.where(np.arange(2) < rng.integers(1, 3, (N, 1)), rng.integers(1, CLASSES, (N, 2)), -1)
    p = rng.dirichlet(np.ones(CLASSES), (N, TIME))
    return y, p


def edits(y, p):
    """Edits of greedy labels over the labels: by search, as both are at most three long."""
    total = 0
    for labels, steps in zip(y, p.argmax(-1), strict=True):
        heard = [int(k) for k, _ in itertools.groupby(steps) if k]
        total += distance(heard, [int(k) for k in labels if k > 0])
    return total / (y > 0).sum()


def distance(a, b):
    if not a or not b:
        return len(a) + len(b)
    return min(distance(a[1:], b) + 1, distance(a, b[1:]) + 1, distance(a[1:], b[1:]) + (a[0] != b[0]))


def real(rng):
    return rng.normal(size=(N, 2)) + 100, rng.normal(size=(N, 2)) + 100


def column(rng):
    y, p = real(rng)
    return y[:, 0], p[:, :1]


def top_k(y, p, k):
    ranks = [(p[i] > p[i, y[i]]).sum() for i in range(len(y))]
    return np.mean(np.array(ranks) < k)


def counted(score, average):
    """A score of scikit-learn on the classes that argmax names."""
    return lambda y, p: score(y, p.argmax(-1), average=average, labels=range(CLASSES), zero_division=0)


def tokens(score):
    return lambda y, p: score(y.reshape(-1), p.reshape(-1, CLASSES))


def one_vs_rest(area):
    return lambda y, p: np.array([area(y == k, p[:, k]) for k in range(CLASSES)])


def perplexity(y, p, ignore=None):
    y, p = y.reshape(-1), p.reshape(-1, CLASSES)
    kept = [i for i in range(len(y)) if y[i] != ignore]
    return np.exp(np.mean([-np.log(p[i, y[i]]) for i in kept]))


@dataclasses.dataclass(frozen=True)
class Row:
    metric: metrics.Metric
    data: Callable[..., tuple[np.ndarray, np.ndarray]]
    oracle: Callable[[np.ndarray, np.ndarray], Any]

    @property
    def label(self):
        name = "a function" if isinstance(self.metric, metrics.Custom) else repr(self.metric)  # its address changes
        return f"{name} of {self.data.__name__}"


M = metrics
ROWS = (
    Row(M.Accuracy(), binary, lambda y, p: sk.accuracy_score(y, p > 0.5)),
    Row(M.Accuracy(), flat, lambda y, p: sk.accuracy_score(y, p > 0.5)),
    Row(M.Accuracy(), classes, lambda y, p: sk.accuracy_score(y, p.argmax(1))),
    Row(M.Accuracy(), one_hot, lambda y, p: sk.accuracy_score(y.argmax(1), p.argmax(1))),
    Row(M.BinaryAccuracy(threshold=0.3), binary, lambda y, p: sk.accuracy_score(y, p > 0.3)),
    Row(M.BinaryAccuracy(), labels, lambda y, p: np.mean(y == (p > 0.5))),
    Row(M.BinaryAccuracy(threshold=0.0), signs, lambda y, p: sk.accuracy_score(y, np.sign(p))),
    Row(M.CategoricalAccuracy(), one_hot, lambda y, p: sk.accuracy_score(y.argmax(1), p.argmax(1))),
    Row(M.SparseCategoricalAccuracy(), words, tokens(lambda y, p: sk.accuracy_score(y, p.argmax(1)))),
    Row(M.TopKCategoricalAccuracy(k=2), one_hot, lambda y, p: top_k(y.argmax(1), p, 2)),
    Row(
        M.SparseTopKCategoricalAccuracy(k=2),
        classes,
        lambda y, p: sk.top_k_accuracy_score(y, p, k=2, labels=range(CLASSES)),
    ),
    Row(M.Precision(), binary, lambda y, p: sk.precision_score(y, p > 0.5)),
    Row(M.Precision(thresholds=0.3), flat, lambda y, p: sk.precision_score(y, p > 0.3)),
    Row(M.Precision(average="micro"), one_hot, lambda y, p: sk.accuracy_score(y.argmax(1), p.argmax(1))),
    Row(M.Precision(), classes, counted(sk.precision_score, "macro")),
    Row(M.Precision(thresholds=0.5), labels, lambda y, p: sk.precision_score(y, p > 0.5, average="macro")),
    Row(M.Recall(), classes, counted(sk.recall_score, "macro")),
    Row(M.Recall(average=None), words, tokens(counted(sk.recall_score, None))),
    Row(M.Recall(class_id=2), classes, lambda y, p: counted(sk.recall_score, None)(y, p)[2]),
    Row(M.F1Score(), classes, counted(sk.f1_score, "macro")),
    Row(M.F1Score(average="micro"), classes, counted(sk.f1_score, "micro")),
    Row(M.F1Score(average="weighted"), classes, counted(sk.f1_score, "weighted")),
    Row(M.F1Score(average=None), one_hot, lambda y, p: counted(sk.f1_score, None)(y.argmax(1), p)),
    Row(M.F1Score(threshold=0.5, average="micro"), labels, lambda y, p: sk.f1_score(y, p > 0.5, average="micro")),
    Row(M.ConfusionMatrix(), classes, lambda y, p: sk.confusion_matrix(y, p.argmax(1), labels=range(CLASSES))),
    Row(M.ConfusionMatrix(threshold=0.3), binary, lambda y, p: sk.confusion_matrix(y, p > 0.3)),
    Row(M.ConfusionMatrix(), flat, lambda y, p: sk.confusion_matrix(y, p > 0.5)),
    Row(M.AUC(), binary, sk.roc_auc_score),
    Row(M.AUC(curve="PR"), flat, sk.average_precision_score),
    Row(M.AUC(), classes, lambda y, p: sk.roc_auc_score(y, p, multi_class="ovr", average="macro")),
    Row(M.AUC(average=None), labels, lambda y, p: sk.roc_auc_score(y, p, average=None)),
    Row(M.AUC(curve="PR", average=None), classes, one_vs_rest(sk.average_precision_score)),
    Row(M.AUC(), words, tokens(lambda y, p: sk.roc_auc_score(y, p, multi_class="ovr", average="macro"))),
    Row(M.MSE(), real, sk.mean_squared_error),
    Row(M.MAE(), column, sk.mean_absolute_error),
    Row(M.RootMeanSquaredError(), column, sk.root_mean_squared_error),
    Row(M.R2Score(), real, sk.r2_score),
    Row(M.R2Score(), column, sk.r2_score),
    Row(M.MASE(scale=2.5), column, lambda y, p: np.mean(abs(y - p[:, 0])) / 2.5),
    Row(M.MASE(scale=(2.0, 5.0)), real, lambda y, p: np.mean(abs(y - p) / np.array([2.0, 5.0]))),
    Row(M.SMAPE(), real, lambda y, p: np.mean(200 * abs(y - p) / (abs(y) + abs(p)))),
    Row(M.Perplexity(), words, perplexity),
    Row(M.ViterbiAccuracy(), potentials, tagged),
    Row(M.LabelErrorRate(), spoken, edits),
    Row(M.Perplexity(ignore_class=0), words, lambda y, p: perplexity(y, p, 0)),
    Row(
        M.LossMetric(loss=losses.SparseCategoricalCrossentropy()),
        classes,
        lambda y, p: sk.log_loss(y, p, labels=range(4)),
    ),
    Row(
        M.LossMetric(loss=losses.BinaryCrossentropy()),
        lambda rng: (rng.integers(0, 2, (N, 1)), rng.random((N, 1))),
        lambda y, p: sk.log_loss(y[:, 0], p[:, 0]),
    ),
    Row(
        M.LossMetric(loss=losses.Huber()),
        real,
        lambda y, p: np.mean(np.where(abs(y - p) < 1, (y - p) ** 2 / 2, abs(y - p) - 0.5)),
    ),
    Row(M.Custom(function=lambda y, p: abs(y - p)), real, sk.mean_absolute_error),
)
