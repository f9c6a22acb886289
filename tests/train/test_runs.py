"""Runs that share a folder, and checkpoints whose `meta.json` a hand has changed and sealed anew."""

import json
import random
import shutil

import numpy as np
import pytest

from tests.edits import REMOVED, edited
from thalweg import files, layers
from thalweg.errors import CheckpointError, ConfigError, ThalwegError
from thalweg.model import Sequential
from thalweg.train import checkpoint
from thalweg.train.callbacks import EarlyStopping, LambdaCallback

VALUES = [REMOVED, None, [1], "x", 7, -1, float("nan"), 10**40, {}, True]
X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)


def model():
    made = Sequential([layers.Dense(2, input_shape=(3,)), layers.Dense(1)])
    made.compile("adam", "mse")
    return made


def stopping():
    return EarlyStopping("loss", patience=5, restore_best_weights=True)


def test_a_second_fit_in_the_folder_of_a_running_one_says_so(tmp_path):
    said = []

    def again(epoch, logs):
        with pytest.raises(ConfigError, match=r"another run is at work in .*checkpoints.*\n  Wait"):
            model().fit(X, X[:, :1], run_dir=tmp_path, verbose=0, resume=bool(epoch))
        said.append(epoch)

    first = model()
    first.fit(X, X[:, :1], epochs=2, run_dir=tmp_path, verbose=0, callbacks=[LambdaCallback(on_epoch_end=again)])
    assert said == [0, 1]
    rest = model()
    rest.fit(X, X[:, :1], epochs=3, run_dir=tmp_path, verbose=0, resume=True)
    assert len(rest.history.epoch) == 3


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    model().fit(X, X[:, :1], epochs=2, run_dir=folder, verbose=0, callbacks=[stopping()])
    return folder


def places(value, path=()):
    for name, inside in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, name)
        if isinstance(inside, dict | list):
            yield from places(inside, (*path, name))


def edits(record):
    """Each key with each value in its place."""
    for path in places(record):
        for new in VALUES:
            out = edited(record, path, new)
            if json.dumps(out) != json.dumps(record):
                yield out


def hold(written, place, record):
    """A resumed run refuses the record with an error that names the checkpoint, or ends as it does."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(written, place)
    path = checkpoint.latest(place / "checkpoints")
    (path / "meta.json").write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.meta(path)
    files.seal(path)
    resumed = model()
    try:
        with pytest.warns() if broken(path) else pytest.MonkeyPatch.context():
            resumed.fit(X, X[:, :1], epochs=2, run_dir=place, resume=True, verbose=0, callbacks=[stopping()])
    except ThalwegError as error:
        return str(error)
    return ""


def broken(path):
    try:
        checkpoint.meta(path)
    except CheckpointError:
        return True
    return False


def all_of(written):
    path = checkpoint.latest(written / "checkpoints")
    return list(edits(json.loads((path / "meta.json").read_text())))


def test_edits_of_a_checkpoint(written, tmp_path):
    for record in random.Random(0).sample(all_of(written), 60):
        error = hold(written, tmp_path / "r", record)
        assert not error or "\n  " in error, record


@pytest.mark.long
def test_every_edit_of_a_checkpoint(written, tmp_path):
    for record in all_of(written):
        error = hold(written, tmp_path / "r", record)
        assert not error or "\n  " in error, record


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.pop("weak"), "weak is missing"),
        (lambda r: r.update(more=1), "more is no key of it"),
        (lambda r: r["together"][0].reverse(), "together is out of order"),
        (lambda r: r["together"][0].pop(), "are not of 28 leaves"),
        (lambda r: r["weak"].__setitem__(0, True), "weak holds of .*no single number"),
        (lambda r: r["leaves"].__setitem__(0, "x"), "leaves.0"),
        (lambda r: r["meta"].update(epoch=-1), r"epoch is -1: input should be greater"),
        (lambda r: r["meta"].pop("settings"), "settings is missing"),
        (
            lambda r: r["meta"]["memory"]["EarlyStopping"].update(wait="x"),
            "of EarlyStopping does not fit it: wait is 'x'",
        ),
        (lambda r: r["meta"].update(held={"a": [[1], "no dtype"]}), "held is not of arrays"),
        (lambda r: r["meta"].update(held={"a": [[2**40], "float32"]}), "another network"),
    ],
)
def test_what_an_edited_checkpoint_says(written, tmp_path, change, said):
    path = checkpoint.latest(written / "checkpoints")
    record = json.loads((path / "meta.json").read_text())
    change(record)
    shutil.copytree(written, tmp_path / "r")
    path = tmp_path / "r" / "checkpoints" / path.name
    (path / "meta.json").write_text(json.dumps(record))
    files.seal(path)
    with pytest.raises(CheckpointError, match=said) as caught:
        raise_of(path, tmp_path / "r")
    assert "\n  " in str(caught.value)


def raise_of(path, folder):
    checkpoint.meta(path)
    model().fit(X, X[:, :1], epochs=2, run_dir=folder, resume=True, verbose=0, callbacks=[stopping()])
