"""What layers share: a weight by the names of its settings, and the activation at the end.

A layer that has a weight `kernel` has the settings `kernel_initializer`, `kernel_regularizer` and `kernel_constraint`;
so `weight(cx, "kernel", shape)` needs no more than the name.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax.numpy as jnp

from thalweg.core import Context, Module, Through
from thalweg.ops.activations import activation
from thalweg.ops.constraints import constraint
from thalweg.ops.initializers import initializer
from thalweg.ops.linear import INSIDE
from thalweg.ops.regularizers import regularizer
from thalweg.record import Record
from thalweg.types import Array

Shape: TypeAlias = tuple[int, ...]

Activation: TypeAlias = str | Callable | None
"""A name ("relu"), a function of an array, or None for linear."""

Initializer: TypeAlias = str | Record | Callable
"""A name ("glorot_uniform"), an initializer, or a function of (key, shape, dtype)."""

Regularizer: TypeAlias = str | Record | Callable | None
"""A name ("l2"), a regularizer, a function of a weight, or None."""

Constraint: TypeAlias = str | Record | Callable | None
"""A name ("max_norm"), a constraint, a function of a weight, or None."""


def weight(cx: Context, name: str, shape: Shape, settings: str | None = None) -> Array:
    """The parameter `name` of the layer that `cx` is in, made as the layer's own settings say.

    Args:
        cx: the layer's context.
        name: the parameter's name, such as "kernel".
        shape: its shape.
        settings: the first word of its settings where they differ: "recurrent" for `recurrent_kernel`.

    Example:
        `kernel = weight(cx, "kernel", (x.shape[-1], self.units))`
    """
    layer, word = cx.module, settings or name
    return cx.param(
        name,
        initializer(getattr(layer, f"{word}_initializer")),
        shape,
        regularizer=regularizer(getattr(layer, f"{word}_regularizer", None)),
        constraint=constraint(getattr(layer, f"{word}_constraint", None)),
    )


def bias(cx: Context, units: int) -> Array | None:
    """The parameter `bias` of shape [units], or None where the layer has `use_bias=False`."""
    return weight(cx, "bias", (units,)) if getattr(cx.module, "use_bias", True) else None


def part(cx: Context, *names: str, module: Module | None = None) -> Context:
    """The place `names` below the layer that `cx` is in, for a layer that it makes of its own settings as it computes.

    Such a layer has its parameters, its randomness and its captures at that path, as a field of the layer would. With
    `module` the place is inside that layer: its parameters can be asked for there.

    Example:
        `y = Dense(self.intermediate_dim)(part(cx, "up"), x)`
    """
    return Context(cx.call, (*cx.path, *names), module, cx.frozen)


def call_method(cx: Context, layer: Module, method: str, *args: Any) -> Any:
    """`layer.method(cx, *args)`, at the layer's place: the way to what a layer does besides its call."""
    return cx.run(layer, getattr(type(layer), method), (cx, *args), {})


def observed(cx: Context) -> bool:
    """Whether each layer's own output is asked for, now or as a shape: then layers are not computed as one."""
    return cx.call.initialising or cx.call.capture is not None


def plus(y: Array, shortcut: Array | None) -> Array:
    """The sum of both, where there is a shortcut."""
    return y if shortcut is None else y + shortcut


def has_relu(cx: Context) -> bool:
    """Whether the layer's activation is the ReLU, which convolutions apply themselves."""
    return getattr(cx.module, "activation", None) == "relu"


def inside(cx: Context) -> str | None:
    """The layer's activation, where a product applies it itself."""
    stated = getattr(cx.module, "activation", None)
    return stated if stated in INSIDE else None


def finish(cx: Context, y: Array, activated: bool = False) -> Array:
    """The layer's activation on `y`, unless it is `activated` already, then `penalized`."""
    return penalized(cx, y if activated else activation(getattr(cx.module, "activation", None))(y))


def penalized(cx: Context, y: Array) -> Array:
    """`y` itself; with an `activity_regularizer`, its penalty per row joins the loss."""
    stated, seen = getattr(cx.module, "activity_regularizer", None), y
    if isinstance(stated, Through):
        stated, seen = stated.regularizer, activation(stated.activation)(y)
    penalty = regularizer(stated)
    if penalty is not None:
        cx.penalty(_per_row(penalty, seen, cx.rows))
    return y


def _per_row(penalty: Callable[[Array], Array], y: Array, rows: Array | None) -> Array:
    if rows is None:
        return penalty(y) / y.shape[0]
    real = rows.reshape(rows.shape + (1,) * (y.ndim - 1)) > 0
    return penalty(jnp.where(real, y, 0)) / jnp.maximum(jnp.sum(rows), 1)
