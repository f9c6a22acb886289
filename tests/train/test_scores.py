"""Metrics of classes beside what is trained: a number that would mean nothing is an error instead."""

from typing import Any

import numpy as np
import pytest

import thalweg
from thalweg import layers, losses, metrics
from thalweg.errors import ConfigError, ContractError

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
REAL, YES = X.sum(1, keepdims=True), (X[:, :1] > 0).astype(np.float32)
OF_CLASSES = ["accuracy", "binary_accuracy", "precision", "recall", "f1_score", "auc", metrics.ConfusionMatrix()]


def model(metric, units=1, loss: Any = "mse", end=None):
    made = thalweg.Sequential([layers.Dense(units, activation=end)])
    made.compile("sgd", loss, [metric])
    return made


def root(y, p):
    return abs(y - p) ** 0.5


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", root])
@pytest.mark.parametrize("metric", OF_CLASSES)
def test_a_regression_has_no_classes_to_count(metric, loss):
    with pytest.raises(ContractError, match=r"counts classes; the target of row \d+ is .*\n  Write metrics=\['mae'\]"):
        model(metric, loss=loss).fit(X, REAL, verbose=0)
    with pytest.raises(ContractError, match="counts classes"):
        model(metric, loss=loss).evaluate(X, REAL)


@pytest.mark.parametrize(
    "metric", ["accuracy", "categorical_accuracy", "top_k_categorical_accuracy", "f1_score", "auc"]
)
def test_rows_of_numbers_are_no_classes(metric):
    with pytest.raises(ContractError, match="counts classes"):
        model(metric, units=3).fit(X, X, verbose=0)


def test_validation_rows_are_held_too():
    with pytest.raises(ContractError, match="the validation target of row"):
        model("accuracy").fit(X, YES, validation_data=(X + 1, REAL), verbose=0)


@pytest.mark.parametrize("y", [YES, 2 * YES - 1, 0.8 * YES + 0.1])
def test_two_classes_as_numbers_are_counted(y):
    made = model("accuracy")
    made.fit(X, y, verbose=0)
    expected = ((made.predict(X) > 0.5) == (y > 0.5)).mean()
    assert made.evaluate(X, y)[1] == pytest.approx(expected)


def test_one_hot_rows_are_counted_beside_a_loss_of_numbers():
    made, y = model("accuracy", units=3), np.eye(3, dtype=np.float32)[X.argmax(1)]
    made.fit(X, y, verbose=0)
    assert made.evaluate(X, y)[1] == pytest.approx((made.predict(X).argmax(1) == X.argmax(1)).mean())


@pytest.mark.parametrize("cut", [0, 0.0, 1.0, -0.5, 2.0])
@pytest.mark.parametrize(
    "metric",
    [
        lambda cut: metrics.BinaryAccuracy(threshold=cut),
        lambda cut: metrics.Precision(thresholds=cut),
        lambda cut: metrics.Recall(thresholds=cut),
        lambda cut: metrics.F1Score(threshold=cut),
        lambda cut: metrics.ConfusionMatrix(threshold=cut),
    ],
)
@pytest.mark.parametrize("end", [None, "sigmoid"])
def test_a_threshold_of_logits_is_refused_where_metrics_see_probabilities(metric, cut, end):
    with pytest.raises(ConfigError, match=r"parts no probabilities, .*\n  Write thresholds?=0\.5"):
        model(metric(cut), loss=losses.BinaryCrossentropy(), end=end)


def test_a_threshold_of_outputs_is_taken_where_metrics_see_outputs():
    made = model(metrics.BinaryAccuracy(threshold=0.0), loss="hinge")
    made.fit(X, 2 * YES - 1, verbose=0)
    assert made.evaluate(X, YES)[1] == pytest.approx(((made.predict(X) > 0) == (YES > 0)).mean())
