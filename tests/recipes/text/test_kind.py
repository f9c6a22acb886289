"""Text classes: people's files, which texts train and test, the baselines, and a run whose file answers alone."""

import csv
import json
import shutil

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.naive_bayes import MultinomialNB

from thalweg import layers, ops, recipes
from thalweg.core import Module
from thalweg.data import Words
from thalweg.datasets import CATALOG
from thalweg.errors import ConfigError, DataError
from thalweg.layers import registry
from thalweg.ops.initializers import RandomNormal
from thalweg.recipes import catalog, classifier, textfiles
from thalweg.recipes.base import Recipe
from thalweg.recipes.catalog import Line
from thalweg.recipes.text.baseline import naive_bayes
from thalweg.recipes.text.kind import TextClasses, TextSettings
from thalweg.recipes.trained import ask, evaluate, load

WORDS = ["the", "film", "is", "a", "long", "story", "of", "two", "men", "and", "dog", "who", "meet", "at", "sea"]
SIGNS = {"good": ("fine", "lovely", "warm"), "bad": ("dull", "weak", "cold")}


class Bag(Module):
    """The mean of the words' vectors: a bag of words."""

    size: int
    units: int = 16

    def __call__(self, cx, x):
        table = cx.param("table", RandomNormal(0.0, 0.1), (self.size, self.units))
        real = (x > 0).astype(jnp.float32)
        return (ops.embedding(table, x) * real[..., None]).sum(1) / jnp.maximum(real.sum(1, keepdims=True), 1.0)


def written(rows, seed):
    rng = np.random.default_rng(seed)
    labels = [("good", "bad")[n % 2] for n in range(rows)]
    texts = [" ".join(rng.permutation([*rng.choice(WORDS, 6), rng.choice(SIGNS[label])])) for label in labels]
    return texts, labels


def table(path, texts, labels=None, header=("text", "label")):
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = zip(texts) if labels is None else zip(texts, labels, strict=True)
        csv.writer(file).writerows([header[: 1 if labels is None else 2], *rows])
    return path


def build(settings, material):
    bag = Bag(material.preprocessing["tokenizer"].size)
    return classifier.model(settings, [bag, layers.Dense(len(material.classes), activation="softmax")])


KIND = TextClasses((CATALOG["rt_polarity"],), lambda texts, settings: Words.fit(texts, settings.vocabulary))
RECIPE = Recipe(KIND, TextSettings, build)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setitem(registry.ALLOWED, "Bag", Bag)
    monkeypatch.setitem(catalog.RECIPES, "bag", Line(f"{__name__}:RECIPE", "text classes", "drawn", "1 s", "a bag"))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return table(tmp_path_factory.mktemp("own") / "own.csv", *written(240, 0))


@pytest.fixture(scope="module")
def finished(own, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(catalog.RECIPES, "bag", Line(f"{__name__}:RECIPE", "text classes", "drawn", "1 s", "a bag"))
        patch.setitem(registry.ALLOWED, "Bag", Bag)
        folder = tmp_path_factory.mktemp("run") / "run"
        return recipes.run("bag", epochs=25, learning_rate=0.05, data=own, run_dir=folder, verbose=0)


def test_a_bag_of_words_learns_and_stands_beside_its_baselines(finished):
    scores = finished.scores
    assert scores["accuracy"] >= 0.95
    assert scores["baseline"] == pytest.approx(0.5)
    assert {m.name for m in finished.verdict.baselines} == {"always “bad”", "naive Bayes on the words"}
    assert f"naive Bayes on the words {scores['baseline_words']:.4f}" in finished.verdict.line
    page = (finished.folder / "report.html").read_text()
    assert "naive Bayes on the words" in page
    assert "Confusion matrix" in page


def test_the_model_file_alone_answers_texts_and_files(finished, tmp_path):
    shutil.copy(finished.folder / "model.tw", tmp_path / "m.tw")
    trained = load(tmp_path / "m.tw")
    texts = ("a lovely film", "the dull zebra", "warm")
    said = ask(trained, None, texts, {})
    assert [answer["answer"] for answer in said] == ["good", "bad", "good"]
    assert [(answer["tokens"], answer["unknown"]) for answer in said] == [(3, 0), (3, 1), (1, 0)]
    (tmp_path / "t.txt").write_text("\n".join(texts))
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps({"review": text}) for text in texts))
    table(tmp_path / "t.csv", texts, ["good", "bad", "good"])
    for name in ("t.txt", "t.jsonl", "t.csv"):
        again = ask(trained, tmp_path / name, (), {})
        assert [answer["probabilities"] for answer in again] == [answer["probabilities"] for answer in said]
    assert [answer["label"] for answer in again] == ["good", "bad", "good"]
    for sample in ask(trained, finished.folder / "samples.csv", (), {}):
        assert sample["answer"] == sample["label"]


def test_evaluate_reads_the_recipes_data_and_ones_own(finished, tmp_path):
    trained = load(finished.folder)
    assert evaluate(trained, None).scores == finished.scores
    found = evaluate(trained, table(tmp_path / "t.csv", *written(60, 9))).scores
    assert (found["rows"], found["accuracy"] >= 0.95) == (60, True)
    with pytest.raises(DataError, match="'fair', which is not among the classes"):
        evaluate(trained, table(tmp_path / "u.csv", ["a film"] * 2, ["good", "fair"]))


def test_evaluate_reads_a_named_sets_own_folder(tmp_path):
    for kind, label in (("neg", "bad"), ("pos", "good")):
        texts = [text for text, is_ in zip(*written(60, 0), strict=True) if is_ == label]
        (tmp_path / f"rt-polarity.{kind}").write_text("\n".join(texts))
    result = recipes.run("bag", epochs=1, data=tmp_path, run_dir=tmp_path / "run", verbose=0)
    assert result.model.preprocessing["labels"].classes == ("negative", "positive")
    assert evaluate(load(tmp_path / "run"), tmp_path).scores == result.scores
    assert str(tmp_path) in json.loads((tmp_path / "run" / "manifest.json").read_text())["data"]["source"]


