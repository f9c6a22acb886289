"""A model file whose parts do not go together: the commands end in a message and exit code 2, never in a traceback."""

import json

import numpy as np
import pytest

from thalweg.export import modelfile

MANIFESTS = [
    {"recipe": ["digits"]},
    {"config": 3},
    {"config": {"recipe": "digits", "data": 7}},
    {"config": {"recipe": "digits", "data": None, "epochs": "x", "nothing": [1]}},
    {"classes": 5},
    {"classes": [[1], {"a": 2}, None] * 10},
    *({"recipe": name} for name in ("ner", "sentiment", "char-lm", "speech-digits", "forecast", "translate")),
]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "x.npy"
    np.save(path, np.zeros((2, 8, 8, 1), np.float32))
    return path


def spoiled(path, trained, manifest, preprocessing=None):
    file = modelfile.read(trained / "model.tw")
    held = file.preprocessing if preprocessing is None else preprocessing
    modelfile.write(path, file.architecture, file.weights, held, file.manifest | manifest)
    return path


def ended_well(ended):
    if ended.code:
        assert ended.code == 2, ended.err
        assert "\n  " in ended.err
        assert "Traceback" not in ended.err


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda m: json.dumps(m)[:40])
def test_a_manifest_that_says_something_else(thalweg, trained, rows, tmp_path, manifest):
    path = spoiled(tmp_path / "m.tw", trained, manifest)
    for command in (("summary", path), ("predict", path, rows), ("predict", path, "--text", "a"), ("evaluate", path)):
        ended_well(thalweg(*command))
    ended_well(thalweg("evaluate", path, "--data", rows))


@pytest.mark.parametrize("classes", [[], ["a"] * 3, [None] * 10])
def test_classes_that_are_not_those_of_the_output(thalweg, trained, rows, tmp_path, classes):
    path = spoiled(tmp_path / "m.tw", trained, {"classes": classes}, {"records": {}, "classes": classes})
    for command in (("summary", path), ("predict", path, rows), ("evaluate", path)):
        ended_well(thalweg(*command))
