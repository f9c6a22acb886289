"""Facts: what the contract's rules look at."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from thalweg.losses import Loss
from thalweg.metrics import Metric
from thalweg.types import ShapeDtype, Tree


@dataclasses.dataclass(frozen=True)
class Facts:
    """What the rules look at. Targets are NumPy or JAX arrays; `output` is the network's, with a batch axis."""

    loss: Loss
    output: ShapeDtype
    final: str | None  # the activation that the network ends in
    x: Tree = None
    y: Any = None
    weight: Any = None
    batch_size: int = 1
    names: tuple[str, ...] = ()  # what a callback may monitor; empty where nothing is trained
    monitors: tuple[str, ...] = ()
    where: str = ""  # "validation " for the second set
    before: str | None = None  # the activation that feeds a final one with no weights between
    indices: Callable[[Any], int | None] | None = None  # below which number those of an input must be
    metrics: tuple[tuple[str, Metric], ...] = ()
    whole: bool = True  # whether these are all the rows, or a piece of a stream

    @property
    def units(self) -> int:
        """The length of the output's last axis."""
        return self.output.shape[-1] if len(self.output.shape) > 1 else 1

    @property
    def target(self) -> np.ndarray:
        """The targets on the host, shared where they can be."""
        return np.asarray(self.y)

    @property
    def trains(self) -> bool:
        """Whether these rows train."""
        return bool(self.names) and not self.where

    @property
    def loss_name(self) -> str:
        """The loss, for a message."""
        return type(self.loss).__name__

    def takes(self, *kinds: str) -> bool:
        """Whether there are targets, and the loss takes one of these kinds."""
        return self.y is not None and self.loss.target in kinds


Rule: TypeAlias = Callable[[Facts], str | None]
"""A rule gives the message of the error, or None where it holds."""
