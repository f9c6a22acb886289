"""Callback: what a run tells, and may be told, between its steps. Keras's hooks.

    on_train_begin                       on_test_begin                        on_predict_begin
      on_epoch_begin(epoch)                on_test_batch_begin(batch)           on_predict_batch_begin(batch)
        on_train_batch_begin(batch)        on_test_batch_end(batch, logs)       on_predict_batch_end(batch, logs)
        on_train_batch_end(batch, logs)  on_test_end(logs)                    on_predict_end(logs)
      on_epoch_end(epoch, logs)
    on_train_end(logs)

Steps run as compiled chunks of many, so the hooks of single batches have a price: a run that has one in use goes step
by step.

A run that is killed and resumed must end as if nothing had happened. So a callback with a memory names the attributes
that make it up, `remembers = ("best", "wait")`; one that also remembers arrays overrides `snapshot` and `restore`. Its
`form` says of which kind each is: what a checkpoint says is held against it before the run goes on.
"""

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from thalweg import forms
from thalweg.errors import CheckpointError, ConfigError, FormatError

Logs = dict[str, Any]
Memory = tuple[dict[str, Any], dict[str, np.ndarray]]

BATCH_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}


class Callback:
    """The base of callbacks: override the hooks you need.

    `self.model` is the model in training: `get_weights`, `set_weights`, `save`, `learning_rate`, and `stop_training`,
    which ends the run after this step or epoch when set. `self.params` holds `epochs`, `steps` and `verbose`. `epoch`
    and `batch` count from 0.

    >>> class Report(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(epoch, logs["loss"])
    >>> CallbackList([Report()]).on_epoch_end(0, {"loss": 0.5})
    0 0.5
    """

    model: Any = None
    params: Mapping[str, Any] = {}
    monitor: Any = None
    remembers: tuple[str, ...] = ()
    form: type[forms.Form] | None = None

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Receive `epochs`, `steps` and `verbose`."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the model."""
        self.model = model

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch, with its logs."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation, with `{"loss": ..., "val_loss": ...}`; what is added to it is kept."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a step."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a step, with the epoch's means so far."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_end`."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before an evaluation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After an evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of an evaluation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of a prediction."""

    def on_divergence(self, message: str) -> bool:
        """The loss is no longer finite; `message` says where it began. Return True to end the run without an error."""
        del message
        return False

    def watches(self) -> tuple[str, ...]:
        """The names in the logs without which the callback cannot work."""
        return (self.monitor,) if isinstance(self.monitor, str) else ()

    def needs_batches(self, phase: str = "train") -> bool:
        """Whether a hook of single batches is in use."""
        mine = (getattr(self, hook) for hook in BATCH_HOOKS[phase])
        return any(getattr(hook, "__func__", hook) not in DEFAULTS for hook in mine)

    def snapshot(self) -> Memory:
        """What a resumed run must remember: what JSON holds, and arrays by name."""
        return {name: getattr(self, name) for name in self.remembers}, {}

    def check(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Hold what a checkpoint remembers against the form; called before the run goes on.

        Raises:
            FormatError: a name is missing or unknown, or a value is of another kind.
        """
        if self.form is None and type(self).snapshot is not Callback.snapshot:
            return  # a memory of another's own making, which its `restore` knows
        if differ := sorted(values.keys() ^ self.snapshot()[0].keys()):
            raise FormatError(f"{differ[0]} is {'no key of it' if differ[0] in values else 'missing'}")
        if self.form is not None:
            forms.check(self.form, {name: value for name, value in values.items() if name in self.form.model_fields})
        if arrays:
            raise FormatError(f"{min(arrays)} is no array of it")

    def restore(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Remember what `snapshot` said; called after `on_train_begin`."""
        del arrays
        for name in self.remembers:
            setattr(self, name, values[name])


DEFAULTS = {getattr(Callback, hook) for hooks in BATCH_HOOKS.values() for hook in hooks}


class CallbackList(Callback):
    """Callbacks as one: each hook calls theirs, in order.

    Args:
        callbacks: what to call.
        model: handed to each.
        params: handed to each.
    """

    def __init__(
        self, callbacks: Iterable[Callback] = (), model: Any = None, params: Mapping[str, Any] | None = None
    ) -> None:
        self.callbacks = tuple(callbacks)
        self.model, self.params = model, params or {}
        self._pending: Memory | None = None
        for callback in self.callbacks:
            callback.set_params(self.params)
            callback.set_model(model)

    @property
    def stop_training(self) -> bool:
        """Whether a callback asked for the end of the run."""
        return bool(getattr(self.model, "stop_training", False))

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch. What `restore` brought is handed out after: callbacks begin by forgetting."""
        for callback in self.callbacks:
            callback.on_train_begin(logs)
        if self._pending is not None:
            for name, callback in self._named():
                self._hand(name, callback.restore, *self._pending)
            self._pending = None

    def on_divergence(self, message: str) -> bool:
        """Whether some callback ends the run without an error."""
        answers = [callback.on_divergence(message) for callback in self.callbacks]
        return any(answers)

    def watches(self) -> tuple[str, ...]:
        """The names that any of them needs."""
        return monitors(self.callbacks)

    def needs_batches(self, phase: str = "train") -> bool:
        """Whether any of them needs the hooks of single batches."""
        return needs_batches(self.callbacks, phase)

    def snapshot(self) -> Memory:
        """What they remember, by class and count: `EarlyStopping`, `EarlyStopping-2`, and `EarlyStopping.best.0`."""
        values, arrays = {}, {}
        for name, callback in self._named():
            plain, own = callback.snapshot()
            if plain or own:
                values[name] = plain
                arrays |= {f"{name}.{key}": value for key, value in own.items()}
        return values, arrays

    def restore(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Hand what `snapshot` said back, when training begins; whether it fits is looked at now.

        Raises:
            CheckpointError: a callback of the stored run is missing here, so the runs would differ; or what is
                remembered of one does not fit it.
        """
        missing = sorted(set(values) - {name for name, _ in self._named()})
        if missing:
            raise CheckpointError(
                f"the run was stored with the callback {missing[0]}, which is not among those given now.\n"
                "  Give fit the same callbacks to resume it."
            )
        for name, callback in self._named():
            self._hand(name, callback.check, values, arrays)
        self._pending = (dict(values), dict(arrays))

    def _hand(self, name: str, to: Callable[..., None], values: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        """Hand what is remembered of the callback called `name` to one of its methods."""
        if name not in values:
            return
        own = {k.removeprefix(f"{name}."): v for k, v in arrays.items() if k.startswith(f"{name}.")}
        try:
            to(values[name], own)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            said = str(error) if isinstance(error, FormatError) else f"{type(error).__name__} {error}"
            raise CheckpointError(
                f"what the checkpoint remembers of {name} does not fit it: {said}.\n"
                "  Resume from another checkpoint, or start a new run."
            ) from error

    def _named(self) -> list[tuple[str, Callback]]:
        out, seen = [], {}
        for callback in self.callbacks:
            kind = type(callback).__name__
            seen[kind] = seen.get(kind, 0) + 1
            out.append((kind if seen[kind] == 1 else f"{kind}-{seen[kind]}", callback))
        return out


def _each(hook: str) -> Callable[..., None]:
    def call(self: CallbackList, *args: Any, **kwargs: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*args, **kwargs)

    call.__doc__ = getattr(Callback, hook).__doc__
    return call


for _hook in vars(Callback):
    if _hook.startswith("on_") and _hook not in vars(CallbackList):
        setattr(CallbackList, _hook, _each(_hook))


def needs_batches(callbacks: Sequence[Callback], phase: str = "train") -> bool:
    """Whether some callback uses a hook of single batches, so that the run must go step by step."""
    return any(callback.needs_batches(phase) for callback in callbacks)


def monitors(callbacks: Sequence[Callback]) -> tuple[str, ...]:
    """The names in the logs that the callbacks need."""
    return tuple(dict.fromkeys(name for callback in callbacks for name in callback.watches()))


SAID = (0, 1, 2)
"""What `verbose` of a callback may be: 0 says nothing."""


class Spared:
    """A block that writes to a disk: where it cannot, that is said once, as a warning, and the run goes on.

    Args:
        who: what writes, for the message.
        kept: what becomes of what was not written.
    """

    def __init__(self, who: str, kept: str) -> None:
        self.who, self.kept, self.said, self.failed = who, kept, False, False

    def __enter__(self) -> None:
        self.failed = False

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        reason = error if isinstance(error, OSError) else getattr(error, "__cause__", None)
        self.failed = isinstance(reason, OSError) or isinstance(error, CheckpointError)
        if self.failed and not self.said:
            self.said = True
            warnings.warn(f"{self.who} cannot write: {reason}. The training goes on.\n  {self.kept}", stacklevel=3)
        return self.failed


def say(text: str) -> None:
    """A line for the user; a progress bar moves out of its way."""
    sys.stdout.write(f"{text}\n")


def several(given: Any) -> Sequence[Callback]:
    """The callbacks of a run; one alone is a list of one, as in Keras.

    Raises:
        ConfigError: one is none, such as the class instead of an object.
    """
    out = given if isinstance(given, list | tuple) else [given]
    for callback in out:
        if not isinstance(callback, Callback):
            named = f"{callback.__name__}()" if isinstance(callback, type) else "an object of a subclass of Callback"
            raise ConfigError(f"callbacks holds {callback!r:.100}, which is no callback.\n  Write {named}.")
    return out
