"""Metrics of padded sequences: each real position counts once, as if the positions stood alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import losses, metrics
from thalweg.errors import ContractError

N, TIME, CLASSES = 7, 4, 3
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, CLASSES, (N, TIME)).astype(np.int32)
SURE = RNG.dirichlet(np.ones(CLASSES), (N, TIME)).astype(np.float32)
REAL = RNG.random((N, TIME)) < 0.6
REAL[2] = False
HOT = np.eye(CLASSES, dtype=np.float32)[LABELS]
BINARY = (RNG.integers(0, 2, (N, TIME, 1)).astype(np.float32), RNG.random((N, TIME, 1)).astype(np.float32))
NUMBERS = tuple(RNG.normal(size=(N, TIME, 2)).astype(np.float32) for _ in range(2))

CASES = [
    (metrics.Accuracy(), LABELS, SURE),
    (metrics.Accuracy(), HOT, SURE),
    (metrics.BinaryAccuracy(), *BINARY),
    (metrics.CategoricalAccuracy(), HOT, SURE),
    (metrics.SparseCategoricalAccuracy(), LABELS, SURE),
    (metrics.TopKCategoricalAccuracy(k=2), HOT, SURE),
    (metrics.SparseTopKCategoricalAccuracy(k=2), LABELS, SURE),
    (metrics.Precision(), LABELS, SURE),
    (metrics.Recall(), *BINARY),
    (metrics.F1Score(average=None), LABELS, SURE),
    (metrics.ConfusionMatrix(), LABELS, SURE),
    (metrics.AUC(), LABELS, SURE),
    (metrics.MSE(), *NUMBERS),
    (metrics.MAE(), *NUMBERS),
    (metrics.RootMeanSquaredError(), *NUMBERS),
    (metrics.Perplexity(), LABELS, SURE),
    (metrics.Perplexity(ignore_class=1), LABELS, SURE),
    (metrics.LossMetric(loss=losses.SparseCategoricalCrossentropy()), LABELS, SURE),
    (metrics.LossMetric(loss=losses.SparseCategoricalCrossentropy(ignore_class=1)), LABELS, SURE),
    (metrics.LossMetric(loss=losses.MeanSquaredError()), *NUMBERS),
    (metrics.Custom(function=lambda y, p: jnp.abs(y - p)), *NUMBERS),
]


def told(metric, y, p, weight, batch):
    """The metric over batches."""
    acc, step = metric.init(len(y), jax.ShapeDtypeStruct((1, *p.shape[1:]), jnp.float32)), jax.jit(metric.update)
    for i in range(0, len(y), batch):
        acc = step(acc, *(jnp.asarray(a[i : i + batch]) for a in (y, p, weight)))
    return metric.result(acc)


@pytest.mark.parametrize(("metric", "y", "p"), CASES, ids=[str(i) + type(c[0]).__name__ for i, c in enumerate(CASES)])
def test_real_positions_count_as_rows_of_their_own(metric, y, p):
    spoiled = np.where(REAL[..., None], p, 0.9)
    alone = told(metric, y[REAL], p[REAL], np.ones(REAL.sum(), np.float32), 5)
    for batch in (3, N):
        np.testing.assert_allclose(told(metric, y, spoiled, REAL.astype(np.float32), batch), alone, rtol=1e-5)


def test_r2_of_each_step_leaves_its_padding_out():
    y, p = NUMBERS
    weight = REAL.astype(np.float32)
    want = [metrics_r2(y[REAL[:, t], t, k], p[REAL[:, t], t, k]) for t in range(TIME) for k in range(2)]
    for batch in (3, N):
        np.testing.assert_allclose(told(metrics.R2Score(), y, p, weight, batch), np.mean(want), rtol=1e-4)


def metrics_r2(y, p):
    y, p = y.astype(np.float64), p.astype(np.float64)
    return 1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum()


def test_a_function_of_whole_rows_cannot_be_masked():
    metric = metrics.Custom(function=lambda y, p: jnp.mean(jnp.abs(y - p), axis=(1, 2)))
    with pytest.raises(ContractError, match="Return a number for each step"):
        told(metric, *NUMBERS, REAL.astype(np.float32), N)
