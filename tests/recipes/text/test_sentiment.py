"""sentiment: on a slice of a few seconds here; its accuracy on public data among the long tests."""

import jax.numpy as jnp
import numpy as np
import pytest

from tests.recipes.text.test_kind import table, written
from thalweg import core, layers, ops, random, recipes
from thalweg.recipes.text.sentiment import SentimentSettings, transformer
from thalweg.recipes.trained import ask, load


@pytest.mark.parametrize("network", ["cnn", "lstm", "transformer"])
def test_it_learns_reviews_of_ones_own(network, tmp_path):
    own = table(tmp_path / "own.csv", *written(240, 0))
    small = {"network": network, "units": 8, "embedding": 8, "learning_rate": 0.02, "epochs": 8, "batch_size": 16}
    result = recipes.run("sentiment", small, data=own, run_dir=tmp_path / "run", verbose=0)
    assert result.scores["accuracy"] >= 0.85 > result.scores["baseline"]
    said = ask(load(tmp_path / "run" / "model.tw"), None, ("a Lovely film", "a dull story"), {})
    assert [answer["answer"] for answer in said] == ["good", "bad"]  # capital letters are no other words


def test_words_are_not_hidden_by_their_positions():
    settings = SentimentSettings(network="transformer")
    network = layers.Sequential([layers.Embedding(50, settings.embedding), *transformer(settings)[:-2]])
    x = jnp.arange(50)[None]
    y, _ = core.apply(network, *core.init(network, random.key(0), x), x)
    positions = ops.sinusoid(x, settings.embedding)
    assert 0.25 < float((y - positions).std() / positions.std()) < 4


def test_a_text_says_the_same_however_long_the_others_are(tmp_path):
    own = table(tmp_path / "own.csv", *written(240, 0))
    result = recipes.run("sentiment", steps=4, units=8, embedding=8, data=own, run_dir=tmp_path / "run", verbose=0)
    x = result.model.predict(np.array([[2, 3, 4, 0, 0, 0, 0]], np.int32))
    np.testing.assert_allclose(result.model.predict(np.array([[2, 3, 4]], np.int32)), x, atol=1e-6)


def test_each_corpus_is_read_by_its_name_and_from_its_folder(data_folder, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    recipe = recipes.load("sentiment")
    for corpus, folder, rows in (
        ("rt_polarity", "rt-polarity", {"train": 8635, "validation": 960, "test": 1067}),
        ("sst2", "sst2", {"train": 60614, "validation": 6735, "test": 872}),
    ):
        settings = recipe.settings(corpus=corpus)
        material = recipe.application.gather(None, settings)
        assert material.description()["rows"] == rows
        assert material.classes == ("negative", "positive")
        again = recipe.application.gather(data_folder / folder, settings)
        np.testing.assert_array_equal(again.test[0], material.test[0])
        np.testing.assert_array_equal(again.test[1], material.test[1])


@pytest.mark.long
def test_rt_polarity_over_ten_folds(data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    runs = (recipes.run("sentiment", fold=fold, run_dir=tmp_path / str(fold), verbose=0) for fold in range(10))
    assert np.mean([run.scores["accuracy"] for run in runs]) >= 0.75


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:.*rows are also training rows")  # SST-2's phrases, and reviews that came twice
@pytest.mark.parametrize(("corpus", "epochs", "accuracy"), [("sst2", 3, 0.80), ("imdb", 6, 0.84)])
def test_published_parts(corpus, epochs, accuracy, data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    result = recipes.run("sentiment", corpus=corpus, epochs=epochs, run_dir=tmp_path / "run", verbose=0)
    assert result.scores["accuracy"] >= accuracy
