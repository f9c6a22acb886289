"""Stochastic gradient descent, with momentum."""

from typing import Any, ClassVar

import optax

from thalweg.optim.base import Optimizer, Rate
from thalweg.optim.compose import decayed
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

    learning_rate: Rate = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def rule(self, h: Any) -> Any:
        """See the class."""
        parts = [optax.scale(-h.learning_rate)]
        if self.momentum:
            parts.append(optax.trace(h.momentum, self.nesterov))
        return decayed(optax.chain(*parts), h)
