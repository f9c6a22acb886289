"""The report: one page that says everything of a run, and believes no text."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from thalweg.core.summary import Row, Summary
from thalweg.recipes import report
from thalweg.recipes.classifier import Predictions
from thalweg.recipes.image.verdict import SHOWN, verdict
from thalweg.recipes.verdict import percent

EVIL = "<script>alert('a&b')</script>"


@pytest.fixture(scope="module")
def predictions():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    p = rng.dirichlet(np.ones(3), 60) * 0.4 + 0.6 * np.eye(3)[labels]
    p[5] = p[5][::-1]
    p[7] = [0.98, 0.01, 0.01]  # a 1 that is called 0: the worst
    return Predictions(labels, p, ("cat", EVIL, "dog"))


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(1).integers(0, 17, (60, 8, 8)).astype(np.uint8)


@pytest.fixture(scope="module")
def page(predictions, pictures):
    manifest = {
        "recipe": "digits",
        "command": f"thalweg train digits --data {EVIL}",
        "started": "2025-01-31T10:00:00+00:00",
        "seconds": 12.3,
        "versions": {"thalweg": "0.1.0", "jax": "0.10.2"},
        "data": {"source": "Digits", "rows": {"train": 100}, "sha256": {"train": "ab" * 32}},
        "config": {"recipe": "digits", "epochs": 4, "learning_rate": 0.002},
        "result": predictions.scores(predictions.labels),
    }
    history = {"loss": [2.0, 1.0], "val_loss": [1.5, 1.2], "accuracy": [0.2, 0.5], "val_accuracy": [0.3, 0.4]}
    network = Summary((Row("layers.0", "Dense", ((10,),), 650, 1280, 2640),), 650, 0, 1301)
    return report.render(
        manifest, history=history, network=network, verdict=verdict(predictions, pictures, predictions.labels)
    )


def test_it_holds_the_result_the_baseline_settings_network_and_versions(page, predictions):
    for text in (
        percent(predictions.accuracy),
        f"{predictions.wrong} of 60",
        "33.3%",  # the baseline
        f"{predictions.loss:.4f}",
        "learning_rate",
        "layers.0",
        "1,280",
        "0.10.2",
        "12.3 s",
        "abababab",
        "loss by epoch",
        "accuracy by epoch",
    ):
        assert text in page, text


def test_the_confusion_matrix_has_every_count(page, predictions):
    part = re.search(r'<table class="confusion">.*?</table>', page, re.DOTALL).group()
    found = [int(n) for n in re.findall(r"<td[^>]*>(\d+)</td>", part)]
    np.testing.assert_array_equal(np.array(found).reshape(3, 3), predictions.counts)


def test_the_measures_of_each_class_are_there(page, predictions):
    for line in predictions.per_class:
        assert "".join(f'<td class="n">{line[m]:.3f}</td>' for m in ("precision", "recall", "f1")) in page


def test_the_worst_mistakes_come_first_with_their_own_pictures(page, predictions, pictures):
    figures = re.findall(r"<figure>(.*?)</figure>", page, re.DOTALL)
    assert len(figures) == SHOWN
    assert "row 7<" in figures[0]
    assert re.search(r"is <b>.*</b> \(1\.0%\)<br>called <b>cat</b> \(98\.0%\)", figures[0])
    for row, figure in zip(predictions.hardest(SHOWN), figures, strict=True):
        content = base64.b64decode(re.search(r"base64,([^\"]*)", figure).group(1))
        shown = np.asarray(Image.open(io.BytesIO(content)))
        np.testing.assert_allclose(shown, pictures[row] * (255 / pictures.max()), atol=1)


def test_no_text_becomes_markup(page):
    assert "<script" not in page.lower()
    assert "&lt;script&gt;alert(&#x27;a&amp;b&#x27;)&lt;/script&gt;" in page
