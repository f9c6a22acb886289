"""The learning rate by epoch, functions as callbacks, and an end to a run that has diverged."""

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg.errors import ConfigError, nearest
from thalweg.forms import Count, Form
from thalweg.train import asked
from thalweg.train.callbacks.base import SAID, Callback, Logs, say


class Scheduled(Form):
    """What `LearningRateScheduler` remembers."""

    last_epoch: Count | None


class LearningRateScheduler(Callback):
    """Set the learning rate at the beginning of each epoch.

    To vary it by the step, give the optimizer a schedule: `SGD(optimizers.schedules.CosineDecay(0.1))`.

    Args:
        schedule: `schedule(epoch, learning_rate)`, or `schedule(epoch)`, gives the new rate.
        verbose: 1 says what happens.
    """

    remembers = ("last_epoch",)
    form = Scheduled

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, asked.verbose(verbose, SAID)
        self.last_epoch: int | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget an earlier run."""
        self.last_epoch = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate, once: a run resumed within an epoch comes by here again."""
        if epoch == self.last_epoch:
            return
        self.last_epoch = epoch
        self.model.learning_rate = rate = self._rate(epoch)
        if self.verbose:
            say(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the rate to the logs."""
        if logs is not None:
            logs["learning_rate"] = self.model.learning_rate

    def _rate(self, epoch: int) -> float:
        try:
            rate = self.schedule(epoch, self.model.learning_rate)
        except TypeError:  # Keras's older form
            rate = self.schedule(epoch)
        if np.ndim(rate) or not np.isfinite(float(rate)) or float(rate) < 0:
            raise ConfigError(
                f"LearningRateScheduler: the schedule gave {rate!r} for epoch {epoch}.\n"
                "  Let it return a number of at least 0."
            )
        return float(rate)


class TerminateOnNaN(Callback):
    """End the run, with its history, when the loss is no longer finite.

    The epoch ends there: its loss in the history is NaN or infinite, and `on_epoch_end` is called. Without it `fit`
    raises `DivergenceError`. Either way the weights are from before the bad step, and the message names the layer where
    the first number that is not finite arose.
    """

    def on_divergence(self, message: str) -> bool:
        """Say what happened and end the run."""
        say(message)
        self.model.stop_training = True
        return True


class LambdaCallback(Callback):
    """A callback of functions, given by the names of the hooks: `LambdaCallback(on_epoch_end=print)`.

    Args:
        on_epoch_begin: called with (epoch, logs).
        on_epoch_end: called with (epoch, logs).
        on_train_begin: called with (logs).
        on_train_end: called with (logs).
        on_train_batch_begin: called with (batch, logs).
        on_train_batch_end: called with (batch, logs).
        **hooks: any other hook.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **hooks: Any,
    ) -> None:
        named = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        given = {name: hook for name, hook in (named | hooks).items() if hook is not None}
        for name in given:
            if not hasattr(Callback, name):
                known = [hook for hook in vars(Callback) if hook.startswith("on_")]
                raise ConfigError(f"LambdaCallback: no hook is called {name!r}.\n  {nearest(name, known)}")
        vars(self).update(given)
