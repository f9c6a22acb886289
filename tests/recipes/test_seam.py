"""The seam: a kind of application that the package does not know has all that recipes have, by six functions."""

import json
import shutil

import numpy as np
import pytest
import yaml

from tests.recipes.kind import CONTEXT, EVIL, LINE, NextNumber
from thalweg import recipes
from thalweg.cli import main
from thalweg.errors import ConfigError, ContractError, ModelFileError
from thalweg.model import Model
from thalweg.page import Measure
from thalweg.recipes import catalog, folder
from thalweg.recipes.base import Application
from thalweg.recipes.settings import Settings
from thalweg.recipes.trained import ask, evaluate, load
from thalweg.recipes.verdict import Verdict


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """The recipe `line`, as a file and a line in the catalogue would add it."""
    monkeypatch.setitem(catalog.RECIPES, "line", LINE)


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    path = tmp_path_factory.mktemp("series") / "series.txt"
    rng = np.random.default_rng(0)
    np.savetxt(path, 50 + 10 * np.sin(np.arange(400) / 3) + rng.normal(size=400) / 10)
    return path


@pytest.fixture(scope="module")
def finished(series, tmp_path_factory):
    place = tmp_path_factory.mktemp("run") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(catalog.RECIPES, "line", LINE)
        return recipes.run("line", epochs=5, data=series, run_dir=place, verbose=0)


def test_it_is_such_an_application():
    assert isinstance(NextNumber(), Application)


def test_a_run_leaves_what_every_run_leaves(finished, series):
    place = finished.folder
    assert {"config.yaml", "manifest.json", "history.jsonl", "checkpoints", "model.tw", "report.html"} <= {
        path.name for path in place.iterdir()
    }
    manifest = json.loads((place / "manifest.json").read_text())
    assert manifest["data"]["rows"] == {"train": 336, "validation": 26, "test": 26}
    assert manifest["config"] == yaml.safe_load((place / "config.yaml").read_text())
    assert manifest["config"]["data"] == str(series)
    assert (
        manifest["result"]
        == finished.scores
        == {"mse": finished.verdict.measure.value} | {"naive": finished.verdict.baselines[0].value}
    )
    stored = json.loads((place / "evaluation.json").read_text())
    assert stored == {**finished.scores, "errors": [*finished.scores.values()]}
    assert finished.scores["mse"] < finished.scores["naive"]


def test_the_page_shows_its_sections_and_believes_no_text(finished):
    page = (finished.folder / "report.html").read_text()
    for text in ("Forecast", ">hour<", "the last value", "two\nlines", 'class="prose"', "loss by epoch"):
        assert text in page, text
    assert "<script" not in page
    widths = [float(part.partition("%")[0]) for part in page.split('style="width:')[1:]]
    ours, naive = finished.scores.values()
    np.testing.assert_allclose(widths, [100 * ours / naive, 100.0], atol=0.01)  # the largest fills its bar


def test_the_model_file_alone_answers(finished, tmp_path):
    shutil.copy(finished.folder / "model.tw", tmp_path / "alone.tw")
    scaler = Model.load(tmp_path / "alone.tw").preprocessing["scaler"]
    assert scaler == finished.model.preprocessing["scaler"]
    trained = load(tmp_path / "alone.tw")
    said = ask(trained, None, ("50 53 56 58", "58 56 53 50"), {"ahead": "2"})
    rows = scaler(np.array([[50.0, 53, 56, 58], [58, 56, 53, 50]])[..., None].reshape(-1, 1)).reshape(2, CONTEXT)
    expected = finished.model.predict(rows.astype(np.float32))[:, 0] * scaler.std[0] + scaler.mean[0]
    np.testing.assert_allclose([answer["next"] for answer in said], expected, rtol=1e-5)
    assert [len(answer["values"]) for answer in said] == [2, 2]
    assert said[0]["unit"] == "m"


def test_evaluate_uses_the_recipes_data_or_ones_own(finished, series, tmp_path):
    trained = load(finished.folder)
    assert evaluate(trained, None).scores == finished.scores
    np.savetxt(tmp_path / "last.txt", np.loadtxt(series)[-30:])
    assert evaluate(trained, tmp_path / "last.txt").scores["mse"] == pytest.approx(finished.scores["mse"], rel=1e-5)


def test_what_is_asked_wrongly_of_a_model_is_refused(finished, tmp_path):
    trained = load(finished.folder)
    for file, texts in ((None, ()), (tmp_path, ("1 2 3 4",))):
        with pytest.raises(ConfigError, match="--text"):
            ask(trained, file, texts, {})
    with pytest.raises(ConfigError, match="Did you mean 'ahead'"):
        ask(trained, None, ("1 2 3 4",), {"ahed": "2"})
    trained.model.preprocessing.clear()
    with pytest.raises(ConfigError, match="no preprocessing 'scaler'"):
        ask(trained, None, ("1 2 3 4",), {})


