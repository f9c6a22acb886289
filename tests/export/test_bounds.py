"""A description is held against the arrays of its file and against limits, each named and raised by a setting."""

import json
import re
import resource
import time

import numpy as np
import pytest

from thalweg import layers, losses, metrics
from thalweg.architectures import GPT
from thalweg.errors import ConfigError, ModelFileError
from thalweg.export import modelfile, strictjson
from thalweg.limits import LIMITS, limit
from thalweg.model import Model, Sequential, load_model
from thalweg.train.callbacks import EarlyStopping


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A network of two dense layers and a GPT, as their files hold them."""
    folder = tmp_path_factory.mktemp("good")
    dense = Sequential([layers.Dense(4, "relu", input_shape=(3,)), layers.Dense(2)])
    dense.compile("adam", "mse")
    gpt = Model(GPT(7, context=4, num_layers=2, num_heads=2, width=4))
    gpt.compile("sgd", "sparse_categorical_crossentropy")
    gpt.predict(np.ones((1, 4), np.int32))
    return {name: modelfile.read(m.save(folder / f"{name}.tw")) for name, m in (("dense", dense), ("gpt", gpt))}


def written(path, file, **changes):
    """A file whose architecture is changed, at dotted paths with __ for the dots."""
    architecture = json.loads(json.dumps(file.architecture))
    for way, value in changes.items():
        *first, last = [int(k) if k.isdigit() else k for k in way.split("__")]
        node = architecture
        for key in first:
            node = node[key]
        node[last] = value
    modelfile.write(path, architecture, file.weights, file.preprocessing, {})
    return path


def refused(path, message):
    """Loading ends at once in one error with a remedy, and takes no memory to speak of."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelFileError, match=message) as error:
        load_model(path)
    assert str(path) in str(error.value)
    assert re.search(r"\n  \S", str(error.value))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # KiB


@pytest.mark.parametrize("units", [5, 2 * 10**9, 10**18, 10**300])
def test_units_are_held_against_the_arrays(tmp_path, good, units):
    refused(
        written(tmp_path / "m.tw", good["dense"], module__layers__0__units=units), r"layers.0.kernel of shape \(3, "
    )


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("num_layers", 3, "blocks.2"),
        ("num_layers", 10**5, "blocks.2"),
        ("num_layers", 10**18, "blocks.2"),
        ("width", 10**9, "embedding.embeddings"),
        ("context", 10**12, "positions.embeddings"),
        ("vocabulary_size", 10**15, "embedding.embeddings"),
        ("intermediate_dim", 10**12, "blocks.0.up.kernel"),
        ("num_layers", 1, "the network has no array blocks.1"),
    ],
)
def test_a_gpt_is_held_against_the_arrays(tmp_path, good, field, value, name):
    refused(written(tmp_path / "m.tw", good["gpt"], **{f"module__{field}": value}), name)


def test_complex_weights_are_refused(tmp_path, good):
    file = good["dense"]
    weights = dict(file.weights) | {"layers.0.bias": np.zeros(4, np.complex64)}
    modelfile.write(tmp_path / "m.tw", file.architecture, weights, file.preprocessing, {})
    refused(tmp_path / "m.tw", "layers.0.bias is complex64; the network keeps float32")


EMPTY = {"type": "Activation", "activation": "relu"}
ADAM, MSE = {"type": "Adam"}, {"type": "MeanSquaredError"}
LIMITED = {
    "model_records": {"module__layers": [EMPTY] * 40_000},
    "model_layers": {"module__layers": [EMPTY] * 2000},
    "model_windows": {
        "module": {"type": "AveragePooling1D", "pool_size": 10**9, "padding": "same"},
        "input__shape": [9, 2],
    },
    "model_windows of two axes": {"module": {"type": "MaxPooling2D", "pool_size": 10**9}, "input__shape": [9, 9, 2]},
    "model_row of the inputs": {"input__shape": [10**9]},
    "model_row of several axes": {"input__shape": [10**4, 10**4, 10**4]},
    "model_row that a layer makes": {"module": {"type": "RepeatVector", "n": 10**10}},
    "model_row upsampled": {"module": {"type": "UpSampling1D", "size": 10**9}, "input__shape": [9, 2]},
    "model_copies": {"compile": [{"type": "LBFGS", "memory_size": 10**7}, MSE, []]},
    "model_metrics": {"compile": [ADAM, MSE, ["mae"] * 1000]},
    "model_records of training": {"compile": [ADAM, MSE, ["mae"] * 20_000]},
    "model_depth": {"x": json.loads("[" * 120 + "]" * 120)},
    "model_name": {"x" * 1001: 1},
}


