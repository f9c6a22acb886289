"""thalweg predict, evaluate, summary: a trained model in use."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from thalweg.datasets import digits
from thalweg.model import Model


@pytest.fixture(scope="module")
def test_part():
    return digits.load_data()[1]


@pytest.fixture
def probabilities(trained, test_part):
    return Model.load(trained / "model.tw").predict(test_part[0][:10])


def test_predict_prints_a_table(thalweg, trained, probabilities):
    text = thalweg("predict", trained / "model.tw", trained / "samples.npz").out
    for row, p in enumerate(probabilities):
        line = next(
            line for line in text.splitlines() if line.split("│")[1:2] and line.split("│")[1].strip() == str(row)
        )
        assert str(p.argmax()) in line
        assert f"{p.max():.4f}" in line


def test_predict_prints_json_with_every_probability(thalweg, trained, test_part, probabilities):
    said = json.loads(thalweg("predict", trained, trained / "samples.npz", "--json").out)
    np.testing.assert_allclose([list(r["probabilities"].values()) for r in said], probabilities, rtol=1e-6)
    assert [r["answer"] for r in said] == [str(k) for k in probabilities.argmax(1)]
    assert [r["label"] for r in said] == test_part[1][:10].tolist()


@pytest.mark.parametrize("kind", ["npy", "csv", "flat.npy"])
def test_predict_reads_every_kind_alike(thalweg, trained, test_part, probabilities, tmp_path, kind):
    x = test_part[0][:10]
    path = tmp_path / f"rows.{kind}"
    if kind == "csv":
        path.write_text(
            ",".join(f"p{i}" for i in range(64)) + "\n" + "\n".join(",".join(map(str, r)) for r in x.reshape(10, 64))
        )
    else:
        np.save(path, x.reshape(10, 64) if kind == "flat.npy" else x)
    said = json.loads(thalweg("predict", trained, path, "--json").out)
    np.testing.assert_allclose([r["probability"] for r in said], probabilities.max(1), rtol=1e-5)


def test_predict_reads_a_picture_in_its_own_range(thalweg, trained, test_part, probabilities, tmp_path):
    Image.fromarray((test_part[0][0] * 15.9375).round().astype(np.uint8)).save(tmp_path / "p.png")
    said = json.loads(thalweg("predict", trained, tmp_path / "p.png", "--json").out)
    np.testing.assert_allclose(list(said[0]["probabilities"].values()), probabilities[0], atol=0.02)


def test_predict_writes_files(thalweg, trained, probabilities, tmp_path):
    for name in ("a.json", "a.csv"):
        ended = thalweg("predict", trained, trained / "samples.npz", "--out", tmp_path / name)
        assert ended.out == f"10 rows written to {tmp_path / name}\n"
    said = json.loads((tmp_path / "a.json").read_text())
    with (tmp_path / "a.csv").open() as file:
        lines = list(csv.DictReader(file))
    for k in range(10):
        np.testing.assert_allclose([float(line[f"p({k})"]) for line in lines], probabilities[:, k], rtol=1e-6)
    assert [line["answer"] for line in lines] == [r["answer"] for r in said]


def test_predict_says_when_it_does_not_show_all(thalweg, trained, test_part, tmp_path):
    np.save(tmp_path / "x.npy", test_part[0])
    assert "340 rows more" in thalweg("predict", trained, tmp_path / "x.npy").out


def test_evaluate_gives_the_runs_own_scores(thalweg, trained, evaluation, test_part):
    said = json.loads(thalweg("evaluate", trained, "--json").out)
    assert said == evaluation
    loss, accuracy = Model.load(trained / "model.tw").evaluate(*test_part)
    assert (said["loss"], said["accuracy"]) == pytest.approx((loss, accuracy), rel=1e-5)
    text = thalweg("evaluate", trained / "model.tw").out
    assert f"{evaluation['accuracy']:.4f}" in text
    assert f"{evaluation['baseline']:.4f}" in text


def test_evaluate_on_a_file_counts_its_rows(thalweg, trained, probabilities, test_part):
    said = json.loads(thalweg("evaluate", trained, "--data", trained / "samples.npz", "--json").out)
    assert said["rows"] == 10
    assert said["wrong"] == (probabilities.argmax(1) != test_part[1][:10]).sum()


def test_summary_counts_the_parameters(thalweg, trained):
    count = sum(w.size for w in Model.load(trained / "model.tw").get_weights())
    assert f"{count:,}" in thalweg("summary", trained).out


@pytest.mark.parametrize(
    ("arguments", "count"),
    [(["mnist-mlp"], "101,770"), (["mnist-mlp", "--set", "units=64"], "50,890"), (["mnist-lstm"], "57,482")],
)
def test_summary_of_a_recipe_needs_no_data(thalweg, arguments, count, monkeypatch, tmp_path):
    monkeypatch.setenv("THALWEG_DATA", str(tmp_path))
    ended = thalweg("summary", *arguments)
    assert count in ended.out, ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["summary", "digist"], "neither a file nor a recipe"),
        (["predict", "none.tw", "x.npy"], "there is no model file none.tw"),
        (["evaluate", "none.tw"], "there is no model file none.tw"),
        (["evaluate", "."], "holds no model.tw"),
        (["predict", "RUN", "none.npy"], "none.npy is no file"),
        (["predict", "RUN", "RUN/config.yaml"], "none of the kinds"),
        (["predict", "RUN", "RUN/samples.npz", "--out", "a.xls"], "a.xls"),
        (["evaluate", "RUN", "--data", "none.npz"], "none.npz is no file"),
        (["summary", "RUN", "--set", "units=3"], "Leave --set out"),
    ],
)
def test_what_does_not_fit_ends_in_one_message(thalweg, trained, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    ended = thalweg(*(a.replace("RUN", str(trained)) for a in arguments))
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_a_damaged_model_file_is_refused(thalweg, trained, tmp_path):
    content = bytearray((trained / "model.tw").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "m.tw").write_bytes(content)
    ended = thalweg("evaluate", tmp_path / "m.tw")
    assert ended.code == 2
    assert ended.err.startswith("ModelFileError")
