"""The four calls of a model: fit, evaluate, predict, train_on_batch. Each walks three steps that hand values on.

    given      what the call brought: arrays, or a source
    checked    the same, after every contract has been held against it
    feeds      rows as the programs take them

The names of the steps are those of their files.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thalweg.ranges import flag
from thalweg.train import asked, checked, frames, ragged
from thalweg.train.callbacks import CallbackList
from thalweg.train.callbacks.base import several
from thalweg.train.evaluate import BATCH, scores
from thalweg.train.feeds import blocks, feed, feeds
from thalweg.train.fit import Fit, Plan, one_step
from thalweg.train.given import Given
from thalweg.train.history import History
from thalweg.train.predict import outputs, ready
from thalweg.train.progress import Progress
from thalweg.train.session import Session


def fit(
    model: Any,
    data: tuple[Any, Any, Any],
    plan: Plan,
    *,
    batch_size: int | None,
    class_weight: Any,
    validation_data: Any,
    validation_split: float,
    split: str,
    callbacks: Any,
    verbose: int | str,
    run_dir: str | Path | None,
    resume: bool,
) -> History:
    """Train; see `Model.fit`.

    Args:
        model: has the `session`; callbacks are handed it, and it is handed the history as the run begins.
        data: inputs, targets, weights.
        plan: the epochs.
        batch_size: as in `Model.fit`, like all that follows.
        class_weight: a weight for each class.
        validation_data: rows that validate.
        validation_split: the share that validates.
        split: how that share is chosen.
        callbacks: hear of the run.
        verbose: what is shown.
        run_dir: a folder for checkpoints.
        resume: go on from the newest.
    """
    session: Session = model.session
    asked.check_targets(*data[:2], session.require_compiled().loss)
    callbacks, batch_size, resume = several(callbacks), asked.batch_size(batch_size), flag("resume", resume)
    validation_split = asked.number("validation_split", validation_split, asked.SHARE)
    shown = Progress(verbose, plan.epochs)
    with session.running(), session.scope():
        given = session.brought(*data)
        session.columns = frames.held(data[0], session.columns, trains=True)
        apart = None if validation_data is None else _brought(session, *asked.parts(validation_data))
        session.build(given.spec)
        training = session.training
        holdout = checked.Holdout(apart, validation_split, split)
        parts = checked.for_training(
            training, given, holdout, batch_size, callbacks, class_weight=class_weight, seed=session.split_seed
        )
        train, validation = feeds(parts.train, parts.validation)
        steps = plan.limited(len(train.order(parts.batch_size, shuffle=False)))
        ragged.check(training, train, parts.batch_size, plan.steps_per_epoch)
        training.begin_run(steps * plan.epochs, steps * plan.initial_epoch)
        params = {"epochs": plan.epochs, "steps": steps}
        model.stop_training, model.history = False, History(params)
        hooks = CallbackList(callbacks, model, params | {"verbose": verbose})
        run = Fit(training, train, validation, parts.batch_size, plan, hooks, model.history, shown, parts.watch)
        with _recorded(run, run_dir, resume=resume):
            return run.run()


def evaluate(session: Session, x: Any, y: Any, weight: Any, batch_size: int | None) -> dict[str, Any]:
    """The loss and each metric by name; see `Model.evaluate`."""
    asked.check_targets(x, y, session.require_compiled().loss)
    batch_size = asked.batch_size(batch_size)
    given = _brought(session, x, y, weight)
    session.build(given.spec)
    with session.scope():
        rows = checked.for_evaluation(session.training, given)
        return scores(session.training, feed(rows), batch_size or BATCH)


def predict(session: Session, x: Any, batch_size: int | None) -> Any:
    """The output for each row; see `Model.predict`."""
    known = session.ready
    if known is not None and batch_size is None and known.takes(x):
        with session.scope(), session.lent() as weights:
            return known(weights.params, weights.state, x)
    asked.check_inputs(x)
    batch_size = asked.batch_size(batch_size)
    rows = checked.for_prediction(session.module, _brought(session, x))
    session.build(rows.given.spec)
    session.ready = ready(session.network, x, rows.given.x)
    with session.scope(), session.lent() as weights:
        return outputs(session.network, weights.params, weights.state, blocks(rows, batch_size))


def train_on_batch(session: Session, x: Any, y: Any, weight: Any, class_weight: Any) -> dict[str, Any]:
    """The loss and each metric of a batch before a step on it; see `Model.train_on_batch`."""
    asked.check_targets(x, y, session.require_compiled().loss)
    session.require_idle("train_on_batch")
    given = _brought(session, x, y, weight)
    session.build(given.spec)
    with session.scope():
        session.training.require_schedule()
        rows = checked.for_evaluation(session.training, given, class_weight)
        return one_step(session.training, feed(rows))


def _brought(session: Session, x: Any, y: Any = None, weight: Any = None) -> Given:
    """What a call brought, its frames as those that trained the network were."""
    frames.held(x, session.columns)
    return session.brought(x, y, weight)


@contextlib.contextmanager
def _recorded(run: Fit, folder: str | Path | None, *, resume: bool) -> Iterator[None]:
    """Keep the checkpoints of `run` in `folder`, which is its own as long as it lasts."""
    if folder is None:
        yield
        return
    from thalweg.train.runs import Recorder  # noqa: PLC0415  Orbax takes a second to load

    recorder = Recorder(Path(folder))
    with recorder.alone():
        run.record = recorder.save
        if resume:
            recorder.restore(run)
        yield
