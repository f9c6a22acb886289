"""Any Optax transformation as an optimizer."""

from typing import Any

from thalweg.errors import ConfigError
from thalweg.optim.base import Optimizer


class Optax(Optimizer):
    """`optax.adamw(...)` or a chain of your own, with this library's clipping, accumulation and averaging around it.

    Its learning rate is its own; write `optax.inject_hyperparams(optax.adamw)(1e-3)` to read and change it in training.
    """

    learning_rate: Any = None
    transformation: Any = None

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        if self.learning_rate is not None or self.weight_decay is not None:
            raise ConfigError("Optax: the transformation has its rate and decay inside.\n  Give them to it.")
        if not (hasattr(self.transformation, "init") and hasattr(self.transformation, "update")):
            raise ConfigError(
                f"Optax needs a transformation with init and update; it received {self.transformation!r}.\n"
                "  Write Optax(transformation=optax.adamw(1e-3))."
            )

    def rule(self, h: Any) -> Any:
        """See the class."""
        del h
        return self.transformation
