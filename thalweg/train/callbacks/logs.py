"""Callbacks that write each epoch to a file: CSV, JSON lines, TensorBoard.

The files only grow, and a checkpoint remembers how long they were: a resumed run cuts them back to that and goes on, so
that no epoch stands in them twice.
"""

import csv
import io
import json
import os
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from thalweg.errors import ConfigError
from thalweg.files import place
from thalweg.forms import Count, Form
from thalweg.ranges import flag
from thalweg.train.callbacks.base import Callback, Logs, Memory, Spared
from thalweg.train.tensorboard import histogram, preamble, scalar

EVENTS = "events.out.tfevents."


class Log:
    """A file that grows, each addition on the disk before the next. It is open only while it is written.

    What a full disk or a folder that cannot be written did not take is kept, and written with the next addition.
    """

    def __init__(self, path: str | os.PathLike[str], length: int = 0, who: str = "") -> None:
        self.path, self.length, self.pending = Path(path), length, b""
        self._spared = Spared(
            f"{who} to {self.path}", "Free space on that disk or name another place; what is missing is added then."
        )

    @property
    def empty(self) -> bool:
        """Whether nothing has been added."""
        return not (self.length or self.pending)

    def begin(self, length: int | None) -> None:
        """Go on after the first `length` bytes of what is there; after all of it for None."""
        self.length, self.pending, self._spared.said = 0, b"", False
        with self._spared:
            there = self.path.stat().st_size if self.path.is_file() else 0
            self.length = there if length is None else min(length, there)

    def write(self, data: bytes) -> None:
        """Append `data`."""
        self.pending += data
        with self._spared:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with place(self.path).open("ab") as file:
                file.truncate(self.length)
                file.write(self.pending)
                file.flush()
                os.fsync(file.fileno())
            self.length, self.pending = self.length + len(self.pending), b""


class Length(Form):
    """What `HistoryLogger` remembers: how long its file was."""

    bytes: Count


class Columns(Length):
    """What `CSVLogger` remembers."""

    keys: list[str] | None


class Lengths(Form):
    """How long the files of each part were."""

    train: Count
    validation: Count


class Events(Form):
    """What `TensorBoard` remembers. The name leads to no other folder."""

    name: Annotated[str, Field(pattern=rf"^{re.escape(EVENTS)}[^/\\\x00]+$")]
    bytes: Lengths


class CSVLogger(Callback):
    """A line of numbers an epoch: `epoch`, then the names in the logs, sorted.

    The columns are those of the first epoch; a name that comes later has none, one that goes leaves "NA".

    Args:
        filename: where to.
        separator: what stands between the numbers.
        append: whether to go on in a file that is there.
    """

    form = Columns

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        if len(separator) != 1:
            raise ConfigError(f"CSVLogger: separator is one character; it is {separator!r}.\n  Write separator=','.")
        self.separator, self.append = separator, flag("append", append, "CSVLogger")
        self._log = Log(filename, who="CSVLogger")
        self._keys: list[str] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin the file anew, unless it is to be appended to."""
        self._log.begin(None if self.append else 0)
        self._keys = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the line."""
        logs = logs or {}
        if self._keys is None:
            self._keys = sorted(logs)
            if self._log.empty:
                self._row(["epoch", *self._keys])
        self._row([epoch, *(plain(logs.get(key, "NA")) for key in self._keys)])

    def _row(self, values: list[Any]) -> None:
        line = io.StringIO(newline="")
        csv.writer(line, delimiter=self.separator).writerow(values)
        self._log.write(line.getvalue().encode())

    def snapshot(self) -> Memory:
        """How long the file is, and its columns."""
        return {"bytes": self._log.length, "keys": self._keys}, {}

    def restore(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """See `snapshot`."""
        del arrays
        self._log.begin(values["bytes"])
        self._keys = values["keys"]


class HistoryLogger(Callback):
    """A line of JSON an epoch, `{"epoch": 0, "loss": 0.5, ...}`, on the disk before the next epoch begins.

    Args:
        path: where to: `history.jsonl`.
    """

    form = Length

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._log = Log(path, who="HistoryLogger")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin the file anew."""
        self._log.begin(0)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the line."""
        line = {"epoch": epoch, **{name: plain(value) for name, value in (logs or {}).items()}}
        self._log.write((json.dumps(line) + "\n").encode())

    def snapshot(self) -> Memory:
        """How long the file is."""
        return {"bytes": self._log.length}, {}

    def restore(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """See `snapshot`."""
        del arrays
        self._log.begin(values["bytes"])


class TensorBoard(Callback):
    """Event files for TensorBoard, without TensorFlow: `tensorboard --logdir logs`.

    Numbers go to `train` and `validation` below `log_dir` as `epoch_loss`, `epoch_accuracy`, ..., the step being the
    epoch. Keras's arguments for graphs, images, embeddings and profiles are not here.

    Args:
        log_dir: where to.
        histogram_freq: after how many epochs the weights are written as histograms; 0 for never.
        update_freq: only "epoch".
    """

    form = Events

    def __init__(
        self, log_dir: str | os.PathLike[str] = "logs", histogram_freq: int = 0, *, update_freq: str = "epoch"
    ) -> None:
        if update_freq != "epoch":
            raise ConfigError(f"TensorBoard: update_freq is 'epoch'; it is {update_freq!r}.\n  Leave it out.")
        self.log_dir, self.histogram_freq = Path(log_dir), histogram_freq
        self._logs: dict[str, Log] = {}
        self._name = ""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin files of a new name; TensorBoard reads all that are there."""
        self._open(f"{EVENTS}{time.time_ns()}.{socket.gethostname()}.{os.getpid()}", {})

    def _open(self, name: str, lengths: Mapping[str, int]) -> None:
        self._name = name
        self._logs = {
            part: Log(self.log_dir / part / name, lengths.get(part, 0), "TensorBoard")
            for part in ("train", "validation")
        }

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's numbers."""
        now = time.time()
        new = dict.fromkeys(self._logs, b"")
        for name, value in (logs or {}).items():
            if np.ndim(value) == 0:
                part = "validation" if name.startswith("val_") else "train"
                new[part] += scalar(f"epoch_{name.removeprefix('val_')}", float(value), epoch, now)
        if self.histogram_freq and (epoch + 1) % self.histogram_freq == 0:
            for name, weights in self.model.weights.items():
                new["train"] += histogram(name.replace(".", "/"), weights, epoch, now)
        for part, records in new.items():
            if records:
                log = self._logs[part]
                log.write(preamble(now) + records if log.empty else records)

    def snapshot(self) -> Memory:
        """Which files, and how long they are."""
        return {"name": self._name, "bytes": {part: log.length for part, log in self._logs.items()}}, {}

    def restore(self, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """See `snapshot`."""
        del arrays
        self._open(values["name"], values["bytes"])


def plain(value: Any) -> Any:
    """A number or an array as JSON takes it."""
    return value if isinstance(value, str) else np.asarray(value).tolist()
