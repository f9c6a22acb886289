"""Adagrad and its kin: each number's own rate falls with the squares of its gradients."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp
import optax

from thalweg.optim.base import Optimizer
from thalweg.optim.compose import decayed
from thalweg.optim.one_pass import OnePass
from thalweg.ranges import FRACTION, NONNEGATIVE, RATE
from thalweg.types import Array


def adagrad_step(g: Array, s: Array, lr: Array, epsilon: Array) -> tuple[Array, ...]:
    """What a parameter moves by, and s; 0 where no gradient ever was."""
    s = s + g * g
    return jnp.where(s <= 0, 0.0, -lr * (g / jnp.sqrt(s + epsilon))), s


class Adagrad(Optimizer):
    """The rate of each number falls with the sum of its squared gradients.

    s += g^2;   w -= lr g / sqrt(s + epsilon)

    Args:
        learning_rate: lr.
        initial_accumulator_value: the s to begin with.
        epsilon: keeps the quotient finite.

    Duchi, Hazan & Singer 2011, "Adaptive subgradient methods".
    """

    limits: ClassVar = {**Optimizer.limits, "initial_accumulator_value": NONNEGATIVE, "epsilon": NONNEGATIVE}

    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7

    @property
    def one_pass(self) -> OnePass:
        """See the class."""

        def filled(w: Array) -> Array:
            return jnp.full_like(w, self.initial_accumulator_value)

        return OnePass("adagrad", lambda h, _: (h.learning_rate, h.epsilon), adagrad_step, (filled,))


def mean_numbers(h: Any, _: Array) -> tuple[Array, ...]:
    """What the rules that keep a mean square share."""
    return h.learning_rate, h.rho, 1 - h.rho, h.epsilon


def adadelta_step(
    g: Array, s: Array, x: Array, lr: Array, rho: Array, rest: Array, epsilon: Array
) -> tuple[Array, ...]:
    """What a parameter moves by, s and x."""
    s = rho * s + rest * (g * g)
    d = jnp.sqrt(x + epsilon) / jnp.sqrt(s + epsilon) * g
    return -lr * d, s, rho * x + rest * (d * d)


class Adadelta(Optimizer):
    """Steps in the unit of the weights: the root mean square of the steps so far over that of the gradients.

    s = rho s + (1 - rho) g^2;   d = sqrt(x + epsilon) / sqrt(s + epsilon) g;   x = rho x + (1 - rho) d^2
    w -= lr d

    Args:
        learning_rate: lr; the paper has 1.
        rho: how much of the mean squares stays at each step.
        epsilon: sets the first steps going.

    Zeiler 2012, "Adadelta: an adaptive learning rate method".
    """

    limits: ClassVar = {**Optimizer.limits, "rho": RATE, "epsilon": NONNEGATIVE}

    rho: float = 0.95
    epsilon: float = 1e-7

    @property
    def one_pass(self) -> OnePass:
        """See the class."""
        return OnePass("adadelta", mean_numbers, adadelta_step, (jnp.zeros_like, jnp.zeros_like))


def rmsprop_step(g: Array, v: Array, lr: Array, rho: Array, rest: Array, epsilon: Array) -> tuple[Array, ...]:
    """What a parameter moves by, and v."""
    v = rho * v + rest * (g * g)
    return -lr * (g / jnp.sqrt(v + epsilon)), v


class RMSprop(Optimizer):
    """The gradient over the root of its mean square, with momentum on request.

    v = rho v + (1 - rho) g^2;   m = mu m + lr g / sqrt(v + epsilon);   w -= m

    `centered` takes the variance, v - (mean g)^2, for v. Epsilon stands under the root, as in Keras; PyTorch adds it to
    the root.

    Args:
        learning_rate: lr.
        rho: how much of the mean square stays at each step.
        momentum: mu; 0 keeps no m.
        epsilon: keeps the quotient finite.
        centered: divide by the deviation rather than by the root mean square.

    Tieleman & Hinton 2012, lecture 6.5; Graves 2013 for `centered`.
    """

    limits: ClassVar = {**Optimizer.limits, "rho": RATE, "momentum": FRACTION, "epsilon": NONNEGATIVE}

    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7
    centered: bool = False

    @property
    def one_pass(self) -> OnePass | None:
        """The plain rule."""
        plain = not (self.momentum or self.centered)
        return OnePass("rmsprop", mean_numbers, rmsprop_step, (jnp.zeros_like,)) if plain else None

    def rule(self, h: Any) -> Any:
        """The rule with momentum, or centered."""
        scale: Callable[..., Any] = optax.scale_by_stddev if self.centered else optax.scale_by_rms
        parts = [scale(h.rho, h.epsilon, jnp.zeros_like(h.rho)), optax.scale(-h.learning_rate)]
        if self.momentum:
            parts.append(optax.trace(h.momentum))
        return decayed(optax.chain(*parts), h)
