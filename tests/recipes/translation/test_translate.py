"""translate: a language of a few words is learned in seconds here; BLEU on public data among the long tests."""

import importlib.util
import json
import shutil

import numpy as np
import pytest

from thalweg import recipes
from thalweg.data import BytePairs, Words
from thalweg.errors import ConfigError, DataError, MissingExtraError
from thalweg.recipes.trained import ask, evaluate, load
from thalweg.recipes.translation.pairs import Pairs
from thalweg.recipes.translation.translate import TranslateSettings, schedule, tokenizer
from thalweg.recipes.translation.translator import encode, is_written_in_chinese

pytestmark = pytest.mark.filterwarnings(
    "ignore::thalweg.train.contract.overlap.LeakWarning"
)  # a few sentences, again and again

NUMBERS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf", "six": "sechs"}
SMALL = {
    "tokens": "words", "units": 32, "layers": 1, "heads": 2, "inner": 32, "dropout": 0.0, "batch_size": 16,
    "learning_rate": 0.01, "epochs": 40,
}  # fmt: skip


def written(rows, seed):
    """Numbers, and their German in the same order: `one two three .` is `eins zwei drei .`"""
    rng = np.random.default_rng(seed)
    drawn = [rng.choice(list(NUMBERS), rng.integers(1, 5)) for _ in range(rows)]
    return [(f"{' '.join(row)}.", f"{' '.join(NUMBERS[w] for w in row)}.") for row in drawn]