@pytest.mark.parametrize("name", LIMITED)
def test_each_limit_is_named_with_what_raises_it(tmp_path, good, monkeypatch, name):
    kind = name.split()[0]
    monkeypatch.setenv("THALWEG_LIMIT_MODEL_DEPTH", "200" if kind == "model_depth" else "128")
    monkeypatch.setenv("THALWEG_LIMIT_MODEL_NAME", "2000")
    path = written(tmp_path / "m.tw", good["dense"], **LIMITED[name])
    monkeypatch.setenv("THALWEG_LIMIT_MODEL_DEPTH", "100" if kind == "model_depth" else "128")
    monkeypatch.delenv("THALWEG_LIMIT_MODEL_NAME")
    refused(path, rf"has more than [\d,]+ .*; that is the limit {kind}\.\n.* THALWEG_LIMIT_{kind.upper()}=\d")


RAISED = {f"model_{name}" for name in ("bytes", "json", "values", "arrays", "layers", "records", "row")}


@pytest.mark.parametrize("name", sorted(RAISED))
def test_a_limit_is_raised_by_its_setting(tmp_path, good, monkeypatch, name):
    path, values = written(tmp_path / "m.tw", good["dense"]), ["1"]
    for _ in range(5):  # there may be a larger part further on
        monkeypatch.setenv(f"THALWEG_LIMIT_{name.upper()}", values[-1])
        try:
            model = load_model(path)
        except ModelFileError as error:
            values.append(re.search(rf"THALWEG_LIMIT_{name.upper()}=(\d+)", str(error))[1])
    assert len(values) > 1
    assert model.count_params() == 26


@pytest.mark.parametrize("text", ["", "x", "-1", "1e9", "1" * 30, "²"])
def test_a_setting_that_is_no_number(monkeypatch, text):
    monkeypatch.setenv("THALWEG_LIMIT_MODEL_ROW", text)
    with pytest.raises(ConfigError, match=r"THALWEG_LIMIT_MODEL_ROW=.* is no limit.\n  "):
        limit("model_row")


def test_every_limit_has_a_case():
    assert {name.split()[0] for name in LIMITED} | RAISED == {name for name in LIMITS if name.startswith("model_")}


def test_many_names_of_which_one_is_given_twice():
    """Each name was counted among all the others: 20,000 of them took seconds, and a file can hold a million."""
    text = "{" + ",".join(f'"{i}":1' for i in range(100_000)) + ',"99999":2}'
    started = time.perf_counter()
    with pytest.raises(ModelFileError, match="'99999' is given twice"):
        strictjson.parse(text.encode(), "architecture.json")
    assert time.perf_counter() - started < 10  # a hundredth of this; it was a minute


def test_a_loaded_model_has_its_state_and_its_statistics(tmp_path):
    """Weights are put in as they lie in the file, with the statistics, tuned numbers and penalty of a new one."""
    made = Sequential([
        layers.Dense(4, kernel_regularizer="l2", input_shape=(3,)), layers.BatchNormalization(), layers.Dropout(0.5),
        layers.Dense(2, "softmax"),
    ])  # fmt: skip
    made.compile("adam", losses.CategoricalCrossentropy(), [metrics.F1Score()])
    x = np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 3)
    y = np.eye(2, dtype=np.float32)[np.arange(8) % 2]
    made.fit(x, y, epochs=2, batch_size=4, verbose=0)
    made.save(tmp_path / "m.tw")
    again = load_model(tmp_path / "m.tw")
    assert list(again.weights) == list(made.weights)
    assert all(np.array_equal(again.weights[k], v) for k, v in made.weights.items())
    with again.session.lent() as ours, made.session.lent() as theirs:
        assert set(ours.state) == set(theirs.state) == {"variables", "hyper", "penalty"}
    assert again.evaluate(x, y) == made.evaluate(x, y)
    assert str(again.summary(None)) == str(made.summary(None))
    again.fit(x, y, epochs=1, batch_size=4, verbose=0, callbacks=[EarlyStopping("loss")])
