"""Callbacks that watch a number: stop when it no longer improves, or lower the learning rate."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg.errors import ConfigError, FormatError
from thalweg.forms import Count, Form, Number
from thalweg.ranges import flag
from thalweg.train import asked
from thalweg.train.callbacks.base import SAID, Callback, Logs, Memory, say
from thalweg.train.callbacks.monitor import Monitor


class Patience(Form):
    """What `EarlyStopping` remembers, beside the best weights."""

    wait: Count
    stopped_epoch: Count
    best_epoch: Count
    best: Number | None
    weights: Count


class Plateau(Form):
    """What `ReduceLROnPlateau` remembers."""

    best: Number | None
    wait: Count
    cooldown_counter: Count


class EarlyStopping(Callback):
    """Stop when `monitor` has not improved for `patience` epochs, and go back to the best weights.

    Args:
        monitor: a name in the logs.
        min_delta: how much better is better.
        patience: how many epochs without an improvement are borne.
        verbose: 1 says what happens.
        mode: "min", "max" or "auto".
        baseline: patience is renewed only by what also beats this.
        restore_best_weights: whether the model ends with the weights of its best epoch, however the run ends, also
            where the optimizer keeps their moving average; Keras does not by default.
        start_from_epoch: epochs before it are not looked at.
    """

    remembers = ("wait", "stopped_epoch", "best_epoch", "best")
    form = Patience

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = True,
        start_from_epoch: int = 0,
    ) -> None:
        self.monitor, self.patience, self.baseline = monitor, patience, baseline
        self.verbose, self.start_from_epoch = asked.verbose(verbose, SAID), start_from_epoch
        self.restore_best_weights = flag("restore_best_weights", restore_best_weights, "EarlyStopping")
        self._monitor = Monitor(monitor, mode, min_delta)
        self._forget()

    def _forget(self) -> None:
        self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
        self.best: float | None = None
        self.best_weights: list[np.ndarray] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the number; stop when patience ends."""
        current = self._monitor.read(logs, "EarlyStopping")
        if epoch < self.start_from_epoch:
            return
        self.wait += 1
        better = self._monitor.improves(current, self.best)
        if better or (self.restore_best_weights and self.best_weights is None):
            self.best_epoch = epoch
            self.best_weights = self.model.get_weights() if self.restore_best_weights else None
        if better:
            self.best = current
            if self.baseline is None or self._monitor.improves(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch, self.model.stop_training = epoch, True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Put the best weights back."""
        if self.stopped_epoch and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def snapshot(self) -> Memory:
        """Patience, and the best so far with its weights."""
        values, _ = Callback.snapshot(self)
        weights = {f"best.{i}": w for i, w in enumerate(self.best_weights or ())}
        return values | {"weights": len(weights)}, weights

    def check(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """The best weights are none, or those of the model.

        Raises:
            FormatError: they are not; or see `Callback.check`.
        """
        Callback.check(self, values, {})
        names = [f"best.{i}" for i in range(len(arrays))]
        if values["weights"] != len(arrays) or arrays.keys() != set(names):
            raise FormatError(f"weights is {values['weights']}, and {len(arrays)} arrays are there")
        kinds, wanted = (
            [(a.shape, a.dtype) for a in found]
            for found in ([arrays[name] for name in names], self.model.get_weights() if arrays else ())
        )
        if kinds != wanted:
            raise FormatError("its best weights are not of the shapes of the model's")

    def restore(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """See `snapshot`."""
        Callback.restore(self, values, arrays)
        self.best_weights = [np.asarray(arrays[f"best.{i}"]) for i in range(values["weights"])] or None


class ReduceLROnPlateau(Callback):
    """Multiply the learning rate by `factor` when `monitor` has not improved for `patience` epochs.

    Args:
        monitor: a name in the logs.
        factor: what the rate is multiplied by.
        patience: how many epochs without an improvement are borne.
        verbose: 1 says what happens.
        mode: "min", "max" or "auto".
        min_delta: how much better is better.
        cooldown: epochs after a cut in which patience rests.
        min_lr: the rate never falls below it.
    """

    remembers = ("best", "wait", "cooldown_counter")
    form = Plateau

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        if not 0 < factor < 1:
            raise ConfigError(f"ReduceLROnPlateau: factor must lie between 0 and 1, not {factor}.\n  Write factor=0.1.")
        self.monitor, self.factor, self.patience = monitor, factor, patience
        self.verbose = asked.verbose(verbose, SAID)
        self.cooldown, self.min_lr = cooldown, min_lr
        self._monitor = Monitor(monitor, mode, min_delta)
        self._forget()

    def _forget(self) -> None:
        self.best: float | None = None
        self.wait, self.cooldown_counter = 0, 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the number; cut the rate when patience ends."""
        current = self._monitor.read(logs, "ReduceLROnPlateau")
        assert logs is not None
        logs["learning_rate"] = self.model.learning_rate
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self._monitor.improves(current, self.best):
            self.best, self.wait = current, 0
        elif self.cooldown_counter == 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._cut(epoch)

    def _cut(self, epoch: int) -> None:
        old = self.model.learning_rate
        if old <= np.float32(self.min_lr):
            return
        self.model.learning_rate = new = max(old * self.factor, self.min_lr)
        self.cooldown_counter, self.wait = self.cooldown, 0
        if self.verbose:
            say(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
