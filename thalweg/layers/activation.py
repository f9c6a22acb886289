"""Activations as layers; the functions stand in `ops/activations.py`."""

from collections.abc import Sequence
from typing import ClassVar

from thalweg.core import Context, Module
from thalweg.layers.common import Activation as Function
from thalweg.layers.common import Constraint, Initializer, Regularizer, finish, weight
from thalweg.layers.shape import Identity
from thalweg.ops import activations
from thalweg.ranges import NONNEGATIVE
from thalweg.types import Array, Float


class Activation(Module):
    """y = activation(x), with `activation` a name ("relu") or a function."""

    activation: Function

    casts: ClassVar[bool] = True

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        return finish(cx, x)


class ELU(Module):
    """y = x for x > 0, else alpha (exp(x) - 1)."""

    alpha: float = 1.0

    casts: ClassVar[bool] = True

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        return activations.elu(x, self.alpha)


class LeakyReLU(Module):
    """y = x for x > 0, else negative_slope x."""

    negative_slope: float = 0.3

    casts: ClassVar[bool] = True
    limits: ClassVar = {"negative_slope": NONNEGATIVE}

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        return activations.leaky_relu(x, self.negative_slope)


class PReLU(Module):
    """y = x for x > 0, else alpha x, with alpha learned: one for each place of a row.

    Args:
        alpha_initializer: of alpha.
        alpha_regularizer: of alpha.
        alpha_constraint: of alpha.
        shared_axes: the axes, counted from 1, along which one alpha serves: (1, 2) gives an image one per channel.
    """

    alpha_initializer: Initializer = "zeros"
    alpha_regularizer: Regularizer = None
    alpha_constraint: Constraint = None
    shared_axes: int | Sequence[int] | None = None

    casts: ClassVar[bool] = True

    def __call__(self, cx: Context, x: Float[Array, "batch ..."]) -> Float[Array, "batch ..."]:
        """The layer on `x`."""
        shared = (self.shared_axes,) if isinstance(self.shared_axes, int) else self.shared_axes or ()
        shape = tuple(1 if axis in shared else n for axis, n in enumerate(x.shape))[1:]
        return activations.prelu(x, weight(cx, "alpha", shape)[None])


class ReLU(Module):
    """y = max(x, 0); in general `max_value` above it, `negative_slope (x - threshold)` up to `threshold`."""

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    casts: ClassVar[bool] = True
    limits: ClassVar = {"max_value": NONNEGATIVE, "negative_slope": NONNEGATIVE, "threshold": NONNEGATIVE}

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        return activations.relu(x, self.negative_slope, self.max_value, self.threshold)

    def ending(self) -> tuple[Module, str | None]:
        """The plain ReLU is the activation of the layer before."""
        plain = (self.max_value, self.negative_slope, self.threshold) == (None, 0, 0)
        return (Identity(name=self.name), "relu") if plain else (self, None)


class Softmax(Module):
    """y_i = exp(x_i) / sum_j exp(x_j) along `axis`."""

    axis: int | Sequence[int] = -1

    casts: ClassVar[bool] = True

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        return activations.softmax(x, self.axis)

    def ending(self) -> tuple[Module, str | None]:
        """Along the last axis it is the activation of the layer before."""
        return (Identity(name=self.name), "softmax") if self.axis == -1 else (self, None)
