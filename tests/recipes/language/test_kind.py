"""Language models: what is judged and written beside loops, states carried over a text, and people's own files."""

import numpy as np
import pytest

from thalweg import recipes
from thalweg.data import Characters
from thalweg.errors import ConfigError, DataError
from thalweg.recipes.language.generation import Generating, continue_text
from thalweg.recipes.language.layout import Layout
from thalweg.recipes.language.lines import Lines
from thalweg.recipes.language.streams import Streams
from thalweg.recipes.language.windows import Windows
from thalweg.recipes.settings import settle
from thalweg.recipes.trained import ask, evaluate, load

pytestmark = pytest.mark.filterwarnings(
    "ignore::thalweg.train.contract.overlap.LeakWarning"
)  # a few sentences, again and again

SENTENCE = "the cat sat on the mat and saw a rat . \n"
GPT_SMALL = {"steps": 40, "epochs": 2, "width": 16, "depth": 1, "heads": 2, "context": 8, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "own.txt"
    path.write_text(SENTENCE * 60, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(own, tmp_path_factory):
    return recipes.run("char-lm", GPT_SMALL, data=own, run_dir=tmp_path_factory.mktemp("run") / "run", verbose=0)


def nll(p, y):
    """The mean of -log p over targets that are no padding, a row at a time."""
    found = [-np.log(p[i, t, y[i, t]]) for i in range(len(y)) for t in range(y.shape[1]) if y[i, t] != 0]
    return np.mean(found)


def test_each_layout_is_one():
    for layout in (Lines(), Windows(), Streams()):
        assert isinstance(layout, Layout)


def test_the_loss_of_windows_is_the_mean_over_their_characters(finished, own):
    recipe = recipes.load("char-lm")
    x, y = recipe.application.gather(own, recipe.settings(**GPT_SMALL)).test
    assert finished.scores["loss"] == pytest.approx(nll(finished.model.predict(x), y), rel=1e-4)
    assert finished.scores["perplexity"] == pytest.approx(np.exp(finished.scores["loss"]))
    assert finished.scores["loss"] < np.log(20)


@pytest.mark.parametrize("typed", [1, 3, 9])
def test_stretches_see_half_a_context_at_least(finished, typed):
    prompt = np.arange(2, 2 + typed, dtype=np.int32)
    written = continue_text(finished.model, prompt, Generating(temperature=1e-3, length=11))
    assert written.shape == (11,)
    known = prompt.tolist()
    seen = known[-4:]
    for token in written.tolist():
        if len(seen) > 8:  # a context is full: the next stretch begins
            seen = known[-4:]
        p = np.asarray(finished.model.predict(np.array([seen], np.int32)))[0, -1]
        assert p[token] >= p.max() * 0.999
        known.append(token)
        seen = [*seen, token]


def test_a_seed_fixes_what_is_written_and_another_writes_something_else(finished):
    model = load(finished.folder / "model.tw")
    one, two, other = (ask(model, None, ("the",), {"length": "60", "top_k": "5", "seed": s}) for s in ("1", "1", "2"))
    assert one == two
    assert one[0]["written"] != other[0]["written"]
    assert len(one[0]["written"]) == 60


def test_an_unknown_character_is_counted_and_an_empty_prompt_begins_a_line(finished):
    said = ask(load(finished.folder), None, ("the 海", ""), {"length": "5", "top_k": "3"})
    assert [line["unknown"] for line in said] == [1, 0]
    assert [len(line["written"]) for line in said] == [5, 5]


@pytest.mark.parametrize(("name", "value"), [("temperature", "0"), ("top_k", "0"), ("top_p", "2"), ("length", "0")])
def test_how_to_write_has_bounds(finished, name, value):
    with pytest.raises(ConfigError, match=rf"^{name}='{value}'.*\n  Write, for example, {name}="):
        ask(load(finished.folder), None, ("the",), {name: value})


def test_a_text_of_ones_own_is_judged_beside_the_counts_of_the_training_text(finished, own, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("zzz " * 30, encoding="utf-8")
    model = load(finished.folder)
    easy, hard = evaluate(model, own), evaluate(model, other)
    assert easy.scores["baseline"] < hard.scores["baseline"]
    assert hard.scores["unknown"] == pytest.approx(0.75, abs=0.02)
    assert evaluate(model, None).scores == pytest.approx(dict(finished.scores), rel=1e-5)


def test_parts_set_apart_are_taken_as_they_are(tmp_path):
    for name, count in (("train", 40), ("valid", 10), ("test", 12)):
        (tmp_path / f"{name}.txt").write_text(SENTENCE * count, encoding="utf-8")
    recipe = recipes.load("char-lm")
    material = recipe.application.gather(tmp_path, recipe.settings(context=8))
    assert len(material.train) == 40 * len(SENTENCE) - 8
    assert material.validation[0].shape == ((10 * len(SENTENCE) - 1) // 8, 8)
    assert material.test[0].shape == ((12 * len(SENTENCE) - 1) // 8, 8)


def test_a_text_is_parted_in_order_and_the_page_says_so(own):
    recipe = recipes.load("char-lm")
    material = recipe.application.gather(own, recipe.settings(context=8))
    letters: Characters = material.preprocessing["tokenizer"]
    assert letters.inverse(material.train.ids) == (SENTENCE * 60)[:1944]
    assert material.raw["test"] == [(SENTENCE * 60)[2160:]]
    assert "the last tenth tests" in material.source


@pytest.mark.parametrize("name", ["char-lm", "word-lm"])
def test_a_text_that_is_too_short_is_refused_before_a_folder_is_made(name, tmp_path):
    (tmp_path / "short.txt").write_text("To be, or not to be.\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"part has \d+ tokens; a row of it needs [\d,]+\.\n  Give a longer text"):
        recipes.run(name, data=tmp_path / "short.txt", run_dir=tmp_path / "run", verbose=0)
    assert not (tmp_path / "run").exists()


def test_tied_is_a_yes_or_no():
    kind = recipes.load("word-lm").settings
    assert settle(kind, {"tied": "true"}).tied
    assert settle(kind, {"tied": True}).tied
    with pytest.raises(ConfigError, match="tied='perhaps'"):
        settle(kind, {"tied": "perhaps"})
    with pytest.raises(ConfigError, match="a yes or no does not fit here"):
        settle(kind, {"epochs": True})


def test_a_small_page_shows_what_is_written(finished):
    page = (finished.folder / "report.html").read_text(encoding="utf-8")
    assert "What the network writes" in page
    assert "temperature 0.5" in page
    assert "bigram counts" in page
