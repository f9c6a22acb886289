"""Lion: every number moves by the same amount."""

from typing import Any, ClassVar

import optax

from thalweg.optim.base import Optimizer
from thalweg.optim.compose import decayed
from thalweg.ranges import RATE


class Lion(Optimizer):
    """The sign of a momentum: every number moves by lr, up or down.

    w -= lr sign(beta_1 m + (1 - beta_1) g);   m = beta_2 m + (1 - beta_2) g

    Args:
        learning_rate: lr; a third to a tenth of Adam's is usual.
        beta_1: the momentum's part in the step.
        beta_2: how much of the momentum stays.

    Chen et al. 2023, "Symbolic discovery of optimization algorithms".
    """

    limits: ClassVar = {**Optimizer.limits, "beta_1": RATE, "beta_2": RATE}

    beta_1: float = 0.9
    beta_2: float = 0.99

    def rule(self, h: Any) -> Any:
        """See the class."""
        return decayed(optax.chain(optax.scale_by_lion(h.beta_1, h.beta_2), optax.scale(-h.learning_rate)), h)
