"""Saving the model while it trains."""

import os
from pathlib import Path

from thalweg.errors import ConfigError, nearest
from thalweg.forms import Count, Form, Number
from thalweg.ranges import flag
from thalweg.train import asked
from thalweg.train.callbacks.base import SAID, Callback, Logs, Spared, say
from thalweg.train.callbacks.monitor import Monitor


class Saved(Form):
    """What `ModelCheckpoint` remembers."""

    best: Number | None
    batches: Count


class ModelCheckpoint(Callback):
    """Save the model after each epoch, or after each that is the best so far.

    Where the disk does not take it, that is said once and the training goes on; the next save is tried as if this one
    had not been due, so the best is what was last saved.

    Args:
        filepath: where to, such as "best.tw" or "{epoch:02d}-{val_loss:.3f}.tw"; epochs and batches count from 1 here.
        monitor: a name in the logs, looked at with `save_best_only`.
        verbose: 1 says what happens.
        save_best_only: save only what is better than all before.
        save_weights_only: taken for Keras's sake; a model file is its weights and a page of text either way.
        mode: "min", "max" or "auto".
        save_freq: "epoch", or after how many batches; a number makes the run go step by step.
        initial_value_threshold: the best before the first epoch.
    """

    remembers = ("best", "batches")
    form = Saved

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        if save_freq != "epoch" and save_freq not in asked.COUNT:
            raise ConfigError(
                f"ModelCheckpoint: save_freq is 'epoch' or a number of batches; it is {save_freq!r}.\n"
                "  Write save_freq='epoch'."
            )
        self.filepath, self.monitor = os.fspath(filepath), monitor
        self.verbose, self.save_freq = asked.verbose(verbose, SAID), save_freq
        self.save_best_only = flag("save_best_only", save_best_only, "ModelCheckpoint")
        flag("save_weights_only", save_weights_only, "ModelCheckpoint")
        self._spared = Spared(
            f"ModelCheckpoint to {self.filepath}",
            "Free space on that disk; the next save comes when it is due, and model.save(...) writes the last weights.",
        )
        self.initial_value_threshold = initial_value_threshold
        self._monitor = Monitor(monitor, mode) if save_best_only else None
        self._forget()

    def _forget(self) -> None:
        self.best, self.batches, self.epoch = self.initial_value_threshold, 0, 0

    def watches(self) -> tuple[str, ...]:
        """The monitor, if it is looked at."""
        return (self.monitor,) if self._monitor else ()

    def needs_batches(self, phase: str = "train") -> bool:
        """Whether it saves after a number of batches."""
        return phase == "train" and self.save_freq != "epoch"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self._forget()
        self._spared.said = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch, for the file's name."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after every `save_freq` batches."""
        if self.save_freq == "epoch":
            return
        self.batches += 1
        if self.batches >= int(self.save_freq):
            self.batches = 0
            self._save({"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save, if epochs are what is saved."""
        self.epoch = epoch
        if self.save_freq == "epoch":
            self._save(logs or {})

    def _save(self, logs: Logs) -> None:
        current = None if self._monitor is None else self._monitor.read(logs, "ModelCheckpoint")
        if self._monitor is not None and current is not None and not self._monitor.improves(current, self.best):
            return
        path = self._path({"epoch": self.epoch + 1, **logs})
        with self._spared:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.model.save(path)
        if self._spared.failed:
            return
        self.best = self.best if current is None else current
        if self.verbose:
            best = f", the best {self.monitor} so far: {self.best:.5f}" if self._monitor else ""
            say(f"Epoch {self.epoch + 1}: saved {path}{best}")

    def _path(self, words: Logs) -> Path:
        try:
            return Path(self.filepath.format(**words))
        except KeyError as error:
            name = error.args[0]
            raise ConfigError(
                f"ModelCheckpoint: {self.filepath!r} names {name!r}, which this run does not report.\n"
                f"  {nearest(name, words)}"
            ) from error