def table(path, rows):
    path.write_text("".join(f"{a}\t{b}\n" for a, b in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    for part, (rows, seed) in {"train": (240, 0), "valid": (20, 1), "test": (30, 2)}.items():
        table(folder / f"{part}.tsv", written(rows, seed))
    return folder


@pytest.fixture(scope="module")
def finished(own, tmp_path_factory):
    return recipes.run("translate", SMALL, data=own, run_dir=tmp_path_factory.mktemp("run") / "run", verbose=0)


@pytest.mark.filterwarnings("ignore:.*validation rows are also training rows")  # there are few texts of one word
def test_a_transformer_translates_beside_its_baselines(finished):
    scores, page = finished.scores, (finished.folder / "report.html").read_text()
    assert scores["bleu"] >= 90 > scores["baseline_copy"]
    assert scores["baseline_words"] >= 90  # word by word is right in this language, and is not hidden
    assert {m.name for m in finished.verdict.baselines} == {"the source, copied", "word by word"}
    assert "Translations of test sentences" in page
    assert "sacrebleu, 13a, cased" in page


@pytest.mark.filterwarnings("ignore:.*validation rows are also training rows")
def test_lstms_translate_too(own, tmp_path):
    result = recipes.run("translate", SMALL, network="lstm", data=own, run_dir=tmp_path / "run", verbose=0)
    assert result.scores["bleu"] >= 80


def test_the_model_file_alone_answers_texts_and_files(finished, tmp_path):
    shutil.copy(finished.folder / "model.tw", tmp_path / "m.tw")
    trained = load(tmp_path / "m.tw")
    said = ask(trained, None, ("two five.", "one zebra six."), {})
    assert said[0]["translation"] == "zwei fünf."
    assert [(answer["tokens"], answer["unknown"], answer["cut"]) for answer in said] == [(3, 0, False), (4, 1, False)]
    (tmp_path / "t.txt").write_text("two five.\none zebra six.\n")
    assert ask(trained, tmp_path / "t.txt", (), {}) == said
    (tmp_path / "t.csv").write_text("n,text\n1,two five.\n2,one zebra six.\n")
    assert ask(trained, tmp_path / "t.csv", (), {}) == said
    table(tmp_path / "t.tsv", [("two five.", "zwei fünf.")])
    (answer,) = ask(trained, tmp_path / "t.tsv", (), {"beams": 1})
    assert answer["translation"] == answer["reference"] == "zwei fünf."
    long = ask(trained, None, ("one two " * 40,), {})[0]
    assert (long["tokens"], long["cut"]) == (80, True)
    samples = ask(trained, finished.folder / "samples.tsv", (), {})
    assert np.mean([sample["translation"] == sample["reference"] for sample in samples]) >= 0.8
    with pytest.raises(DataError, match="text 0 is ' ', which holds nothing to read"):
        ask(trained, None, (" ",), {})
    with pytest.raises(ConfigError, match="beams='0'"):
        ask(trained, None, ("one.",), {"beams": "0"})


def test_evaluate_reads_the_recipes_data_and_ones_own(finished, own, tmp_path):
    trained = load(finished.folder)
    assert evaluate(trained, None).scores == finished.scores
    assert evaluate(trained, own).scores["bleu"] == finished.scores["bleu"]
    found = evaluate(trained, table(tmp_path / "t.tsv", written(20, 9)))
    assert found.scores["bleu"] >= 80
    assert [m.name for m in found.baselines] == ["the source, copied"]


@pytest.mark.filterwarnings("ignore:.*validation rows are also training rows")
def test_a_run_that_was_stopped_ends_in_the_same_bits(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "run")
    newest, *before = sorted((tmp_path / "run" / "checkpoints").iterdir(), reverse=True)
    assert before
    shutil.rmtree(newest)
    again = recipes.resume(tmp_path / "run", verbose=0)
    assert again.history == finished.history
    for name, value in finished.model.weights.items():
        np.testing.assert_array_equal(again.model.weights[name], value)


def test_rows_are_the_source_the_target_and_the_target_one_later():
    records = {side: Words(("a", "b", "c"), ends=True) for side in ("source", "target")}
    (x, t), y = encode(Pairs(["a b", "c c c c c"], ["b a", "zebra"]), records, 4)
    np.testing.assert_array_equal(x, [[4, 5, 3, 0], [6, 6, 6, 6]])
    np.testing.assert_array_equal(t, [[2, 5, 4, 0], [2, 1, 0, 0]])
    np.testing.assert_array_equal(y, [[5, 4, 3, 0], [1, 3, 0, 0]])


def test_chinese_is_cut_by_character_and_other_texts_into_pieces():
    settings = TranslateSettings(vocabulary=300)
    chinese, english = ["我爱大海。", "大海很大。"], ["the lowest sea", "the lower sea"] * 3
    assert is_written_in_chinese(chinese)
    assert not is_written_in_chinese([*english, "我"])
    assert isinstance(tokenizer(chinese, settings), Words)
    assert isinstance(tokenizer(english, settings), BytePairs)
    words = tokenizer(english, TranslateSettings(tokens="words"))
    assert words.inverse(words("the sea")) == "the sea"
    letters = tokenizer(english, TranslateSettings(tokens="characters"))
    assert letters.inverse(letters("the sea")) == "the sea"


def test_the_rate_climbs_for_a_tenth_and_falls_to_the_end():
    rate = schedule(TranslateSettings(epochs=5, batch_size=10, learning_rate=0.5), 200).over(100)
    found = np.asarray(rate(np.arange(101)))
    np.testing.assert_allclose(found[:11], np.linspace(0, 0.5, 11), atol=1e-6)
    np.testing.assert_allclose(found[10:], 0.25 * (1 + np.cos(np.pi * np.arange(91) / 90)), atol=1e-6)


def test_what_is_missing_is_said_before_training(own, tmp_path, monkeypatch):
    with pytest.raises(DataError, match="no pair has at most 1 tokens"):
        recipes.run("translate", SMALL, length=1, data=own, run_dir=tmp_path / "run")
    with pytest.raises(ConfigError, match=r"languages='german'.*\n.*languages=en-de"):
        recipes.run("translate", languages="german", data=own, run_dir=tmp_path / "run")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "sacrebleu" else find(name))
    with pytest.raises(MissingExtraError, match=r"pip install 'thalweg\[text\]'"):
        recipes.run("translate", SMALL, data=own, run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_pairs_that_are_too_long_are_counted(tmp_path):
    own = table(tmp_path / "own.tsv", [(f"w{n}", f"v{n}") for n in range(40)] + [("long " * 9, "lang " * 9)])
    recipe = recipes.load("translate")
    found = recipe.application.gather(own, recipe.settings(**SMALL, length=8, validation_split=0.1, seed=1))
    assert found.source.endswith("own.tsv, without 1 of more than 8 tokens")
    found = recipe.application.gather(own, recipe.settings(**SMALL, length=10))
    assert found.source.endswith("own.tsv")


def test_tatoeba_is_split_so_that_no_sentence_is_read_before_it_is_asked(data_folder, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    recipe = recipes.load("translate")
    material = recipe.application.gather(None, recipe.settings(corpus="tatoeba", tokens="words"))
    test, train = material.raw
    assert material.description()["rows"]["test"] == len(test) > 1500
    assert not set(train.targets) & set(test.targets)
    assert not set(train.sources) & set(test.sources)
    assert not material.facts["chinese"]
    assert len(material.preprocessing["source"].tokens("我爱大海。")) == 5


@pytest.mark.long
def test_multi30k(data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    result = recipes.run("translate", run_dir=tmp_path / "run", verbose=0)
    assert result.scores["bleu"] >= 30
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["data"]["rows"]["test"] == 1000


@pytest.mark.long
def test_tatoeba(data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    result = recipes.run("translate", corpus="tatoeba", run_dir=tmp_path / "run", verbose=0)
    assert result.scores["bleu"] >= 2 * result.scores["baseline_words"]
