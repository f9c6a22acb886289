"""Stochastic gradient descent, with momentum."""

from typing import Any, ClassVar

import jax.numpy as jnp
import optax

from thalweg.kernels import optimizer as kernels
from thalweg.optim.base import Optimizer, Rate
from thalweg.optim.compose import decayed, fused
from thalweg.ranges import FRACTION


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

    @property
    def one_pass(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]  (XLA's own loop is one pass, too)
        """Whether there is a momentum to keep."""
        return bool(self.momentum)

    learning_rate: Rate = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def rule(self, h: Any) -> Any:
        """See the class."""
        if not self.momentum:
            return decayed(optax.scale(-h.learning_rate), h)
        rule = kernels.NESTEROV if self.nesterov else kernels.MOMENTUM
        return decayed(fused(rule, (jnp.zeros_like,), lambda _: (h.learning_rate, h.momentum)), h)
