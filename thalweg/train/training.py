"""Training: how to train, as `compile` was told, and a training that has begun."""

import dataclasses
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import losses, metrics, optim, random
from thalweg.core import Network
from thalweg.errors import ConfigError, ContractError
from thalweg.losses import Custom, Loss
from thalweg.metrics import Metric
from thalweg.optim import Optimizer
from thalweg.train.divergence import explain
from thalweg.train.held import Held
from thalweg.train.program import batch_at, start_program, train_program
from thalweg.train.task import Task, TrainState
from thalweg.train.windows import Feed, Window, unpadded
from thalweg.types import ShapeDtype, Spec, Tree

TAKEN = ("epoch", "learning_rate", "loss")
"""Names in the history that no metric may have."""

FAR = 100_000  # steps for which a schedule is looked at where no run says how many there will be


class Settings(NamedTuple):
    """How to train: the optimizer, the loss, and the metrics as they were named."""

    optimizer: Optimizer
    loss: Loss
    metrics: tuple[Any, ...]

    @classmethod
    def of(cls, optimizer: Any, loss: Any, metrics: Sequence[Any] | None) -> "Settings":
        """The settings of names, records, functions.

        Raises:
            ConfigError: an unknown name.
        """
        if not isinstance(metrics, list | tuple | None):
            raise ConfigError(f"metrics={metrics!r:.80} is no list.\n  Write metrics=[...], a list of one too.")
        made = cls(optim.optimizer(optimizer), losses.loss(loss), tuple(metrics or ()))
        made.measured()  # an error now, not after data was read
        return made

    def measured(self) -> tuple[tuple[str, Metric], ...]:
        """The metrics by name, fitted to the loss; of one name, the second has "_1" behind it, as in Keras.

        Raises:
            ConfigError: an unknown name, or one that the history has for something else.
        """
        fitted = [metrics.metric(metric, loss=self.loss, losses=losses.loss) for metric in self.metrics]
        names = [metric.name for metric in fitted]
        taken = next((name for name in names if name in TAKEN or name.startswith("val_")), None)
        if taken is not None:
            raise ConfigError(
                f"a metric is called {taken!r}, which the history has for something else.\n"
                "  Write name='...' for the metric, or give the function another name."
            )
        return tuple(zip(_numbered(names), fitted, strict=True))


