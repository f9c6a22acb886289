"""Stochastic gradient descent, with momentum."""

from typing import Any, ClassVar

import jax.numpy as jnp
import optax

from thalweg.optim.base import Optimizer, Rate
from thalweg.optim.compose import decayed
from thalweg.optim.one_pass import OnePass
from thalweg.ranges import FRACTION
from thalweg.types import Array


def numbers(h: Any, _: Array) -> tuple[Array, ...]:
    """The rate and the momentum."""
    return h.learning_rate, h.momentum


def momentum_step(g: Array, m: Array, lr: Array, mu: Array) -> tuple[Array, ...]:
    """What a parameter moves by, and m."""
    m = mu * m - lr * g
    return m, m


def nesterov_step(g: Array, m: Array, lr: Array, mu: Array) -> tuple[Array, ...]:
    """The same, one step ahead."""
    m = mu * m - lr * g
    return mu * m - lr * g, m


MOMENTUM = OnePass("momentum", numbers, momentum_step, (jnp.zeros_like,))
NESTEROV = OnePass("nesterov", numbers, nesterov_step, (jnp.zeros_like,))


class SGD(Optimizer):
    """Gradient descent, with momentum or Nesterov's look-ahead.

    m = mu m - lr g;   w += m, or with `nesterov` w += mu m - lr g

    The rate stands inside the momentum, as in Keras; PyTorch puts it outside, which differs where the rate changes.

    Args:
        learning_rate: lr.
        momentum: mu; 0 is plain gradient descent and keeps no state.
        nesterov: look ahead.

    Polyak 1964; Nesterov 1983; Sutskever et al. 2013, "On the importance of initialization and momentum".

    >>> SGD(0.1, momentum=0.9)
    SGD(0.1, momentum=0.9)
    """

    limits: ClassVar = {**Optimizer.limits, "momentum": FRACTION}

    learning_rate: Rate = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    @property
    def one_pass(self) -> OnePass | None:
        """See the class; without momentum XLA's own loop is one pass, too."""
        if not self.momentum:
            return None
        return NESTEROV if self.nesterov else MOMENTUM

    def rule(self, h: Any) -> Any:
        """Without momentum: w -= lr g."""
        return decayed(optax.scale(-h.learning_rate), h)
