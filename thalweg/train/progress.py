"""Progress: a bar on a terminal, a line an epoch elsewhere.

    Epoch  3/10  loss 0.1231  accuracy 0.9712  val_loss 0.1502  val_accuracy 0.9634  1.2 s  0.31 ms/step

The bar is drawn when a chunk of steps ends, from the training thread: no thread of its own competes with the steps.
"""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from thalweg.train import asked

BETWEEN = 0.1  # seconds: steps that the host takes one by one do not wait for the screen
WORDS = "Epoch {epoch:>{width}}/{epochs}"


class Progress:
    """What `fit` shows.

    Args:
        verbose: 0 nothing; 1 or "auto" a bar on a terminal and a line an epoch elsewhere; 2 a line an epoch.
        epochs: the last epoch's number.
        console: where to write; the standard output unless said.
    """

    def __init__(self, verbose: int | str = "auto", epochs: int = 1, console: Console | None = None) -> None:
        self.console = console or Console()
        self.verbose, self.epochs = asked.verbose(verbose), epochs
        self.bars = verbose in (1, "auto") and self.console.is_terminal
        self._bar: Bar | None = None
        self._label, self._steps, self._drawn = "", 1, 0.0
        self._marks: list[tuple[float, int]] = []  # (time, step): the epoch's begin, its first chunk's end, now

    def epoch_begin(self, epoch: int, steps: int) -> None:
        """An epoch of `steps` steps begins; `epoch` counts from 0."""
        self._label = WORDS.format(epoch=epoch + 1, epochs=self.epochs, width=len(str(self.epochs)))
        self._steps, self._marks = steps, [(time.perf_counter(), 0)]
        if self.bars:
            columns = TextColumn("{task.description}"), BarColumn(20), TextColumn("{task.fields[text]}")
            self._bar = Bar(*columns, console=self.console, transient=True, auto_refresh=False)
            self._bar.add_task(self._label, total=steps, text=f"0/{steps}")
            self._bar.start()

    def update(self, step: int, logs: Mapping[str, Any]) -> None:
        """`step` steps of the epoch are done; `logs` are the means so far."""
        now = time.perf_counter()
        self._marks = [*self._marks[:2], (now, step)]
        if self._bar is None or now - self._drawn < BETWEEN:
            return
        self._drawn = now
        pace = self.pace()
        left = f"{duration(pace * (self._steps - step))} left"
        text = f"{step}/{self._steps}  {numbers(logs)}  {duration(pace)}/step  {left}"
        self._bar.update(self._bar.task_ids[0], completed=step, text=text)
        self._bar.refresh()

    def epoch_end(self, logs: Mapping[str, Any], seconds: float) -> None:
        """The epoch took `seconds`, with its validation; `logs` are its results."""
        pace = self.pace()
        self.close()
        if self.verbose:
            line = f"{self._label}  {numbers(logs)}  {duration(seconds)}  {duration(pace)}/step"
            self.console.print(line, soft_wrap=True, highlight=False, markup=False)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def pace(self) -> float:
        """Seconds a step, without the first chunk of the epoch (which may hold a compilation) where there are more."""
        marks = self._marks[1:] if len(self._marks) > 2 else self._marks
        (begin, first), (end, last) = marks[0], marks[-1]
        return (end - begin) / max(1, last - first)


def numbers(logs: Mapping[str, Any]) -> str:
    """The single numbers of `logs`, four digits each.

    >>> numbers({"loss": 0.123456, "accuracy": 0.5})
    'loss 0.1235  accuracy 0.5000'
    """
    return "  ".join(f"{name} {_short(float(value))}" for name, value in logs.items() if np.ndim(value) == 0)


def duration(seconds: float) -> str:
    """A time, short.

    >>> duration(0.00031), duration(1.234), duration(90.0), duration(7325.0)
    ('0.31 ms', '1.2 s', '1:30', '2:02:05')
    """
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _short(value: float) -> str:
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e3 or value == 0 else f"{value:.4g}"