def test_the_command_line_has_it(finished, series, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")  # no word is cut in two
    for arguments, said in (
        (["recipes"], "the next number"),
        (["train", "line", "--data", str(series), "--set", "epochs=1"], "The last value gives"),
        (["predict", "runs/line-1", "--prompt", "50 53 56 58", "--set", "ahead=3"], "value 2"),
        (["evaluate", "runs/line-1"], "naive"),
        (["summary", "line"], "Dense"),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert not stop.value.code
        assert said in capsys.readouterr().out, arguments


def test_a_run_of_limited_steps_goes_on_to_the_same_bits(series, tmp_path, monkeypatch):
    settings = {"epochs": 4, "steps": 50}  # twelve steps of 42 in each epoch
    whole = recipes.run("line", settings, data=series, run_dir=tmp_path / "a", verbose=0)
    lines = [json.loads(line) for line in (tmp_path / "a" / "history.jsonl").read_text().splitlines()]
    assert len(lines) == 4
    saved = sorted(int(p.name.rpartition("-")[2]) for p in (tmp_path / "a" / "checkpoints").glob("[0-9]*"))
    assert saved[-1] == 48

    class Killed(Exception):
        pass

    def die(self, epoch, logs=None):
        if epoch == 2:
            raise Killed

    with monkeypatch.context() as patch:
        from thalweg.recipes.running import HistoryFile
        from thalweg.train import runs

        patch.setattr(HistoryFile, "on_epoch_end", die)
        patch.setattr(runs, "LEAST_SECONDS", 0.0)
        patch.setattr(runs, "SHARE", 0)
        with pytest.raises(Killed):
            recipes.run("line", settings, data=series, run_dir=tmp_path / "b", verbose=0)
    again = recipes.resume(tmp_path / "b", verbose=0)
    for a, b in zip(whole.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert again.scores == whole.scores


def test_a_run_that_lost_patience_is_finished_and_keeps_its_best_weights(series, tmp_path):
    settings = {"epochs": 30, "patience": 2, "learning_rate": 0.9}
    result = recipes.run("line", settings, data=series, run_dir=tmp_path / "a", verbose=0)
    losses = result.history["val_loss"]
    assert len(losses) < 30
    x, y = load(tmp_path / "a").recipe.application.gather(series, Settings()).validation[np.arange(26)]
    loss = float(np.mean((result.model.predict(x) - y) ** 2))
    assert loss == pytest.approx(min(losses), rel=1e-4)
    again = recipes.resume(tmp_path / "a", verbose=0)
    assert again.scores == result.scores


def test_a_plan_has_at_most_the_steps_that_are_asked_for():
    for epochs, steps, rows in ((4, 50, 336), (20, 39, 1000), (3, 1, 50), (2, 1000, 64), (7, 7, 7)):
        found = Settings(epochs=epochs, steps=steps, batch_size=8).plan(rows)
        assert found[0] <= epochs
        assert 1 <= found[1] <= -(-rows // 8)
        assert found[0] * found[1] <= steps
    assert Settings(epochs=10, steps=2000, batch_size=12).plan(10**6) == (10, 200)


def test_a_verdict_without_a_baseline_is_refused():
    ours = Measure("accuracy", 0.9, "90%")
    with pytest.raises(ContractError, match="no baseline"):
        Verdict(ours, [], {"accuracy": 0.9}, "", "")
    with pytest.raises(ContractError, match="lack always"):
        Verdict(ours, [Measure("always", 0.5, "50%")], {"accuracy": 0.9}, "", "")


def test_preprocessing_that_could_not_be_read_again_is_not_stored(finished, tmp_path):
    from thalweg.losses import Huber

    for bad in (Huber(), "a text", (1, 2)):
        finished.model.preprocessing["bad"] = bad
        with pytest.raises(ModelFileError, match="'bad' cannot be stored"):
            finished.model.save(tmp_path / "m.tw")
        del finished.model.preprocessing["bad"]
    assert not (tmp_path / "m.tw").exists()


def test_settings_written_by_hand_may_leave_the_limit_empty(tmp_path):
    folder.begin(tmp_path, {"recipe": "line", "data": None, **Settings().model_dump(mode="json")}, {})
    stored = folder.read_config(tmp_path / "config.yaml")
    assert recipes.load("line").settings_of(stored).steps is None


def test_the_file_of_a_recipe_that_is_gone_still_opens(finished, monkeypatch):
    monkeypatch.delitem(catalog.RECIPES, "line")
    trained = load(finished.folder)
    assert trained.recipe is None
    with pytest.raises(ConfigError, match="no recipe's"):
        evaluate(trained, None)


def test_markup_in_texts_stays_text(finished):
    page = (finished.folder / "report.html").read_text()
    assert page.count("&lt;script&gt;") >= 4
    assert EVIL not in page
