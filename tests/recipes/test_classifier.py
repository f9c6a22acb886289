"""Predictions against the truth, held against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from thalweg import layers
from thalweg.errors import ContractError
from thalweg.model import Sequential
from thalweg.recipes import classifier
from thalweg.recipes.classifier import Predictions


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    labels[labels == 3] = 0  # a class without rows
    logits = rng.normal(size=(200, 4)) + 2.0 * np.eye(4)[labels]
    logits[:, 1] -= 9.0  # a class that is never called
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return Predictions(labels, p, ("a", "b", "c", "d"))


def test_counts_accuracy_and_measures_are_those_of_scikit_learn(predictions):
    truth, called = predictions.labels, predictions.predicted
    np.testing.assert_array_equal(predictions.counts, metrics.confusion_matrix(truth, called, labels=range(4)))
    assert predictions.accuracy == pytest.approx(metrics.accuracy_score(truth, called))
    assert predictions.loss == pytest.approx(metrics.log_loss(truth, predictions.probabilities, labels=range(4)))
    assert predictions.wrong == (truth != called).sum()
    columns = metrics.precision_recall_fscore_support(truth, called, labels=range(4), zero_division=0)
    for row, (p, r, f, n) in zip(predictions.per_class, zip(*columns, strict=True), strict=True):
        assert (row["precision"], row["recall"], row["f1"]) == pytest.approx((p, r, f))
        assert row["rows"] == n


def test_the_hardest_rows_are_those_with_the_highest_loss(predictions):
    losses = [
        metrics.log_loss([t], [p], labels=range(4))
        for t, p in zip(predictions.labels, predictions.probabilities, strict=True)
    ]
    np.testing.assert_array_equal(predictions.hardest(10), np.argsort(losses)[::-1][:10])


def test_the_baseline_answers_what_is_commonest_in_training(predictions):
    scores = predictions.scores(np.array([2, 2, 1]))
    assert scores["baseline_answer"] == "c"
    assert scores["baseline"] == pytest.approx((predictions.labels == 2).mean())


@pytest.mark.parametrize(("units", "activation"), [(3, "softmax"), (2, None), (1, "sigmoid")])
def test_a_model_that_gives_no_probability_for_each_class_is_refused(units, activation):
    model = Sequential([layers.Dense(units, activation=activation, input_shape=(2,))])
    model.compile("sgd", "mse")
    with pytest.raises(ContractError, match=rf"gives \[{units}\] numbers a row.* 2 classes"):
        classifier.predictions(model, np.ones((4, 2), np.float32), np.zeros(4, int), ("a", "b"))
