"""names: a slice of a few seconds here; beside bigram counts on all names among the long tests."""

import numpy as np
import pytest

from thalweg import recipes
from thalweg.errors import DataError
from thalweg.recipes.trained import ask, evaluate, load

SMALL = {"units": 24, "embedding": 8, "epochs": 12, "batch_size": 16, "learning_rate": 0.02, "context": 10}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("own") / "names.txt"
    lines = ["".join(rng.choice(["ba", "lo", "mi", "te", "ku"], rng.integers(1, 4))) + "x" for _ in range(600)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(own, tmp_path_factory):
    return recipes.run("names", SMALL, data=own, run_dir=tmp_path_factory.mktemp("run") / "run", verbose=0)


def test_padding_counts_for_nothing(finished, own):
    recipe = recipes.load("names")
    x, y = recipe.application.gather(own, recipe.settings(**SMALL)).test
    p = finished.model.predict(x)
    lost = [-np.log(p[i, t, y[i, t]]) for i in range(len(y)) for t in range(y.shape[1]) if y[i, t]]
    assert finished.scores["loss"] == pytest.approx(np.mean(lost), rel=1e-4)
    assert finished.scores["tokens"] == len(lost) < y.size


def test_it_learns_what_counts_of_pairs_do_not(finished):
    assert finished.scores["loss"] < finished.scores["baseline"]  # a name of three parts must end: a bigram forgets
    assert len(finished.history["loss"]) == 12


def test_it_writes_names_of_this_kind_to_their_end(finished):
    said = ask(load(finished.folder), None, ("", "ba"), {"temperature": "0.1"})
    assert all(line["written"].endswith("x") for line in said)
    assert all(len(line["written"]) <= 7 for line in said)
    (pages,) = finished.verdict.sections
    assert all(len(sample.text.split("\n")) == 20 for sample in pages.samples)
    assert "training lines" in pages.samples[0].note


def test_a_list_of_ones_own_is_judged(finished, tmp_path):
    (tmp_path / "more.txt").write_text("balox\nmix\n", encoding="utf-8")
    assert evaluate(load(finished.folder), tmp_path / "more.txt").scores["tokens"] == 10


def test_a_line_that_is_too_long_says_which_context_holds_it(tmp_path):
    (tmp_path / "long.txt").write_text("ab\n" * 30 + "a" * 40 + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"has 40 characters.*\n  Write --set context=41"):
        recipes.run("names", data=tmp_path / "long.txt", run_dir=tmp_path / "run", verbose=0)


def test_one_line_is_no_list(tmp_path):
    (tmp_path / "one.txt").write_text("ab\n", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be parted"):
        recipes.run("names", data=tmp_path / "one.txt", run_dir=tmp_path / "run", verbose=0)


@pytest.mark.long
def test_all_names(data_folder, tmp_path):
    result = recipes.run("names", data=data_folder, run_dir=tmp_path / "run", verbose=0)
    assert result.scores["loss"] <= 2.1
    assert result.scores["loss"] < result.scores["baseline"] - 0.3
