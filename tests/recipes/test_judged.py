"""Predictions against the truth, held against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from thalweg import layers
from thalweg.errors import ContractError
from thalweg.model import Sequential
from thalweg.recipes.judged import Judged, judge


@pytest.fixture(scope="module")
def judged():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    labels[labels == 3] = 0  # a class without rows
    logits = rng.normal(size=(200, 4)) + 2.0 * np.eye(4)[labels]
    logits[:, 1] -= 9.0  # a class that is never called
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return Judged(labels, p, ("a", "b", "c", "d"), 0.5)


def test_counts_accuracy_and_measures_are_those_of_scikit_learn(judged):
    truth, called = judged.labels, judged.predicted
    np.testing.assert_array_equal(judged.counts, metrics.confusion_matrix(truth, called, labels=range(4)))
    assert judged.accuracy == pytest.approx(metrics.accuracy_score(truth, called))
    assert judged.wrong == (truth != called).sum()
    columns = metrics.precision_recall_fscore_support(truth, called, labels=range(4), zero_division=0)
    for row, (p, r, f, n) in zip(judged.per_class, zip(*columns, strict=True), strict=True):
        assert (row["precision"], row["recall"], row["f1"]) == pytest.approx((p, r, f))
        assert row["rows"] == n


def test_the_hardest_rows_are_those_with_the_highest_loss(judged):
    losses = [
        metrics.log_loss([t], [p], labels=range(4)) for t, p in zip(judged.labels, judged.probabilities, strict=True)
    ]
    np.testing.assert_array_equal(judged.hardest(10), np.argsort(losses)[::-1][:10])


def test_the_baseline_answers_what_is_commonest_in_training(judged):
    scores = judged.scores(np.array([2, 2, 1]))
    assert scores["baseline_answer"] == "c"
    assert scores["baseline"] == pytest.approx((judged.labels == 2).mean())


def test_a_model_with_another_number_of_classes_is_refused():
    model = Sequential([layers.Dense(3, activation="softmax", input_shape=(2,))])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ContractError, match=r"3.*2 classes"):
        judge(model, np.zeros((4, 2), np.float32), np.zeros(4, int), ("a", "b"))
