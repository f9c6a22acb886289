"""Training: how to train, as `compile` was told, and a training that has begun."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax

from thalweg import losses, metrics, optim, random
from thalweg.core import Network
from thalweg.losses import Loss
from thalweg.metrics import Metric
from thalweg.optim import Optimizer
from thalweg.train.program import start_program
from thalweg.train.task import Task, TrainState
from thalweg.types import ShapeDtype, Spec, Tree


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
        return cls(optim.optimizer(optimizer), losses.loss(loss), tuple(metrics or ()))

    def measured(self) -> tuple[tuple[str, Metric], ...]:
        """The metrics by name, fitted to the loss.

        Raises:
            ConfigError: an unknown name.
        """
        fitted = [metrics.metric(metric, loss=self.loss, losses=losses.loss) for metric in self.metrics]
        return tuple((metric.name, metric) for metric in fitted)


@dataclasses.dataclass
class Training:
    """A task and where its training stands; callbacks read and change it between chunks."""

    task: Task
    ts: TrainState
    output: ShapeDtype

    @classmethod
    def begin(
        cls, network: Network, settings: Settings, seed: int, spec: Spec, weights: tuple[Tree, Tree]
    ) -> "Training":
        """The training that begins at copies of `weights`, for inputs like `spec`."""
        slots = network.slots(spec) if hasattr(network, "slots") else ()  # type: ignore[attr-defined]
        task = Task(network, settings.loss, settings.optimizer, settings.measured(), slots).lasting(1)
        output = jax.eval_shape(lambda p, s, x: network.apply(p, s, x, key=None, train=False)[0], *weights, spec)
        return cls(task, start_program(task)(random.fold(random.key(seed), "steps"), *weights), output)
