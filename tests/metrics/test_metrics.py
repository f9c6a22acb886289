"""Metrics over ragged, padded batches in a compiled loop, against scikit-learn on the whole."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.metrics.rows import ROWS
from thalweg import losses, metrics
from thalweg.errors import ConfigError, ContractError
from thalweg.metrics import sums
from thalweg.record import from_json, to_json

BATCH = 5


def batches(y, p):
    """The rows in stacked batches; padding holds wild labels and NaN, and stands now at the end, now in between."""
    rows, positions = np.arange(len(y)), []
    while len(rows):
        take = BATCH - len(positions) % 2
        positions.append(np.append(np.full(BATCH - len(rows[:take]), -1), rows[:take]))
        rows = rows[take:]
    index = np.stack(positions)
    y, p = y[index].astype(y.dtype), p[index].astype(np.float32)
    y[index < 0], p[index < 0] = 1, np.nan
    y = y.astype(np.int32 if y.dtype.kind == "i" else np.float32)
    return jnp.asarray(y), jnp.asarray(p), jnp.asarray(index >= 0, jnp.float32)


def spec_of(p, dtype=jnp.float32):
    return jax.ShapeDtypeStruct((1, *p.shape[1:]), dtype)  # the batch is not known before the epoch


def accumulated(step, acc, y, p, weight):
    for batch in zip(y, p, weight, strict=True):
        acc = step(acc, *batch)
    return acc


def test_every_metric_has_a_row():
    assert {type(row.metric) for row in ROWS} == {*metrics.ALIASES, metrics.LossMetric, metrics.MASE, metrics.Custom}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_batches_give_what_scikit_learn_gives_for_the_whole(row):
    y, p = row.data(np.random.default_rng(0))
    metric, want = row.metric, row.oracle(y, p)
    stacked = batches(y, p)
    empty = [metric.init(len(y), spec_of(p)) for _ in range(4)]
    step = jax.jit(metric.update)
    result = metric.result(accumulated(step, empty[0], *stacked))
    assert isinstance(result, float if np.ndim(want) == 0 else np.ndarray)
    np.testing.assert_allclose(result, want, rtol=2e-6)

    parts = np.array_split(np.arange(len(stacked[0])), 3)
    a, b, c = (accumulated(step, e, *(s[i] for s in stacked)) for e, i in zip(empty[1:], parts, strict=True))
    left, right = metric.merge(metric.merge(a, b), c), metric.merge(a, metric.merge(b, c))
    np.testing.assert_allclose(metric.result(left), want, rtol=2e-6)
    np.testing.assert_allclose(metric.result(right), metric.result(left), rtol=1e-6)
    np.testing.assert_allclose(metric.result(metric.merge(empty[0], a)), metric.result(a), rtol=1e-12)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.label)
def test_comes_back_from_json(row):
    if isinstance(row.metric, metrics.Custom):
        pytest.skip("a function is not data")
    named = dataclasses.replace(row.metric, name="mine")
    allowed = {**losses.ALLOWED, **metrics.ALLOWED}
    assert from_json(json.loads(json.dumps(to_json(named))), allowed) == named


def test_no_metric_is_stored_under_the_name_of_a_loss():
    assert not set(losses.ALLOWED) & set(metrics.ALLOWED)


@pytest.mark.parametrize("batch", [20, 1_000_000])
def test_a_mean_of_a_million_rows_is_exact_to_float32(batch):
    values = (np.random.default_rng(0).normal(size=1_000_000) ** 2 + 3).astype(np.float32)
    mean = metrics.Mean()

    def step(acc, v):
        return mean.add(acc, v, jnp.ones_like(v)), None

    acc = mean.init(len(values), jax.ShapeDtypeStruct((batch,), jnp.float32))
    acc = jax.jit(lambda acc, v: jax.lax.scan(step, acc, v)[0])(acc, values.reshape(-1, batch))
    assert abs(mean.result(acc) / values.astype(np.float64).mean() - 1) < 2**-24
    assert sums.value(acc["weight"]) == 1_000_000


def test_counts_pass_the_limit_of_float32():
    total = {"hi": jnp.float32(2**24), "lo": jnp.float32(0)}
    step = jax.jit(lambda total: jax.lax.fori_loop(0, 101, lambda _, t: sums.plus(t, jnp.float32(1)), total))
    assert sums.value(step(total)) == 2**24 + 101
    assert jnp.float32(2**24) + 1 == 2**24


def test_float64_is_kept():
    with jax.enable_x64(True):
        p = np.array([[1.0 + 1e-12], [2.0]])
        metric = metrics.MAE()
        acc = metric.update(
            metric.init(2, spec_of(p, jnp.float64)), jnp.array([[1.0], [2.0]]), jnp.asarray(p), jnp.ones(2)
        )
        np.testing.assert_allclose(metric.result(acc), 5e-13, rtol=1e-3)


def test_bfloat16_predictions_are_summed_in_float32():
    p = jnp.full((4, 1), 1.0 / 3, jnp.bfloat16)
    metric = metrics.MSE()
    acc = metric.update(metric.init(4, spec_of(p, jnp.bfloat16)), jnp.zeros((4, 1)), p, jnp.ones(4))
    assert metric.result(acc) == float(jnp.float32(p[0, 0]) ** 2)


def test_weights_count_and_infinity_is_not_nan():
    mean = metrics.Mean()
    acc = mean.init(2, jax.ShapeDtypeStruct((2,), jnp.float32))
    assert np.isnan(mean.result(acc))
    acc = mean.add(acc, jnp.array([1.0, 4.0]), jnp.array([2.0, 1.0]))
    assert mean.result(acc) == 2.0
    acc = mean.add(mean.add(acc, jnp.array([jnp.inf]), jnp.ones(1)), jnp.ones(1), jnp.ones(1))
    assert mean.result(acc) == np.inf


def test_r2_of_a_large_mean_and_of_a_constant_target():
    rng = np.random.default_rng(0)
    y = (rng.normal(size=(1000, 1)) + 10_000).astype(np.float32)
    p = (y + rng.normal(size=y.shape) / 2).astype(np.float32)
    metric, w = metrics.R2Score(), jnp.ones(1000)
    acc = metric.update(metric.init(1000, spec_of(p)), jnp.asarray(y), jnp.asarray(p), w)
    y, p = y.astype(np.float64), p.astype(np.float64)
    np.testing.assert_allclose(metric.result(acc), 1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum(), rtol=1e-6)
    for offset, want in ((0.0, 1.0), (1.0, 0.0)):
        acc = metric.update(metric.init(1000, spec_of(p)), jnp.ones((1000, 1)), jnp.full((1000, 1), 1 + offset), w)
        assert metric.result(acc) == want


def test_auc_leaves_out_what_has_no_area():
    p = jnp.array([[0.1, 0.9], [0.8, 0.2]])
    for average, want in (("macro", 1.0), (None, [np.nan, 1.0])):
        metric = metrics.AUC(average=average)
        acc = metric.update(metric.init(2, spec_of(p)), jnp.array([[1, 1], [1, 0]]), p, jnp.ones(2))
        np.testing.assert_array_equal(metric.result(acc), want)
    acc = metric.update(metric.init(2, spec_of(p)), jnp.array([[1, 1], [1, 1]]), p, jnp.ones(2))
    assert np.isnan(metrics.AUC().result(acc))


def test_classes_that_never_come_score_zero():
    metric = metrics.F1Score(average=None)
    p = jnp.eye(3)[jnp.array([0, 0])]
    acc = metric.update(metric.init(2, spec_of(p)), jnp.array([0, 0]), p, jnp.ones(2))
    assert metric.result(acc).tolist() == [1.0, 0.0, 0.0]


def test_a_nan_is_no_top_k_hit():
    p = jnp.full((1, 3), jnp.nan)
    assert metrics.SparseTopKCategoricalAccuracy(k=2).rows(jnp.array([1]), p).tolist() == [0.0]


@pytest.mark.parametrize(
    ("loss", "kind"),
    [
        (losses.SparseCategoricalCrossentropy(), metrics.SparseCategoricalAccuracy()),
        (losses.CategoricalCrossentropy(), metrics.CategoricalAccuracy()),
        (losses.BinaryCrossentropy(), metrics.BinaryAccuracy()),
        (losses.Hinge(), metrics.BinaryAccuracy(threshold=0.0)),
        (losses.MeanSquaredError(), metrics.Accuracy()),
        (None, metrics.Accuracy()),
    ],
)
def test_accuracy_is_that_of_the_loss_s_targets(loss, kind):
    assert metrics.metric("acc", loss) == dataclasses.replace(kind, name="acc")
    assert metrics.metric(metrics.Accuracy, loss).name == "accuracy"


def test_names_classes_records_losses_and_functions():
    assert metrics.metric("MSE") == metrics.MeanSquaredError(name="MSE")
    assert metrics.metric("mape", losses=losses.loss) == metrics.LossMetric(
        loss=losses.MeanAbsolutePercentageError(), name="mape"
    )
    assert metrics.metric(losses.Poisson()).name == "Poisson"
    assert metrics.metric(metrics.AUC(curve="PR", name="pr")).name == "pr"

    def off_by(target, prediction):
        return abs(target - prediction)

    assert metrics.metric(off_by) == metrics.metric(off_by)
    assert metrics.metric(off_by).name == "off_by"
    with pytest.raises(ConfigError, match="Did you mean 'precision'"):
        metrics.metric("precison", losses=losses.loss)
    with pytest.raises(ConfigError, match="Write metrics="):
        metrics.metric(3)
    with pytest.raises(ContractError, match="leave out the mean"):
        metrics.metric(lambda y, p: jnp.mean(p)).rows(jnp.zeros(2), jnp.zeros(2))


def test_labels_side_by_side_get_a_threshold():
    assert metrics.metric("precision", losses.BinaryCrossentropy()).thresholds == 0.5
    assert metrics.metric(metrics.F1Score(threshold=0.3), losses.BinaryCrossentropy()).threshold == 0.3
    assert metrics.metric("f1", losses.SparseCategoricalCrossentropy()).threshold is None


def test_unknown_settings_are_refused():
    with pytest.raises(ConfigError, match="Did you mean 'macro'"):
        metrics.Precision(average="makro")
    with pytest.raises(ConfigError, match="Did you mean 'ROC'"):
        metrics.AUC(curve="roc")
    with pytest.raises(ConfigError, match="average='macro'"):
        metrics.AUC(average="micro")
    with pytest.raises(ConfigError, match="k must be"):
        metrics.TopKCategoricalAccuracy(k=0)


def test_every_keras_name_of_a_listed_metric_resolves():
    import keras

    ours = {
        name: kind for name, kind in vars(metrics).items() if isinstance(kind, type) and hasattr(keras.metrics, name)
    }
    assert len(ours) > 12
    for name, kind in ours.items():
        if name not in ("Mean", "Metric"):
            twin = getattr(keras.metrics, name)().name.removesuffix("_1")
            assert type(metrics.metric(twin)) is kind
            assert kind().name == twin


@pytest.mark.parametrize(("size", "expected"), [(1e15, 0.75), (3e19, np.nan)])
def test_r2_over_squares_that_overflow_is_nan(size, expected):
    """An error that is finite, over a spread that is not, was no error: R^2 = 1."""
    y = size * np.float32([[-1.0], [1.0], [-1.0], [1.0]])
    metric = metrics.R2Score()
    acc = metric.init(4, jax.ShapeDtypeStruct(y.shape, jnp.float32))
    acc = metric.update(acc, jnp.asarray(y), jnp.asarray(y * 0.5), jnp.ones(4))
    np.testing.assert_allclose(metric.result(acc), expected, rtol=1e-6)
