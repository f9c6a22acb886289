"""A run of any recipe of sequences that is killed amid an epoch and resumed ends in the bits of one that was not."""

import csv

import numpy as np
import pytest

from tests.recipes.sound import tones
from thalweg import recipes
from thalweg.recipes import running
from thalweg.train import checkpoint, fit
from thalweg.train.runs import Recorder

WORDS = ("the", "cat", "sat", "near", "a", "big", "dog", "in", "Rome", "Oslo", "and", "ran")
PLACES = {"Rome", "Oslo"}


def drawn(rows, shortest=2, longest=9):
    """Sentences of different lengths, no two alike."""
    rng = np.random.default_rng(0)
    found = {}
    while len(found) < rows:
        found[" ".join(rng.choice(WORDS, rng.integers(shortest, longest + 1)))] = None
    return list(found)


def rows_of(path, rows, delimiter=","):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return path


def lines(folder):
    path = folder / "own.txt"
    path.write_text("\n".join(drawn(70)) + "\n", encoding="utf-8")
    return path


def reviews(folder):
    labels = [("good", "bad")["cat" in text] for text in drawn(60)]
    return rows_of(folder / "own.csv", [("text", "label"), *zip(drawn(60), labels, strict=True)])


def pairs(folder):
    return rows_of(folder / "own.tsv", [(text, text.upper()) for text in drawn(60)], "\t")


def tagged(folder):
    path = folder / "own.conll"
    tags = ("\n".join(f"{w}\t{'B-LOC' if w in PLACES else 'O'}" for w in text.split()) for text in drawn(60))
    path.write_text("\n\n".join(tags) + "\n", encoding="utf-8")
    return path


def spoken(folder):
    return tones.table(folder / "own.csv", tones.sentences(24, longest=2))


def sorted_sounds(folder):
    return tones.classes(folder / "own", 8)


def series(folder):
    rng, t = np.random.default_rng(0), np.arange(90)
    values = zip(np.sin(t) + rng.normal(size=90), rng.normal(size=90), strict=True)
    return rows_of(folder / "own.csv", [("sales", "price"), *values])


SOUND = {"bands": 8, "sampling_rate": tones.RATE, "batch_size": 4, "units": 4}
RUNS = {
    "char-lm": (lines, {"batch_size": 4, "steps": 12, "context": 8, "depth": 1, "width": 8, "heads": 2}),
    "char-lm, lstm": (lines, {"batch_size": 4, "steps": 12, "context": 8, "depth": 1, "width": 8, "network": "lstm"}),
    "forecast": (series, {"batch_size": 16, "units": 4, "history": 8, "horizon": 2, "period": 4, "patience": 1}),
    "forecast, transformer": (series, {"batch_size": 16, "units": 4, "history": 8, "horizon": 2, "period": 4}),
    "names": (lines, {"units": 4, "embedding": 4, "batch_size": 12, "context": 60}),
    "ner": (tagged, {"units": 4, "embedding": 4, "batch_size": 10, "patience": 1}),
    "sentiment": (reviews, {"units": 4, "embedding": 4, "batch_size": 10}),
    "speech": (spoken, SOUND | {"filters": 4}),
    "speech-digits": (sorted_sounds, SOUND),
    "translate": (pairs, {"units": 8, "layers": 1, "heads": 2, "inner": 8, "batch_size": 12, "tokens": "words"}),
    "translate, lstm": (pairs, {"units": 8, "layers": 1, "batch_size": 12, "tokens": "words"}),
    "word-lm": (lines, {"units": 4, "batch_size": 4, "context": 5, "learning_rate": 1.0}),
}
SHORT = ("forecast", "ner", "speech", "translate", "word-lm")  # a kind of feed or of memory each
CASES = [pytest.param(case, marks=() if case in SHORT else pytest.mark.long) for case in RUNS]


class Killed(Exception):
    pass


def killed_at(step, patch):
    """Every step is a chunk and a checkpoint; after that of number `step` the process is no more."""
    save = Recorder.save

    def save_and_die(self, run, at, *, last=False):
        del last
        save(self, run, at, last=True)
        if int(run.training.ts.step) == step:
            raise Killed

    patch.setattr(fit, "CHUNK_SECONDS", 0.0)
    patch.setattr(Recorder, "save", save_and_die)


@pytest.mark.parametrize("case", CASES)
def test_killed_amid_an_epoch_and_resumed_ends_in_the_same_bits(case, tmp_path, monkeypatch):
    write, small = RUNS[case]
    name, _, network = case.partition(", ")
    settings = small | ({"network": network} if network else {}) | {"epochs": 2}
    data = write(tmp_path)
    monkeypatch.setattr(running, "_publish", lambda *_: (None, ()))  # what is judged is the same where the weights are
    whole = recipes.run(name, settings, data=data, run_dir=tmp_path / "a", verbose=0)
    steps = whole.model.history.params["steps"]
    assert steps >= 4
    with monkeypatch.context() as patch:
        killed_at(steps + steps // 2, patch)
        with pytest.raises(Killed):
            recipes.run(name, settings, data=data, run_dir=tmp_path / "b", verbose=0)
    left = checkpoint.meta(checkpoint.latest(tmp_path / "b" / "checkpoints"))
    assert (left["epoch"], left["index"]) == (1, steps // 2)
    again = recipes.resume(tmp_path / "b", verbose=0)
    assert again.history == whole.history
    assert [*again.model.weights] == [*whole.model.weights]
    for name, value in whole.model.weights.items():
        assert again.model.weights[name].tobytes() == value.tobytes(), name
