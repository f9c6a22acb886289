"""Recipe: an application in one file: its data, its settings, its network and how that is trained."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg import optim
from thalweg.core import Module
from thalweg.datasets import Entry
from thalweg.model import Model, Sequential
from thalweg.recipes.settings import Settings


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What `thalweg train NAME` runs.

    Args:
        entry: the data set that it is written for.
        settings: what may be set, with its defaults and bounds.
        build: `build(settings, x, classes)` is the compiled network for training pictures `x` and that many classes.
    """

    entry: Entry
    settings: type[Settings]
    build: Callable[[Any, np.ndarray, int], Model]

    def untrained(self, settings: Settings) -> Model:
        """The network for the named data set, before it has seen any of it."""
        blank = np.zeros((1, *self.entry.shape), np.uint8)
        model = self.build(settings, blank, len(self.entry.classes))
        model.build((None, *self.entry.shape))
        return model


def classifier(settings: Settings, layers: Sequence[Module], rate: Any = None) -> Model:
    """The network of `layers`, which end in a softmax, to be trained by Adam on class numbers.

    Args:
        settings: its learning rate, precision and seed are used.
        layers: one after another.
        rate: a schedule in the place of the constant learning rate.
    """
    model = Sequential(layers)
    optimizer = optim.Adam(settings.learning_rate if rate is None else rate)
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer, loss, ["accuracy"], precision=settings.precision, seed=settings.seed)
    return model
