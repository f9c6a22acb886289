"""The optimizer of a model in training: its numbers, to be read and set at any time."""

import dataclasses
from typing import Any

import numpy as np

from thalweg import optim
from thalweg.errors import ConfigError, ContractError, nearest
from thalweg.optim import Optimizer
from thalweg.ranges import NONNEGATIVE, Range
from thalweg.train.session import Session

FINITE = Range(open_low=True, open_high=True)


class RunningOptimizer:
    """A view of the optimizer that trains a model: its numbers by name, as they are now.

    To set one takes effect at the next step, and nothing is compiled again.

    Args:
        session: of the model.

    Example:
        >>> import thalweg
        >>> model = thalweg.Sequential([thalweg.layers.Dense(1, input_shape=(3,))])
        >>> model.compile(thalweg.optimizers.SGD(0.5, momentum=0.75), "mse")
        >>> model.optimizer.learning_rate = 0.25
        >>> model.optimizer.learning_rate, model.optimizer.momentum
        (0.25, 0.75)
        >>> model.optimizer.record
        SGD(0.5, momentum=0.75)
    """

    __slots__ = ("_session",)
    _session: Session
    learning_rate: float

    def __init__(self, session: Session) -> None:
        session.require_compiled()
        object.__setattr__(self, "_session", session)

    @property
    def record(self) -> Optimizer:
        """The optimizer as the model was compiled with it."""
        return self._session.require_compiled().optimizer

    def __getattr__(self, name: str) -> float:
        """A number; one that follows a schedule as the last step used it.

        Raises:
            AttributeError: the optimizer does not have it.
            ContractError: an Optax transformation keeps its learning rate to itself.
        """
        numbers = {} if name.startswith("_") else self._numbers()
        if name in numbers:
            return numbers[name]
        if name == "learning_rate":
            raise ContractError(
                "this Optax transformation keeps its learning rate to itself.\n"
                "  Write optax.inject_hyperparams(optax.adamw)(1e-3) to read and change it in training."
            )
        raise AttributeError(
            f"the optimizer has no number {name!r}; what else it was compiled with is in `record`.\n"
            f"  {nearest(name, numbers)}"
        )

    def _numbers(self) -> dict[str, float]:
        with self._session.training.held as ts:
            return {name: float(value) for name, value in optim.hyper(ts.optimizer).items()}

    def __setattr__(self, name: str, value: float) -> None:
        """Set a number.

        Raises:
            ContractError: the optimizer does not have it, or it follows a schedule.
            ConfigError: it is no number, or the optimizer would not have been made with it: it is negative, infinite,
                NaN.
        """
        with self._session.scope():
            number = _number(name, value, self._session.precision.param)
            own = getattr(self.record, name, None)
            if isinstance(own, float | int) and not isinstance(own, bool):
                dataclasses.replace(self.record, **{name: number})
            elif number not in (NONNEGATIVE if name == "learning_rate" else FINITE):  # of an Optax transformation
                raise _no_number(name, value)
            self._session.training.held.tune(**{name: number})

    def __repr__(self) -> str:
        return f"RunningOptimizer({self.record!r})"


def _number(name: str, value: Any, dtype: str) -> float:
    """`value`, a plain number or an array of one without axes, as the optimizer keeps it."""
    plain = value.item() if getattr(value, "shape", None) == () and hasattr(value, "item") else value
    if not isinstance(plain, int | float) or isinstance(plain, bool):
        raise _no_number(name, value)
    try:
        with np.errstate(over="ignore"):  # too large for the dtype is infinite, and refused as such
            return float(np.asarray(plain, dtype))
    except OverflowError:
        raise _no_number(name, value) from None


def _no_number(name: str, value: Any) -> ConfigError:
    return ConfigError(
        f"model.optimizer.{name} is one finite number{', from 0' * (name == 'learning_rate')}; it was set to "
        f"{value!r:.80}.\n  Write model.optimizer.{name} = 0.001, for example."
    )
