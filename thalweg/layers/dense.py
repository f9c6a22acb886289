"""Dense: every unit reads every feature."""

from typing import ClassVar

from thalweg import ops
from thalweg.core import Context, Module
from thalweg.layers.common import (
    Activation,
    Constraint,
    Initializer,
    Regularizer,
    bias,
    finish,
    inside,
    observed,
    part,
    plus,
    weight,
)
from thalweg.ranges import COUNT
from thalweg.types import Array, Float


class Dense(Module):
    """y = activation(x W + b), on the last axis.

    x: [batch, ..., features]; W: `kernel`, [features, units]; b: `bias`, [units]; y: [batch, ..., units].

    Args:
        units: how many outputs.
        activation: a name, a function, or None for a linear layer.
        use_bias: whether b is there.
        kernel_initializer: of W.
        bias_initializer: of b.
        kernel_regularizer: of W.
        bias_regularizer: of b.
        activity_regularizer: of y, per row of the batch.
        kernel_constraint: of W.
        bias_constraint: of b.

    >>> import jax.numpy as jnp
    >>> from thalweg import core, random
    >>> params, state = core.init(Dense(2), random.key(0), jnp.ones((1, 3)))
    >>> core.apply(Dense(2), params, state, jnp.ones((1, 3)))[0].shape
    (1, 2)
    """

    units: int
    activation: Activation = None
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None

    axes: ClassVar[str] = "batch ... features"
    casts: ClassVar[bool] = True
    limits: ClassVar = {"units": COUNT}

    def __call__(self, cx: Context, x: Float[Array, "batch *rest features"]) -> Float[Array, "batch *rest units"]:
        """The layer on `x`."""
        kernel, b = _weights(cx, x.shape[-1], self.units)
        activation = inside(cx)
        return finish(cx, ops.linear(x, kernel, b, activation), activation is not None)


def _weights(cx: Context, features: int, units: int) -> tuple[Array, Array | None]:
    return weight(cx, "kernel", (features, units)), bias(cx, units)


def feed_forward(
    cx: Context,
    x: Float[Array, "batch *rest features"],
    up: Dense,
    down: Dense,
    shortcut: Float[Array, "batch *rest units"] | None = None,
) -> Float[Array, "batch *rest units"]:
    """down(up(x)), the two at the places "up" and "down", without regularizers: as one where nobody looks between."""
    activation = inside(part(cx, "up", module=up))
    if activation is None or down.activation is not None or observed(cx):
        return plus(down(part(cx, "down"), up(part(cx, "up"), x)), shortcut)
    first = _weights(part(cx, "up", module=up), x.shape[-1], up.units)
    second = _weights(part(cx, "down", module=down), up.units, down.units)
    return ops.feed_forward(x, *first, activation, *second, shortcut)
