"""Metrics in training: each under a name of its own, and none counts what the loss leaves out."""

import keras
import numpy as np
import pytest
import sklearn.metrics as sk

import thalweg
from tests.peers import relaxed
from thalweg import layers, losses, metrics
from thalweg.errors import ConfigError
from thalweg.train.callbacks import CSVLogger, EarlyStopping

RNG = np.random.default_rng(0)
X, C = RNG.normal(size=(40, 3)).astype(np.float32), RNG.integers(0, 3, 40)
SPARSE = "sparse_categorical_crossentropy"


def model(chosen, loss=SPARSE, units=3, end="softmax", net=None):
    made = thalweg.Sequential(net or [layers.Dense(units, activation=end)])
    made.compile(thalweg.optimizers.SGD(0.0), loss, chosen)
    return made


# Names ----------------------------------------------------------------------------------------------------------------


def test_two_areas_are_numbered():
    m, y = model([metrics.AUC(), metrics.AUC(curve="PR")], "binary_crossentropy", 1, "sigmoid"), C > 0
    p = m.predict(X)[:, 0]
    expected = {"auc": sk.roc_auc_score(y, p), "auc_1": sk.average_precision_score(y, p)}
    found = m.evaluate(X, y, return_dict=True)
    assert list(found) == ["loss", "auc", "auc_1"]
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_the_same_metric_of_each_class_as_in_keras():
    m = model([metrics.Recall(class_id=k) for k in range(3)])
    with relaxed():
        peer = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="softmax")])
        peer.compile(
            loss="categorical_crossentropy",
            metrics=[keras.metrics.Recall(class_id=k, top_k=1, name=f"k{k}") for k in range(3)],
        )
        m.predict(X)
        peer.set_weights(m.get_weights())
        expected = peer.evaluate(X, np.eye(3)[C], verbose=0)
    found = m.evaluate(X, C, return_dict=True)
    assert list(found) == ["loss", "recall", "recall_1", "recall_2"]
    np.testing.assert_allclose(list(found.values()), expected, rtol=1e-5)


def test_numbers_step_over_names_that_are_taken():
    m = model([metrics.AUC(), metrics.AUC(), metrics.AUC(name="auc_1"), metrics.AUC(), "accuracy", "accuracy"])
    names = ["loss", "auc", "auc_2", "auc_1", "auc_3", "accuracy", "accuracy_1"]
    assert list(m.evaluate(X, C, return_dict=True)) == names


def test_history_monitors_and_files_know_the_numbered_names(tmp_path):
    m = model([metrics.AUC(), metrics.AUC(curve="PR")])
    hooks = [EarlyStopping("val_auc_1", mode="max"), CSVLogger(tmp_path / "log.csv")]
    logs = m.fit(X, C, epochs=1, validation_split=0.25, verbose=0, callbacks=hooks).history
    names = ["loss", "auc", "auc_1", "val_loss", "val_auc", "val_auc_1"]
    assert list(logs) == names
    assert (tmp_path / "log.csv").read_text().splitlines()[0] == ",".join(["epoch", *sorted(names)])
    loaded = thalweg.load_model(m.save(tmp_path / "m.tw"))
    assert loaded.evaluate(X, C, return_dict=True) == m.evaluate(X, C, return_dict=True)


@pytest.mark.parametrize("name", ["loss", "epoch", "learning_rate", "val_loss", "val_accuracy"])
def test_a_name_that_the_history_has_is_refused(name):
    def measured(y, p):
        return y - p

    measured.__name__ = name
    for metric in (metrics.Precision(name=name), measured):
        with pytest.raises(ConfigError, match=rf"called '{name}'.*\n  Write name="):
            model(["accuracy", metric])


def test_an_unknown_metric_is_said_when_the_model_is_compiled():
    with pytest.raises(ConfigError, match="unknown metric 'acuracy'"):
        model(["acuracy"])


# What the loss ignores ------------------------------------------------------------------------------------------------

WORDS, TAGS = RNG.integers(0, 9, (12, 7)), RNG.integers(0, 3, (12, 7))
ALL = [
    "accuracy", metrics.Precision(), metrics.Recall(), metrics.F1Score(), metrics.AUC(), "perplexity",
    "confusion_matrix", metrics.SparseTopKCategoricalAccuracy(k=2), SPARSE, lambda y, p: p[..., 0],
]  # fmt: skip


def by_hand(p, y, kept):
    p, y = p[kept].astype(np.float64), y[kept]
    best, nll = p.argmax(-1), -np.log(np.take_along_axis(p, y[:, None], 1)[:, 0])
    areas = [sk.roc_auc_score(y == k, p[:, k]) for k in range(3) if 0 < (y == k).sum() < len(y)]
    scores = [
        f(y, best, labels=range(3), average="macro", zero_division=0)
        for f in (sk.precision_score, sk.recall_score, sk.f1_score)
    ]
    top = (np.argsort(-p)[:, :2] == y[:, None]).any(1).mean()
    matrix = sk.confusion_matrix(y, best, labels=range(3))
    return [
        nll.mean(),
        (best == y).mean(),
        *scores,
        np.mean(areas),
        np.exp(nll.mean()),
        matrix,
        top,
        nll.mean(),
        p[:, 0].mean(),
    ]


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)


@pytest.mark.parametrize("ignored", [0, -1])
@pytest.mark.parametrize("mask_zero", [False, True])
def test_every_metric_leaves_out_the_class_that_the_loss_ignores(ignored, mask_zero):
    y = np.where(TAGS == 0, ignored, TAGS)
    net = [layers.Embedding(9, 4, mask_zero=mask_zero), layers.Dense(3, activation="softmax")]
    m = model(ALL, losses.SparseCategoricalCrossentropy(ignore_class=ignored), net=net)
    kept = (TAGS != 0) & (~np.array(mask_zero) | (WORDS != 0))
    expected = by_hand(m.predict(WORDS), y, kept)
    same(m.evaluate(WORDS, y, batch_size=5), expected)
    same([logs[0] for logs in m.fit(WORDS, y, batch_size=5, verbose=0).history.values()], expected)


def test_ignored_rows_and_pixels():
    y = np.where(C == 0, 255, C)
    kind = losses.SparseCategoricalCrossentropy(ignore_class=255)
    m = model(ALL, kind)
    same(m.evaluate(X, y, batch_size=7), by_hand(m.predict(X), y, y != 255))
    x, pixels = RNG.normal(size=(4, 5, 6, 2)).astype(np.float32), RNG.integers(0, 3, (4, 5, 6))
    y, m = np.where(pixels == 1, 255, pixels), model(ALL, kind)
    same(m.evaluate(x, y, batch_size=3), by_hand(m.predict(x), y, y != 255))
