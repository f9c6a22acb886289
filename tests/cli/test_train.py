"""thalweg train: settings from file and flags, the run folder, errors."""

import json
import shutil

import numpy as np
import pytest

from tests.cli.conftest import SMALL
from thalweg.recipes.folder import read_config

FILES = {
    "config.yaml",
    "manifest.json",
    "history.jsonl",
    "checkpoints",
    "model.tw",
    "evaluation.json",
    "samples.npz",
    "report.html",
}


def test_a_run_leaves_its_folder(trained):
    assert {path.name for path in trained.iterdir()} == FILES


def test_the_manifest_says_how_it_was_made(trained, evaluation):
    manifest = json.loads((trained / "manifest.json").read_text())
    assert {"thalweg", "jax", "jaxlib", "numpy", "python", "platform", "device"} <= manifest["versions"].keys()
    assert manifest["data"]["rows"] == {"train": 1293, "validation": 144, "test": 360}
    assert all(len(digest) == 64 for digest in manifest["data"]["sha256"].values())
    assert manifest["command"].startswith("thalweg")
    assert manifest["started"] <= manifest["finished"]
    assert manifest["seed"] == 0
    assert manifest["result"]["accuracy"] == evaluation["accuracy"]


def test_the_history_has_a_line_an_epoch(trained):
    lines = [json.loads(line) for line in (trained / "history.jsonl").read_text().splitlines()]
    assert len(lines) == SMALL["epochs"]
    assert all({"loss", "accuracy", "val_loss", "val_accuracy"} <= line.keys() for line in lines)


def test_the_evaluation_beats_its_baseline(evaluation):
    assert 0.08 < evaluation["baseline"] < 0.15
    assert evaluation["accuracy"] > 2 * evaluation["baseline"]
    assert np.sum(evaluation["confusion"]) == evaluation["rows"] == 360


def test_flags_go_before_the_file_and_the_file_before_the_defaults(thalweg, own, tmp_path, monkeypatch):
    """And data of one's own trains; and what is printed can be typed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text(f"recipe: mnist-mlp\ndata: {own}\nepochs: 9\nseed: 5\n")
    ended = thalweg("train", "--config", "c.yaml", "--set", "epochs=2", "--set", "units=16")
    assert ended.code == 0, ended.err
    found = read_config(tmp_path / "runs" / "mnist-mlp-1" / "config.yaml")
    assert (found["epochs"], found["units"], found["seed"], found["batch_size"]) == (2, 16, 5, 32)
    assert json.loads((tmp_path / "runs/mnist-mlp-1/manifest.json").read_text())["data"]["rows"]["test"] == 60
    assert "Always answering" in ended.out
    line = ended.out.splitlines()[-1].split()
    assert line == ["thalweg", "predict", "runs/mnist-mlp-1/model.tw", "runs/mnist-mlp-1/samples.npz"]
    assert thalweg(*line[1:]).code == 0


def test_the_configuration_of_a_run_is_such_a_file(thalweg, own, tmp_path):
    arguments = ["--data", own, "--set", "epochs=1", "--set", "units=16", "--set", "seed=5"]
    assert thalweg("train", "mnist-mlp", "--run-dir", tmp_path / "a", *arguments).code == 0
    assert thalweg("train", "--config", tmp_path / "a" / "config.yaml", "--run-dir", tmp_path / "b").code == 0
    assert read_config(tmp_path / "a" / "config.yaml") == read_config(tmp_path / "b" / "config.yaml")
    assert (tmp_path / "a" / "history.jsonl").read_text() == (tmp_path / "b" / "history.jsonl").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "digist"], "Did you mean 'digits'?"),
        (["train"], "no recipe is named"),
        (["train", "digits", "--set", "epoch=3"], "Did you mean 'epochs'?"),
        (["train", "digits", "--set", "epochs"], "is no KEY=VALUE"),
        (["train", "digits", "--set", "epochs=1", "--set", "epochs=2"], "is given twice"),
        (["train", "digits", "--set", "epochs=0"], "epochs='0'"),
        (["train", "digits", "--set", "data=x"], "unknown setting 'data'"),
        (["train", "digits", "--set", "verbose=0"], "unknown setting 'verbose'"),
        (["train", "digits", "--config", "none.yaml"], "none.yaml cannot be read"),
        (["train", "digits", "--data", "none.npz"], "none.npz is no file"),
        (["train", "digits", "--data", "."], "is a folder; Digits"),
        (["train", "mnist-mlp", "--data", "."], "is not on this machine"),
        (["train", "--resume", "none"], "none is no run folder"),
        (["train", "digits", "--resume", "none"], "keeps its recipe and settings"),
    ],
)
def test_what_is_asked_wrongly_ends_in_one_message_and_leaves_nothing(thalweg, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    ended = thalweg(*arguments)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert not ended.out
    assert not list(tmp_path.iterdir())


def test_a_file_for_another_recipe_and_a_key_it_does_not_know_are_refused(thalweg, tmp_path, trained):
    assert "are for the recipe 'digits'" in thalweg("train", "mnist-mlp", "--config", trained / "config.yaml").err
    (tmp_path / "c.yaml").write_text("recipe: digits\nunitz: 3\n")
    assert "Did you mean 'units'?" in thalweg("train", "--config", tmp_path / "c.yaml").err


def test_a_batch_larger_than_the_data_leaves_no_folder(thalweg, tmp_path):
    ended = thalweg("train", "digits", "--set", "batch_size=5000", "--run-dir", tmp_path / "r")
    assert ended.code == 2
    assert "5000" in ended.err
    assert not (tmp_path / "r").exists()


def test_a_finished_run_resumed_ends_in_the_same_scores(thalweg, tmp_path, trained, evaluation):
    shutil.copytree(trained, tmp_path / "r")
    ended = thalweg("train", "--resume", tmp_path / "r")
    assert ended.code == 0, ended.err
    assert json.loads((tmp_path / "r" / "evaluation.json").read_text()) == evaluation
    assert len(json.loads((tmp_path / "r" / "manifest.json").read_text())["resumed"]) == 1


def test_a_resumed_run_refuses_other_data(thalweg, own, trained):
    ended = thalweg("train", "--resume", trained, "--data", own)
    assert ended.code == 2
    assert "is not the run's" in ended.err