def test_the_vocabulary_is_that_of_the_training_part(own):
    settings = TextSettings(seed=1)
    material = KIND.gather(own, settings)
    texts, _ = written(240, 0)
    trained = material.train[0]
    words = material.preprocessing["tokenizer"]
    assert trained.max() == words.size - 1
    assert material.description()["rows"] == {"train": 194, "validation": 22, "test": 24}
    assert set(material.raw) <= set(texts)


def test_each_tenth_tests_once(own):
    texts, _ = written(240, 0)
    found = [KIND.gather(own, TextSettings(fold=fold)).raw for fold in range(10)]
    assert sorted(text for part in found for text in part) == sorted(texts)
    assert KIND.gather(own, TextSettings(fold=3, seed=5)).raw == found[3]  # the fold does not depend on the seed


@pytest.mark.parametrize(
    "names", [("train.csv", "test.csv"), ("train.csv", "dev.csv"), ("my_train_2.csv", "my_test.csv")]
)
def test_parts_that_are_set_apart_are_taken_as_they_are(tmp_path, names):
    table(tmp_path / names[0], *written(60, 0))
    table(tmp_path / names[1], *written(20, 1))
    material = KIND.gather(tmp_path, TextSettings())
    assert material.raw == written(20, 1)[0]
    assert material.description()["rows"] == {"train": 54, "validation": 6, "test": 20}


def test_three_parts_and_folders_of_folders(tmp_path):
    for part, rows in (("train", 40), ("valid", 10), ("test", 6)):
        for n, (text, label) in enumerate(zip(*written(rows, len(part)), strict=True)):
            (tmp_path / part / label).mkdir(parents=True, exist_ok=True)
            (tmp_path / part / label / f"{n}.txt").write_text(text)
    material = KIND.gather(tmp_path, TextSettings())
    assert material.description()["rows"] == {"train": 40, "validation": 10, "test": 6}
    assert len(textfiles.read(tmp_path / "train").texts) == 40


def test_chinese_by_characters(tmp_path):
    rows = [("好看，我很喜欢", "正"), ("太差了，不喜欢", "负")] * 20
    path = table(tmp_path / "zh.csv", *zip(*rows, strict=True))
    material = KIND.gather(path, TextSettings())
    assert set(material.classes) == {"正", "负"}
    assert material.train[0].shape[1] == 7


def test_counting_words_is_the_multinomial_model_of_scikit_learn():
    rng = np.random.default_rng(0)
    x, asked = (rng.integers(0, 30, (rows, 12)).astype(np.int32) for rows in (80, 50))
    y = rng.integers(0, 3, 80).astype(np.int32)
    x[y == 1, :4] = rng.integers(20, 30, (int((y == 1).sum()), 4))

    def counted(ids):
        return np.stack([np.bincount(row, minlength=30)[1:] for row in ids])

    theirs = MultinomialNB(alpha=1.0).fit(counted(x), y).predict(counted(asked))
    np.testing.assert_array_equal(naive_bayes(x, y, asked, 3), theirs)
    assert len(set(theirs)) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("text,label\n", "no data"),
        ("text\na film\nthe dog\n", "holds no labels"),
        ("words,label\na film,good\n", "no column of texts"),
        ("text,label\na film,good\nthe dog,\n", "label of row 1 is missing"),
        ("text,label\na film,good\n,bad\n", "text 1 is empty"),
        ("text,label\n" + "a film,good\n" * 30, "one class only"),
        ("text,label\na film,good\nthe dog,bad\n", "at least 20"),
        (
            "text,label\n" + "a film,good\nthe dog,bad\n" * 10 + "so so,fair\n",
            "one text alone is 'fair': it cannot train",
        ),
    ],
)
def test_a_file_that_cannot_teach_is_refused(tmp_path, content, message):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        KIND.gather(tmp_path / "t.csv", TextSettings())


def test_other_encodings_kinds_and_places_are_refused(tmp_path):
    (tmp_path / "gb.csv").write_bytes("text,label\n好看,正\n".encode("gb18030"))
    (tmp_path / "t.xls").write_text("x")
    for name, message in (("gb.csv", "is not UTF-8"), ("t.xls", "none of the kinds"), ("none.csv", "is no file")):
        with pytest.raises(DataError, match=message):
            KIND.gather(tmp_path / name, TextSettings())


def test_null_in_json_lines_is_nothing_and_no_word(tmp_path):
    rows = [{"text": f"a film {n}", "label": "ab"[n % 2]} for n in range(30)]
    for name, message in (("text", "text 3 is empty"), ("label", "the label of row 3 is missing")):
        changed = [row | {name: None} if n == 3 else row for n, row in enumerate(rows)]
        (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, changed)))
        with pytest.raises(DataError, match=message):
            KIND.gather(tmp_path / "t.jsonl", TextSettings())


def test_a_text_with_nothing_to_read_is_refused(finished, tmp_path):
    with pytest.raises(DataError, match="text 1 is ' ', which holds nothing to read"):
        ask(load(finished.folder), None, ("fine", " "), {})
    with pytest.raises(ConfigError, match="--text"):
        ask(load(finished.folder), None, (), {})


def test_the_network_is_stated_before_there_is_data():
    settings = TextSettings(vocabulary=50, length=9)
    model = RECIPE.untrained_model(settings)
    assert model.input_spec.shape == (1, 9)
    assert model.weights["layers.0.table"].shape == (50, 16)
