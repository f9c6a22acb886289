"""Recorder: a run's checkpoints, written between chunks, and the way back into the run.

A checkpoint costs a write to the disk. One is made when a second has passed since the last, and twenty times what that
one cost: at most a twentieth of a run goes into them. The end of a run is always written. Where the disk does not take
one, that is said once and the run goes on: its weights and its history are in memory, and those before are untouched.
"""

import contextlib
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from thalweg import locks
from thalweg.errors import CheckpointError
from thalweg.train import checkpoint, stored
from thalweg.train.callbacks import Spared
from thalweg.train.fit import Fit, Position

LEAST_SECONDS = 1.0
SHARE = 20


class Recorder:
    """Writes the checkpoints of one `fit` into `folder/checkpoints`, and restores a `Fit` from the newest good one."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder) / "checkpoints"
        self._last, self._cost = time.perf_counter(), 0.0
        self._spared = Spared(
            f"the checkpoint of the run to {self.folder}",
            "Free space on that disk; the next comes when it is due, and resume goes on from the last one written.",
        )

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Keep other fits out of the folder. Of several hosts the first does, for all."""
        return locks.alone(self.folder) if jax.process_index() == 0 else contextlib.nullcontext()

    def save(self, fit: Fit, at: Position, *, last: bool = False) -> None:
        """Write where `fit` stands, if it is time to or the run ends."""
        started = time.perf_counter()
        if not last and started - self._last < max(LEAST_SECONDS, SHARE * self._cost):
            return
        memory, held = fit.callbacks.snapshot()
        shapes = {name: [list(a.shape), str(a.dtype)] for name, a in held.items()}
        meta = {"memory": memory, "held": shapes, "settings": fit.settings}
        meta |= {"epoch": at.epoch, "index": at.step, "base": at.base}
        meta |= {"history": fit.history.rows, "ended": fit.ended}
        arrays = {"ts": fit.training.ts, "tally": at.tally, "held": held}
        with self._spared:
            checkpoint.save(self.folder, int(fit.training.ts.step), arrays, meta)
        self._last = time.perf_counter()
        self._cost = self._last - started

    def restore(self, fit: Fit) -> bool:
        """Put `fit` where the newest good checkpoint stands; False where there is none, and the run begins anew.

        Raises:
            CheckpointError: no checkpoint is whole, or they belong to another network or other settings.
        """
        path = checkpoint.latest(self.folder)
        if path is None:
            return False
        meta = checkpoint.meta(path)
        stored.check(path, stored.Run, meta)
        differ = [k for k, v in fit.settings.items() if meta["settings"].get(k) != v]
        if differ:
            was = ", ".join(f"{k}={meta['settings'].get(k)!r}" for k in differ)
            raise CheckpointError(
                f"{path} was written with {was}.\n  Resume with the same settings, or start a new run."
            )
        held = _held(path, meta["held"])
        arrays, meta = checkpoint.load(path, {"ts": fit.training.ts, "tally": fit.tally(), "held": held})
        fit.callbacks.restore(meta["memory"], arrays["held"])
        fit.training.ts = arrays["ts"]
        fit.position = Position(meta["epoch"], meta["index"], arrays["tally"], meta["base"])
        fit.ended = meta["ended"]
        if fit.callbacks.model is not None:
            fit.callbacks.model.stop_training = fit.ended
        fit.history.rows = meta["history"]
        return True


def _held(path: Path, shapes: dict[str, Any]) -> dict[str, np.ndarray]:
    """Arrays like those that callbacks had, of no size in memory: only what the checkpoint holds is ever allocated."""
    try:
        return {name: np.broadcast_to(np.zeros((), dtype), shape) for name, (shape, dtype) in shapes.items()}
    except (TypeError, ValueError) as error:
        raise stored.edited(path, f"held is not of arrays: {error}") from error
