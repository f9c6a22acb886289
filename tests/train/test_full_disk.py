"""A disk that is full or cannot be written: said once, with a remedy; the run goes on and loses nothing."""

import contextlib
import csv
import errno
import json
import os
import resource
import shutil
import signal
import warnings

import numpy as np
import pytest

from thalweg import layers
from thalweg.errors import ModelFileError
from thalweg.model import Sequential, load_model
from thalweg.recipes.running import HistoryFile
from thalweg.train import checkpoint
from thalweg.train.callbacks import Callback, CSVLogger, HistoryLogger, ModelCheckpoint, TensorBoard

X = np.linspace(0, 1, 24, dtype=np.float32).reshape(8, 3)
EPOCHS = 4


def model():
    made = Sequential([layers.Dense(1, input_shape=(3,))])
    made.compile("sgd", "mse")
    return made


def fit(*callbacks, **settings):
    """The history and the warnings of a run of four epochs."""
    made = model()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        history = made.fit(X, X.sum(axis=1), epochs=EPOCHS, batch_size=4, verbose=0, callbacks=callbacks, **settings)
    return made, history.history["loss"], [str(w.message) for w in said]


WRITERS = {
    "CSVLogger": lambda place: CSVLogger(place / "log.csv"),
    "HistoryLogger": lambda place: HistoryLogger(place / "log.jsonl"),
    "TensorBoard": lambda place: TensorBoard(place / "logs"),
    "ModelCheckpoint": lambda place: ModelCheckpoint(place / "{epoch}.tw"),
    "the history": lambda place: HistoryFile(place / "history.jsonl"),
}


@contextlib.contextmanager
def full(kind, place, patch):
    """A disk that takes nothing: a call that says so, a limit on every file, or no folder where one is needed."""
    if kind == "no folder":
        shutil.rmtree(place)
        place.write_text("a file")
        yield
    elif kind == "limit":
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, old)
    else:

        def no_space(*args):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with patch.context() as inside:
            inside.setattr("os.fsync", no_space)
            yield


@pytest.mark.parametrize("kind", ["no space", "limit", "no folder"])
@pytest.mark.parametrize("name", WRITERS)
def test_a_callback_that_cannot_write_says_so_once(tmp_path, monkeypatch, name, kind):
    _, expected, _ = fit()
    place = tmp_path / "place"
    place.mkdir()
    with full(kind, place, monkeypatch):
        _, losses, said = fit(WRITERS[name](place))
    assert losses == expected
    assert len(said) == 1, said
    assert said[0].startswith(f"{name} to {place}")
    assert "The training goes on.\n  Free space" in said[0]


def test_it_says_so_again_in_a_new_run(tmp_path):
    (tmp_path / "file").write_text("")
    logger = CSVLogger(tmp_path / "file" / "log.csv")
    assert [len(fit(logger)[2]) for _ in range(2)] == [1, 1]


class Disk(Callback):
    """Full from the first epoch's end to the end of the second, as a person who empties it would have it."""

    def __init__(self, folder):
        self.folder = folder

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self.folder.write_text("in the way")
        if epoch == 2:
            self.folder.unlink()


def test_what_a_log_could_not_write_is_written_later(tmp_path):
    place = tmp_path / "place"
    _, losses, said = fit(Disk(place), CSVLogger(place / "log.csv"), HistoryLogger(place / "log.jsonl"))
    with (place / "log.csv").open() as file:
        assert [(row["epoch"], float(row["loss"])) for row in csv.DictReader(file)] == list(
            zip("0123", losses, strict=True)
        )
    lines = map(json.loads, (place / "log.jsonl").read_text().splitlines())
    assert [line["loss"] for line in lines] == losses
    assert len(said) == 2


def test_a_torn_line_is_not_left_in_the_log(tmp_path):
    """A limit in the middle of a line: what was written of it is cut off before the next attempt."""
    path = tmp_path / "log.jsonl"
    logger = HistoryLogger(path)
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 0.5})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 9, before[1]))
    try:
        with pytest.warns(UserWarning, match="HistoryLogger to .* cannot write: .*File too large"):
            logger.on_epoch_end(1, {"loss": 0.25})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    logger.on_epoch_end(2, {"loss": 0.125})
    assert [json.loads(line)["loss"] for line in path.read_text().splitlines()] == [0.5, 0.25, 0.125]


def test_the_best_is_what_was_last_saved(tmp_path):
    """The best epoch fell into the time of the full disk: a later one, better than what is on the disk, is saved."""
    path = tmp_path / "best.tw"
    saved = ModelCheckpoint(path, monitor="loss", save_best_only=True)
    saved.set_model(made := model())
    made.build()
    saved.on_train_begin()
    saved.on_epoch_end(0, {"loss": 0.5})
    path.unlink()
    path.mkdir()
    with pytest.warns(UserWarning, match="ModelCheckpoint to"):
        saved.on_epoch_end(1, {"loss": 0.2})
    path.rmdir()
    saved.on_epoch_end(2, {"loss": 0.3})
    assert saved.best == 0.3
    assert load_model(path).count_params() == 4


def test_a_network_that_cannot_be_stored_is_still_an_error(tmp_path):
    made = Sequential([layers.Dense(1, activation=lambda x: x, input_shape=(3,))])
    made.compile("sgd", "mse")
    with pytest.raises(ModelFileError, match="the network cannot be stored"):
        made.fit(X, X.sum(axis=1), epochs=1, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "m.tw")])


@pytest.mark.parametrize("kind", ["no space", "limit"])
def test_the_run_outlives_its_checkpoints(tmp_path, monkeypatch, kind):
    """The disk fills up: the run ends as it would have, is in memory, and resumes from what was written before."""
    _, expected, _ = fit()
    fit(run_dir=tmp_path)
    before = checkpoint.latest(tmp_path / "checkpoints")
    with full(kind, tmp_path, monkeypatch):
        _, losses, said = fit(run_dir=tmp_path)
    assert losses == expected
    assert len(said) == 1, said
    assert "the checkpoint of the run to" in said[0]
    assert "The training goes on.\n  Free space" in said[0]
    assert checkpoint.latest(tmp_path / "checkpoints") == before
