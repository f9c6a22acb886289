"""A row of the contract battery: one layer, with what its numbers must equal."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from thalweg.core import Module

Arrays = Mapping[str, np.ndarray]
"""Parameters and variables by dotted path: {"kernel": ..., "bias": ..., "mean": ...}."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One layer in the battery.

    equation(weights, x)  the layer in evaluation mode, written in NumPy (loops where loops are the equation), float64
    train_equation        the same in training mode, where it differs and is deterministic (batch normalisation)
    keras()               the twin layer in Keras, unbuilt; None where Keras has none (then `why` says so)
    keras_weights(w)      our arrays by path -> the list for keras_layer.set_weights, in Keras's order and layout
    torch(w)              optional: our arrays by path -> a torch module with those weights (imports torch inside)
    shape                 the input's shape with its batch axis, or a tuple of shapes for several inputs
    inputs                "float" (normal numbers), "int" (0..9), "positive"
    random                True where training draws random numbers (dropout): gradients and vmap run in evaluation mode
    tolerance             for float32 against the NumPy equation
    holds                 layers inside `layer` that cannot stand alone, for which this row stands too
    """

    layer: Module
    shape: tuple[Any, ...]
    equation: Callable[[Arrays, Any], np.ndarray]
    keras: Callable[[], Any] | None = None
    keras_weights: Callable[[Arrays], list[np.ndarray]] = lambda w: list(w.values())
    train_equation: Callable[[Arrays, Any], np.ndarray] | None = None
    torch: Callable[[Arrays], Any] | None = None
    inputs: str = "float"
    random: bool = False
    differentiable: bool = True
    tolerance: float = 2e-5
    holds: tuple[type, ...] = ()
    why: str = ""
    id: str = ""

    @property
    def label(self) -> str:
        return self.id or repr(self.layer)