@dataclasses.dataclass
class Training:
    """A task and where its training stands; callbacks read and change it between chunks."""

    task: Task
    held: Held
    claim: Callable[[], None] = lambda: None  # have the newest weights here, before they move
    seen: dict[Any, Tree] = dataclasses.field(default_factory=dict)  # outputs, by the inputs that they are of

    @property
    def ts(self) -> TrainState:
        """Where it stands, for the thread that trains; who may be in another one asks for `held`."""
        return self.held.now

    @ts.setter
    def ts(self, ts: TrainState) -> None:
        self.held.change(lambda _: ts)

    def begin_run(self, steps: int, first: int) -> None:
        """Begin a run of `steps` steps at step `first`: a schedule that lasts as long as a run begins there, too.

        Raises:
            ContractError: a schedule with a length of its own is over.
        """
        self.claim()
        self.held.runner = threading.get_ident()
        self.task = self.task.lasting(steps)
        if self.task.optimizer.follows_run:
            self.held.change(lambda ts: ts._replace(optimizer=optim.scheduled_from(ts.optimizer, first)))
        else:
            self.require_rate(steps - first)
            self.held.change(lambda ts: ts)  # the run's first chunk has a way back to before it

    def require_schedule(self) -> None:
        """Whether the learning rate of a step outside of a run is known, and not 0 from now on.

        Raises:
            ContractError: it is not.
        """
        if self.task.optimizer.follows_run:
            raise ContractError(
                f"train_on_batch is no run, and {self.task.optimizer.learning_rate!r} lasts as long as one.\n"
                "  Write how many steps it lasts: decay_steps= (total_steps= for OneCycle)."
            )
        rate, ts = self.task.optimizer.learning_rate, self.held.now
        if callable(rate) and not optim.hyper(ts.optimizer)["learning_rate"]:
            self.require_rate(FAR)

    def require_rate(self, steps: int) -> None:
        """Refuse to go on for so many steps with a schedule that has come to 0 and stays there.

        Raises:
            ContractError: it has.
        """
        rate, done = self.task.optimizer.learning_rate, int(self.held.now.step)
        if not done or not callable(rate):
            return
        if not any(float(rate(jnp.int32(done + ahead))) for ahead in np.linspace(0, max(steps - 1, 0), 8, dtype=int)):
            raise ContractError(
                f"the learning rate would stay 0, so that nothing moves: {rate!r} was over after {done} steps.\n"
                "  Let it last longer, or as long as each run (a CosineDecay without decay_steps); or compile anew."
            )

    def advance(self, tally: Tree, window: Window, first: int, last: int) -> tuple[Tree, int, bool]:
        """Steps `first` to `last` of a window: the accumulators, the step reached, and whether all is finite."""
        self.claim()
        run, bounds = train_program(self.task), (jnp.int32(first), jnp.int32(last))
        tally, reached, finite = self.held.advance(lambda ts: run(ts, tally, window.data, window.order, *bounds))
        return tally, int(reached), bool(finite)

    def explain(self, window: Window, reached: int, last: int, when: str) -> str | None:
        """What is no longer finite after `advance` said so; see `divergence.explain`."""
        batch = batch_at(window.data, window.order[reached]) if reached < last else None
        return explain(self.task, self.held, when, batch)

    @classmethod
    def begin(
        cls, network: Network, settings: Settings, seed: int, spec: Spec, weights: tuple[Tree, Tree]
    ) -> "Training":
        """The training that begins at copies of `weights`, for inputs like `spec`."""
        slots = network.slots(spec) if hasattr(network, "slots") else ()  # type: ignore[attr-defined]
        task = Task(network, settings.loss, settings.optimizer, settings.measured(), slots).lasting(1)
        return cls(task, Held(start_program(task)(random.fold(random.key(seed), "steps"), *weights)))

    def outputs(self, spec: Spec) -> Tree:
        """What the network gives for inputs like `spec`, of any size that it takes.

        Raises:
            ContractError: a layer does not take them.
        """
        leaves, structure = jax.tree.flatten(spec)
        known = (structure, *leaves)
        if known not in self.seen:
            network, ts = self.task.network, self.ts
            self.seen[known] = jax.eval_shape(
                lambda p, s, x: network.apply(p, s, x, key=None, train=False)[0], ts.params, ts.state, spec
            )
        return self.seen[known]

    def output(self, spec: Spec) -> ShapeDtype:
        """The one output for inputs like `spec`, which the loss compares with the targets.

        Raises:
            ContractError: a layer does not take them, or the network has several outputs.
        """
        output = self.outputs(spec)
        if isinstance(output, jax.ShapeDtypeStruct):
            return output
        raise ContractError(
            f"the network gives {len(jax.tree.leaves(output))} outputs; a loss compares one with the targets.\n"
            "  Join them, as layers.Concatenate() does, or train a model of each output."
        )

    def windows(self, feed: Feed, order: np.ndarray, first: int) -> Iterator[Window]:
        """The steps `first` and on of an epoch's `order`; of a loss that is one number a batch, without padding."""
        windows, loss = feed.windows(order, first), self.task.loss
        if not isinstance(loss, Custom):
            return windows
        for window in windows:
            whole = loss.joint(window.data[1], self.output(feed.spec))
            windows = itertools.chain([window], windows)
            return unpadded(windows) if whole else windows
        return windows


def _numbered(names: Sequence[str]) -> list[str]:
    """Each name once: its second place has "_1" behind it.

    >>> _numbered(["auc", "auc", "auc_1", "auc"])
    ['auc', 'auc_2', 'auc_1', 'auc_3']
    """
    out: list[str] = []
    for name in names:
        free = (f"{name}_{k}" for k in itertools.count(1))
        out.append(name if name not in out else next(n for n in free if n not in out and n not in names))
    return out
