"""fit: epochs of chunks. The host cuts an epoch into chunks, looks at the results between them, and nothing more.

What a step computes is fixed by (network, data, settings, seed); the chunks' sizes, which follow the clock, are not
part of it. So a run that is killed and resumed at any chunk ends in the same bits.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg.errors import DivergenceError
from thalweg.optim import ema_params
from thalweg.train import asked, leaves
from thalweg.train.callbacks import CallbackList
from thalweg.train.contract import Passing
from thalweg.train.evaluate import results, scores
from thalweg.train.history import History
from thalweg.train.interrupt import Interrupt
from thalweg.train.progress import Progress
from thalweg.train.training import Training
from thalweg.train.windows import Feed, Window
from thalweg.types import Tree

CHUNK_SECONDS = 0.25  # the progress bar moves, Ctrl-C answers, and the host costs nothing


@dataclasses.dataclass(frozen=True)
class Plan:
    """The epochs of one fit."""

    epochs: int
    seed: int
    initial_epoch: int = 0
    shuffle: bool = True
    steps_per_epoch: int | None = None  # at most, of rows drawn anew for each epoch

    def __post_init__(self) -> None:
        numbers = {"epochs": asked.COUNT, "initial_epoch": asked.PLACE}
        if self.steps_per_epoch is not None:
            numbers["steps_per_epoch"] = asked.COUNT
        for name, allowed in numbers.items():
            object.__setattr__(self, name, asked.number(name, getattr(self, name), allowed))
        object.__setattr__(self, "shuffle", asked.shuffle(self.shuffle))

    def limited(self, steps: int) -> int:
        """An epoch's steps, where its rows would give `steps`."""
        return steps if self.steps_per_epoch is None else min(steps, self.steps_per_epoch)


@dataclasses.dataclass
class Position:
    """Where a run stands: the epoch, the next step in it, the accumulators, and the steps made before the epoch."""

    epoch: int
    step: int
    tally: Tree
    base: int


class Pace:
    """How many steps the next chunk has: as many as `CHUNK_SECONDS` hold, growing eightfold at most."""

    def __init__(self, by_step: bool) -> None:
        self.steps, self.by_step, self._warm = 1, by_step, False

    def measured(self, steps: int, seconds: float) -> None:
        """Learn from a chunk; the first one holds the compilation and is left out."""
        if self._warm and not self.by_step:
            self.steps = int(np.clip(steps * CHUNK_SECONDS / max(seconds, 1e-9), 1, 8 * self.steps))
        self._warm = True


def unrecorded(run: "Fit", at: Position, *, last: bool = False) -> None:
    """Write nothing: the run has no folder."""


