"""Held: where a training stands, for the one who moves it and for those who read it meanwhile.

A program that trains takes the state's memory over: while it runs, the arrays from before are gone and those after are
not there. So the two take turns. A program has its turn for a chunk; a reader who comes meanwhile waits for the chunk's
end, and from then on has arrays that no later chunk takes over, for as long as it reads.

    with held as ts:      the state after the last finished chunk

Now and then a copy is kept outside the device, which costs a hundredth of the time. The training goes back to it where
its numbers are no longer finite, and where a program that took the state over gave none back.
"""

import contextlib
import inspect
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax

from thalweg import optim
from thalweg.errors import ContractError
from thalweg.train import leaves
from thalweg.train.task import TrainState
from thalweg.types import Tree

SHARE = 100  # the time between two copies, over that of a copy


class Held:
    """A training's state.

    Args:
        ts: where it begins.
    """

    def __init__(self, ts: TrainState) -> None:
        self.now, self.version = ts, 0  # how often it has changed
        self.runner: int | None = None  # the thread whose `fit` moves it
        self.kept: Tree = None  # an earlier state, off the device
        self._kept_at, self._cost = 0.0, 0.0
        self._next, self._turn = threading.Lock(), threading.Lock()  # who waits for the turn keeps the next one waiting
        self._readers: list[None] = []
        self._mover: int | None = None  # the thread of the program that has the turn
        self._refused = False  # whether that program asked for its own turn

    def _require_outside(self) -> None:
        """Refuse who asks from inside of the program that has the turn, and would wait for its own end.

        Raises:
            ContractError: a loss, or a callback within it, does.
        """
        if self._turn.locked() and (self._mover == threading.get_ident() or _in_program()):
            self._refused = True
            raise _inside()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """The turn of one who is no program."""
        self._require_outside()
        with self._next, self._turn:
            yield

    def __enter__(self) -> TrainState:
        with self._alone():
            self._readers.append(None)
            return self.now

    def __exit__(self, *_: object) -> None:
        self._readers.pop()

    def change(self, to: Callable[[TrainState], TrainState]) -> None:
        """Put `to(state)` in the state's place; there is no way back."""
        with self._alone():
            self.now, self.kept, self.version = to(self.now), None, self.version + 1

    def tune(self, **numbers: float) -> None:
        """Set numbers of the optimizer; they stay when the training goes back. A raised one may spoil the next step."""
        with self._alone():
            old = optim.hyper(self.now.optimizer)
            self.now = self.now._replace(optimizer=optim.with_hyper(self.now.optimizer, **numbers))
            if any(value > old[name] for name, value in numbers.items()):
                self._kept_at = 0.0

    def advance(self, run: Callable[[TrainState], tuple[Any, ...]]) -> tuple[Any, ...]:
        """The turn of a program that takes the state over and gives the next one, and what else it gives."""
        self._require_outside()
        with self._next:
            self._turn.acquire()
        self._mover, self._refused = threading.get_ident(), False
        try:
            self._keep()
            self.version += 1
            self.now, *rest = run(leaves.copied(self.now) if self._readers else self.now)
        except BaseException as error:  # Ctrl-C, too
            if any(leaf.is_deleted() for leaf in jax.tree.leaves(self.now)):
                self.now, self.kept = leaves.restored(self.kept), None
            if self._refused and not isinstance(error, ContractError):
                raise _inside() from error  # XLA has made text of it
            raise
        finally:
            self._mover = None
            self._turn.release()
        return tuple(rest)

    def back(self) -> int:
        """Go back to the state that was kept; by how many steps."""
        with self._alone():
            was, self.now, self.kept = self.now, leaves.restored(self.kept), None
            self.version += 1
            numbers = optim.settable(was.optimizer)
            self.now = self.now._replace(optimizer=optim.with_hyper(self.now.optimizer, **numbers))
            return int(was.step) - int(self.now.step)

    def _keep(self) -> None:
        started = time.perf_counter()
        if self.kept is None or started - self._kept_at > SHARE * self._cost:
            new = leaves.stored(self.now)
            if self.kept is None or leaves.infinite(new) <= leaves.infinite(self.kept):  # else it is spoiled already
                self.kept = new
            self._kept_at = time.perf_counter()
            self._cost = self._kept_at - started

    def __getstate__(self) -> Any:
        with self as ts:
            return leaves.stored(ts)

    def __setstate__(self, stored: Any) -> None:
        Held.__init__(self, leaves.restored(stored))


def _in_program() -> bool:
    """Whether a compiled program of JAX calls this function back, by the names below it on the stack."""
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("jax._src.") and "callback" in frame.f_code.co_name:
            return True
        frame = frame.f_back
    return False


def _inside() -> ContractError:
    return ContractError(
        "a step of this model's training, such as its loss, asks for the model itself, which is not there before the "
        "step ends.\n"
        "  Call predict in a callback's on_train_batch_end, or use another model: copy.copy(model)."
    )
