"""L-BFGS, for small problems and the whole data at once."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import optax

from thalweg.errors import ConfigError
from thalweg.optim.base import Optimizer, Rate
from thalweg.optim.compose import Rule
from thalweg.ranges import COUNT
from thalweg.types import Tree

UNFIT = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "gradient_accumulation_steps")


class LBFGS(Optimizer):
    """A quasi-Newton step along the last `memory_size` gradients, as long as a line search finds good.

    Each step must see the same function: use one batch that holds all rows, no dropout, and a few hundred steps. It
    needs the function itself: `update(grads, state, params, value=, grad=, value_fn=)`.

    Args:
        learning_rate: the first length that the line search tries, times the quasi-Newton step.
        memory_size: how many gradients are remembered.
        max_linesearch_steps: how often the line search may evaluate the loss.

    Liu & Nocedal 1989, "On the limited memory BFGS method"; the search is that of Nocedal & Wright 2006, section 3.5.
    """

    limits: ClassVar = {**Optimizer.limits, "memory_size": COUNT, "max_linesearch_steps": COUNT}

    learning_rate: Rate = 1.0
    memory_size: int = 10
    max_linesearch_steps: int = 20

    def __post_init__(self) -> None:
        Optimizer.__post_init__(self)
        for name in UNFIT:
            if getattr(self, name) is not None:
                raise ConfigError(
                    f"LBFGS cannot take {name}: its line search needs the gradient of the loss itself.\n"
                    f"  Leave {name} out, or use Adam."
                )

    def rule(self, h: Any) -> Any:
        """See the class."""
        search = optax.scale_by_zoom_linesearch(self.max_linesearch_steps, initial_guess_strategy="one")
        rule = optax.lbfgs(h.learning_rate, self.memory_size, linesearch=search)

        def init(params: Tree) -> Any:  # Optax's has leaves that share memory, so a program could not take it over
            return jax.tree.map(jnp.copy, rule.init(params))

        return Rule(init, rule.update)
