"""The optimizer of a model in training: its numbers, to be read and set at any time."""

from thalweg import optim
from thalweg.errors import ContractError, nearest
from thalweg.optim import Optimizer
from thalweg.train.session import Session


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
        numbers = {} if name.startswith("_") else optim.hyper(self._session.training.ts.optimizer)
        if name in numbers:
            return float(numbers[name])
        if name == "learning_rate":
            raise ContractError(
                "this Optax transformation keeps its learning rate to itself.\n"
                "  Write optax.inject_hyperparams(optax.adamw)(1e-3) to read and change it in training."
            )
        raise AttributeError(
            f"the optimizer has no number {name!r}; what else it was compiled with is in `record`.\n"
            f"  {nearest(name, numbers)}"
        )

    def __setattr__(self, name: str, value: float) -> None:
        """Set a number.

        Raises:
            ContractError: the optimizer does not have it, or it follows a schedule.
        """
        training = self._session.training
        with self._session.scope():
            training.ts = training.ts._replace(optimizer=optim.with_hyper(training.ts.optimizer, **{name: value}))

    def __repr__(self) -> str:
        return f"RunningOptimizer({self.record!r})"
