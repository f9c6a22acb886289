"""One row for each loss: its equation in NumPy float64, its twin in Keras, and data that fits it."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg import losses
from thalweg.losses import Loss

CLASSES = 5


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sparse(equation):
    """An equation of one-hot rows, for class numbers."""
    return lambda y, z: equation(np.eye(z.shape[-1])[y], z)


def smooth(y, e, classes):
    return y * (1 - e) + e / classes


def cross_entropy(y, z, e=0.0):
    return -(smooth(y, e, z.shape[-1]) * np.log(softmax(z))).sum(-1)


def binary(y, z, e=0.0):
    y, p = smooth(y, e, 2), sigmoid(z)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def binary_focal(y, z, alpha, gamma, e):
    y, p = smooth(y, e, 2), sigmoid(z)
    weight = y * alpha + (1 - y) * (1 - alpha)
    return weight * (1 - (y * p + (1 - y) * (1 - p))) ** gamma * -(y * np.log(p) + (1 - y) * np.log(1 - p))


def focal(y, z, alpha, gamma, e=0.0):
    p = softmax(z)
    return -(np.asarray(alpha) * (1 - p) ** gamma * smooth(y, e, z.shape[-1]) * np.log(p)).sum(-1)


def huber(y, p, delta):
    d = np.abs(p - y)
    return np.where(d <= delta, d * d / 2, delta * d - delta * delta / 2)


def hinge(y, p):
    return np.maximum(1 - np.where(y == 0, -1, y) * p, 0)


def categorical_hinge(y, p):
    return np.maximum(1 + ((1 - y) * p).max(-1) - (y * p).sum(-1), 0)


def cosine(y, p):
    return -(y * p).sum(-1) / np.linalg.norm(y, axis=-1) / np.linalg.norm(p, axis=-1)


def kl(y, z):
    return (np.where(y > 0, y * np.log(np.where(y > 0, y, 1)), 0) - y * np.log(softmax(z))).sum(-1)


def distance(a, b):
    return float(((a - b) ** 2).sum())


def semi_hard(y, e, margin=1.0):
    """By loops: for each anchor the mean over its positives."""
    out = np.zeros(len(y))
    for a in range(len(y)):
        positives = [p for p in range(len(y)) if p != a and y[p] == y[a]]
        negatives = [distance(e[a], e[n]) for n in range(len(y)) if y[n] != y[a]]
        terms = []
        for p in positives:
            d = distance(e[a], e[p])
            further = [n for n in negatives if n > d]
            terms.append(max(d - (min(further) if further else max(negatives)) + margin, 0))
        out[a] = np.mean(terms) if terms and negatives else 0
    return out


def hard(y, e, margin=1.0):
    out = np.zeros(len(y))
    for a in range(len(y)):
        positives = [distance(e[a], e[p]) for p in range(len(y)) if p != a and y[p] == y[a]]
        negatives = [distance(e[a], e[n]) for n in range(len(y)) if y[n] != y[a]]
        out[a] = max(max(positives) - min(negatives) + margin, 0) if positives and negatives else 0
    return out


def ctc(y, z, blank=0):
    """Over all alignments, one by one; z: [rows, time, classes]."""
    p, out = softmax(z), np.zeros(len(z))
    for alignment in itertools.product(range(z.shape[2]), repeat=z.shape[1]):
        said = [k for k, _ in itertools.groupby(alignment) if k != blank]
        for row, labels in enumerate(y):
            if said == [k for k in labels if k >= 0 and k != blank]:
                out[row] += np.prod([p[row, t, k] for t, k in enumerate(alignment)])
    return -np.log(out)


def crf(y, psi):
    """Over all paths, one by one; psi: [rows, time, tags, tags]."""
    paths = list(itertools.product(range(psi.shape[2]), repeat=psi.shape[1]))

    def score(row, path):
        return sum(psi[row, t, path[t - 1] if t else 0, k] for t, k in enumerate(path))

    log_z = [np.logaddexp.reduce([score(row, path) for path in paths]) for row in range(len(psi))]
    return np.array([(log_z[row] - score(row, y[row])) / psi.shape[1] for row in range(len(psi))])


@dataclasses.dataclass(frozen=True)
class Row:
    """A loss, its equation on float64, the name of its Keras twin with settings, and what the twin is given."""

    loss: Loss
    equation: Callable[..., np.ndarray]
    keras: tuple[str, dict[str, Any]] | None
    keras_takes: str = "same"  # or "softmax": Keras's loss knows no logits
    pairs: bool = False  # compares rows with each other: one axis of rows, no time
    shape: tuple[int, ...] | None = None  # of the output, where the loss takes no other

    @property
    def label(self):
        return repr(self.loss)


LOGITS = {"from_logits": True}

ROWS = (
    Row(losses.MeanSquaredError(), lambda y, p: (p - y) ** 2, ("MeanSquaredError", {})),
    Row(losses.MeanAbsoluteError(), lambda y, p: np.abs(p - y), ("MeanAbsoluteError", {})),
    Row(
        losses.MeanAbsolutePercentageError(),
        lambda y, p: 100 * np.abs((p - y) / np.maximum(np.abs(y), 1e-7)),
        ("MeanAbsolutePercentageError", {}),
    ),
    Row(
        losses.MeanSquaredLogarithmicError(),
        lambda y, p: (np.log(np.maximum(p, 1e-7) + 1) - np.log(np.maximum(y, 1e-7) + 1)) ** 2,
        ("MeanSquaredLogarithmicError", {}),
    ),
    Row(losses.Huber(), lambda y, p: huber(y, p, 1.0), ("Huber", {})),
    Row(losses.Huber(delta=0.4), lambda y, p: huber(y, p, 0.4), ("Huber", {"delta": 0.4})),
    Row(losses.LogCosh(), lambda y, p: np.log(np.cosh(p - y)), ("LogCosh", {})),
    Row(losses.Poisson(), lambda y, p: p - y * np.log(p + 1e-7), ("Poisson", {})),
    Row(losses.CosineSimilarity(), cosine, ("CosineSimilarity", {})),
    Row(losses.BinaryCrossentropy(), binary, ("BinaryCrossentropy", LOGITS)),
    Row(
        losses.BinaryCrossentropy(label_smoothing=0.2),
        lambda y, z: binary(y, z, 0.2),
        ("BinaryCrossentropy", {**LOGITS, "label_smoothing": 0.2}),
    ),
    Row(losses.CategoricalCrossentropy(), cross_entropy, ("CategoricalCrossentropy", LOGITS)),
    Row(
        losses.CategoricalCrossentropy(label_smoothing=0.2),
        lambda y, z: cross_entropy(y, z, 0.2),
        ("CategoricalCrossentropy", {**LOGITS, "label_smoothing": 0.2}),
    ),
    Row(losses.SparseCategoricalCrossentropy(), sparse(cross_entropy), ("SparseCategoricalCrossentropy", LOGITS)),
    Row(losses.SparseCategoricalCrossentropy(label_smoothing=0.2), sparse(lambda y, z: cross_entropy(y, z, 0.2)), None),
    Row(losses.KLDivergence(), kl, ("KLDivergence", {}), "softmax"),
    Row(
        losses.BinaryFocalCrossentropy(True, 0.3, 1.5, label_smoothing=0.1),
        lambda y, z: binary_focal(y, z, 0.3, 1.5, 0.1),
        (
            "BinaryFocalCrossentropy",
            {**LOGITS, "apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5, "label_smoothing": 0.1},
        ),
    ),
    Row(
        losses.CategoricalFocalCrossentropy(0.3, 1.5, label_smoothing=0.1),
        lambda y, z: focal(y, z, 0.3, 1.5, 0.1),
        ("CategoricalFocalCrossentropy", {**LOGITS, "alpha": 0.3, "gamma": 1.5, "label_smoothing": 0.1}),
    ),
    Row(
        losses.CategoricalFocalCrossentropy([0.1, 0.2, 0.3, 0.4, 0.5]),
        lambda y, z: focal(y, z, (0.1, 0.2, 0.3, 0.4, 0.5), 2.0),
        ("CategoricalFocalCrossentropy", {**LOGITS, "alpha": [0.1, 0.2, 0.3, 0.4, 0.5]}),
    ),
    Row(
        losses.SparseCategoricalFocalCrossentropy((0.1, 0.2, 0.3, 0.4, 0.5), 0.5),
        sparse(lambda y, z: focal(y, z, (0.1, 0.2, 0.3, 0.4, 0.5), 0.5)),
        None,
    ),
    Row(losses.Hinge(), hinge, ("Hinge", {})),
    Row(losses.SquaredHinge(), lambda y, p: hinge(y, p) ** 2, ("SquaredHinge", {})),
    Row(losses.CategoricalHinge(), categorical_hinge, ("CategoricalHinge", {})),
    Row(losses.CTC(), ctc, ("CTC", {}), shape=(6, 5, 4)),
    Row(losses.CTC(blank=2), lambda y, z: ctc(y, z, 2), None, shape=(6, 5, 4)),
    Row(losses.CRFNegativeLogLikelihood(), crf, None, shape=(6, 4, 3, 3)),
    Row(losses.TripletSemiHard(), semi_hard, None, pairs=True),
    Row(losses.TripletHard(margin=0.5), lambda y, e: hard(y, e, 0.5), None, pairs=True),
)


def labels(rng, shape):
    """Up to two labels for each row, 1 and 3, which are no blank of a row above; filled up with 0, Keras's way."""
    return np.where(np.arange(2) < rng.integers(0, 3, (shape[0], 1)), rng.choice([1, 3], (shape[0], 2)), 0)


TARGETS = {
    "labels": labels,
    "tags": lambda rng, shape: rng.integers(0, shape[2], shape[:2]),
    "integer classes": lambda rng, shape: rng.integers(0, shape[-1], shape[:-1]),
    "identities": lambda rng, shape: rng.integers(0, 3, shape[:-1]),
    "one-hot": lambda rng, shape: np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])],
    "distribution": lambda rng, shape: rng.dirichlet(np.ones(shape[-1]), shape[:-1]),
    "binary": lambda rng, shape: rng.integers(0, 2, shape),
    "signs": lambda rng, shape: 2 * rng.integers(0, 2, shape) - 1,
    "counts": lambda rng, shape: rng.poisson(2.0, shape),
    "real": lambda rng, shape: rng.normal(size=shape),
    "directions": lambda rng, shape: rng.normal(size=shape),
}


def example(loss, shape=(6, CLASSES)):
    """A target and an output that fit the loss, in float64."""
    rng = np.random.default_rng(0)
    output = rng.normal(size=shape) * 2
    return TARGETS[loss.target](rng, shape), np.exp(output / 2) if loss.target == "counts" else output
