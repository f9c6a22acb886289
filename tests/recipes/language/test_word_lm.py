"""word-lm: states carried in training, resumed to the same bits, here; its perplexity among the long tests."""

import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import core, layers, recipes, tree
from thalweg.architectures import RecurrentLM
from thalweg.recipes import catalog
from thalweg.recipes.base import Recipe
from thalweg.recipes.catalog import Line
from thalweg.recipes.language import states, word_lm
from thalweg.recipes.trained import ask, load
from thalweg.train.callbacks import Callback

pytestmark = pytest.mark.filterwarnings("ignore:.*validation rows are also training rows")  # of two sentences
SENTENCES = "The cat sat on the mat .\nA dog saw the cat , and ran .\n"
SMALL = {"units": 12, "batch_size": 3, "context": 5, "epochs": 2, "learning_rate": 2.0, "dropout": 0.0, "tied": False}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "own.txt"
    rng = np.random.default_rng(0)
    lines = SENTENCES.splitlines()
    path.write_text("\n".join(lines[k] for k in rng.integers(0, 2, 80)) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(own, tmp_path_factory):
    return recipes.run("word-lm", SMALL, epochs=4, data=own, run_dir=tmp_path_factory.mktemp("run") / "a", verbose=0)


def streams(own, **settings):
    recipe = recipes.load("word-lm")
    return recipe.application.gather(own, recipe.settings(**{**SMALL, **settings}))


def test_training_carries_the_state_over_the_streams_and_begins_an_epoch_anew(own, tmp_path):
    run = recipes.run("word-lm", SMALL, learning_rate=1e-30, data=own, run_dir=tmp_path / "run", verbose=0)
    x, y = (part.reshape(-1, 3, 5).swapaxes(0, 1).reshape(3, -1) for part in streams(own).train)  # whole streams
    size = run.model.module.vocabulary_size
    plain = RecurrentLM(size, [layers.LSTM(12)] * 2, activation=None)
    logits = core.apply(plain, jax.tree.map(jnp.asarray, tree.unflatten(run.model.weights)), {}, jnp.asarray(x))[0]
    p = np.asarray(jax.nn.softmax(logits))
    expected = -np.log(np.take_along_axis(p, y[..., None], -1)).mean()
    np.testing.assert_allclose(run.history["loss"], [expected, expected], rtol=2e-6)


def test_the_test_text_is_one_row(own):
    x, y = streams(own).test
    assert len(x) == 1
    np.testing.assert_array_equal(x[0, 1:], y[0, :-1])


def test_it_learns_and_writes_words(finished):
    assert finished.scores["perplexity"] < finished.scores["baseline"]
    said = ask(load(finished.folder), None, ("The cat", ""), {"length": "12"})
    assert all(set(line["written"].split()) for line in said)
    assert said[0]["unknown"] == 0


def test_validation_carries_the_state_as_training_does(own, tmp_path):
    run = recipes.run("word-lm", SMALL, learning_rate=1e-30, data=own, run_dir=tmp_path / "run", verbose=0)
    x, y = (part.reshape(-1, 3, 5).swapaxes(0, 1).reshape(3, -1) for part in streams(own).validation)
    run.model.set_weights(layers.reset_states(run.model.weights))
    found = run.model.evaluate(*streams(own).validation, batch_size=3)
    assert found == pytest.approx(states.loss(run.model, x, y), rel=1e-5)


class StopOnce(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            signal.raise_signal(signal.SIGINT)


STOPPED = Recipe(
    word_lm.RECIPE.application, word_lm.WordSettings, word_lm.build, lambda s: (*word_lm.callbacks(s), StopOnce())
)


def test_a_run_that_was_stopped_within_an_epoch_ends_in_the_same_bits(own, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(catalog.RECIPES, "word-lm", Line(f"{__name__}:STOPPED", "language models", "", "", ""))
        halted = recipes.run("word-lm", SMALL, data=own, run_dir=tmp_path / "b", verbose=0)
    assert halted.scores is None
    states = [w for name, w in halted.model.weights.items() if "carried" in name]
    assert np.any(states)  # it stopped amid the text
    resumed = recipes.resume(tmp_path / "b", verbose=0)
    whole = recipes.run("word-lm", SMALL, data=own, run_dir=tmp_path / "a", verbose=0)
    assert resumed.history == whole.history
    for a, b in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.long
def test_wikitext2(data_folder, tmp_path):
    result = recipes.run("word-lm", data=data_folder, run_dir=tmp_path / "run", verbose=0)
    assert result.scores["perplexity"] <= 120