@dataclasses.dataclass
class Fit:
    """One run of `fit`: its parts, and the loop over them."""

    training: Training
    feed: Feed
    validation: Feed | None
    batch_size: int
    plan: Plan
    callbacks: CallbackList
    history: History
    progress: Progress
    watch: Passing | None = None  # looks for copies among the rows that an epoch has read
    record: Callable[..., None] = unrecorded  # writes where the run stands, if it is time to (`runs.py`)
    position: Position | None = None  # where a resumed run goes on
    ended: bool = False  # a callback has ended the run

    def run(self) -> History:
        """Train to the last epoch, or until a callback or Ctrl-C stops it."""
        with Interrupt() as interrupt:
            self.interrupt, self.pace = interrupt, Pace(self.callbacks.needs_batches())
            try:
                self._epochs()
            finally:
                self.progress.close()
        return self.history

    def _epochs(self) -> None:
        self.callbacks.on_train_begin()
        position = self.position or self._begin(self.plan.initial_epoch)
        while position.epoch < self.plan.epochs and not self.ended and not self.interrupt.asked:
            if self._epoch(position):
                position = self._begin(position.epoch + 1)
            self.ended = self.callbacks.stop_training
        self.record(self, position, last=True)  # what a resumed run goes on from: before the average
        self._average()
        self.callbacks.on_train_end()  # the last word: it may put the best weights back

    def _average(self) -> None:
        """Where the optimizer keeps the moving average of the weights, the run ends with it, within the constraints."""
        ts = self.training.ts
        average = ema_params(ts.optimizer, ts.params)
        if average is not None:
            self.training.ts = ts._replace(params=leaves.copied(self.training.task.constrained(average)))

    @property
    def settings(self) -> dict[str, Any]:
        """What a resumed run must share with the one it continues."""
        shared = {name: getattr(self.plan, name) for name in ("seed", "shuffle", "steps_per_epoch")}
        return {"batch_size": self.batch_size, **shared}

    def tally(self) -> Tree:
        """The accumulators before an epoch."""
        rows, output = len(self.feed.rows), self.training.output(self.feed.spec)
        return self.training.task.tally(min(rows, self.plan.limited(rows) * self.batch_size), output)

    def _begin(self, epoch: int) -> Position:
        return Position(epoch, 0, self.tally(), int(self.training.ts.step))

    def _epoch(self, at: Position) -> bool:
        """One epoch from where `at` stands; False when it was left before its end."""
        plan = self.plan
        drawn = {"seed": plan.seed, "epoch": at.base, "shuffle": plan.shuffle, "steps": plan.steps_per_epoch}
        order = self.feed.order(self.batch_size, **drawn)
        started = time.perf_counter()
        self.callbacks.on_epoch_begin(at.epoch)
        self.progress.epoch_begin(at.epoch, len(order))
        for window in self.training.windows(self.feed, order, at.step):
            if not self._window(window, at):
                return False
            if self.callbacks.stop_training:
                break
        logs = results(self.training.task, at.tally)
        if self.validation is not None:
            validated = scores(self.training, self.validation, self.batch_size)
            logs |= {f"val_{name}": value for name, value in validated.items()}
            if self.watch is not None:
                self.watch.check()
        self.callbacks.on_epoch_end(at.epoch, logs)
        self.history.append(at.epoch, logs)
        self.progress.epoch_end(logs, time.perf_counter() - started)
        return True

    def _window(self, window: Window, at: Position) -> bool:
        while at.step - window.offset < window.last:
            first = at.step - window.offset
            last = min(first + self.pace.steps, window.last)
            if self.pace.by_step:
                self.callbacks.on_train_batch_begin(at.step)
            started = time.perf_counter()
            at.tally, reached, finite = self.training.advance(at.tally, window, first, last)
            at.step = window.offset + reached
            self.pace.measured(last - first, time.perf_counter() - started)
            if not finite and self._diverged(window, at, last):
                return True
            logs = results(self.training.task, at.tally, running=True)
            self.progress.update(at.step, logs)
            if self.pace.by_step:
                self.callbacks.on_train_batch_end(at.step - 1, logs)
            self.record(self, at)
            if self.interrupt.asked or self.callbacks.stop_training:
                return not self.interrupt.asked
        return True

    def _diverged(self, window: Window, at: Position, last: int) -> bool:
        """Whether a callback ends the run because of it; False where what is not finite never was."""
        reached = at.step - window.offset
        when = f"epoch {at.epoch + 1}, step {at.step + (reached < last)}"
        message = self.training.explain(window, reached, last, when)
        if message is None:
            return False
        if not self.callbacks.on_divergence(message):
            raise DivergenceError(message)
        self.callbacks.model.stop_training = True
        return True


def one_step(training: Training, feed: Feed) -> dict[str, Any]:
    """One step on all rows of `feed`, outside of a run; the loss and the metrics of that batch before the step."""
    order = feed.rows.astype(np.int32)[None]
    window = next(iter(feed.windows(order, 0)))
    tally = training.task.tally(len(feed.rows), training.output(feed.spec))
    tally, reached, finite = training.advance(tally, window, 0, 1)
    if not finite and (message := training.explain(window, reached, 1, "this batch")):
        raise DivergenceError(message)
    return results(training.task, tally)
