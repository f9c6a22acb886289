"""Loss: what every loss is to training.

A loss gives one number for each row, the mean over its real positions; training takes the mean over all real positions
of the batch. A loss says where on the network it sits (`link`) and what it compares with (`target`), and the contract
checks read both before the first step.
"""

import copy
import functools
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from thalweg.errors import ConfigError, ContractError, nearest
from thalweg.ops.precision import widen
from thalweg.ops.targets import aligned, answered, class_index, mean_of_rows
from thalweg.record import Record
from thalweg.types import Array, Bool, Float

INDICES = ("integer classes", "identities")


class Loss(Record):
    """The base of the losses: a subclass states its equation in `values`.

    Class attributes:
      link     "softmax" or "sigmoid" where the loss takes logits and the link is part of its equation; None where it
               takes the network's own output
      target   what it compares with: "integer classes", "one-hot", "distribution", "binary", "signs", "real", "counts",
               "directions", "identities", "labels" (sequences of them, shorter than the output), "tags", or "any"
      tunable  the fields that a tuner may vary while the program stays compiled
      whole    True where the loss of a row is no mean over positions (CTC): a row then counts once, however long it is
    """

    link: ClassVar[str | None] = None
    target: ClassVar[str] = "real"
    tunable: ClassVar[tuple[str, ...]] = ()
    whole: ClassVar[bool] = False

    def __call__(
        self, target: Any, output: Any, *, weight: Any = None, mask: Any = None, **hyper: Any
    ) -> Float[Array, " batch"]:
        """The loss of each row, in at least float32.

        Args:
            target: what should have come out, [batch, ...].
            output: logits where the loss has a link, the prediction where it has none, [batch, ...].
            weight: 0 marks padded rows, [batch]; only losses that compare rows with each other look at it. Or the
                weight of each position, [batch, time], which multiplies what the position loses.
            mask: True at the real positions of each row, [batch, time]; None where all are.
            hyper: values in place of the fields that `hyper` names.

        Returns:
            [batch], the mean over all other axes, or over the real positions.

        Raises:
            ContractError: the shapes do not fit.
            ConfigError: `hyper` names what the loss does not have.

        >>> from thalweg.losses import MeanSquaredError
        >>> MeanSquaredError()([[0.0, 1.0]], [[0.0, 3.0]]).tolist()
        [2.0]
        """
        z = widen(jnp.asarray(output))
        loss = self._varied({name: jnp.asarray(value, z.dtype) for name, value in hyper.items()})
        weight, mask = (None if a is None else jnp.asarray(a) for a in (weight, mask))
        return loss.rows(None if target is None else jnp.asarray(target), z, weight, mask)

    def rows(self, target: Any, output: Array, weight: Array | None, mask: Array | None, /) -> Float[Array, " batch"]:
        """The loss of each row; `values` averaged over the positions that are `kept`."""
        values = self.values((class_index if self.target in INDICES else aligned)(target, output), output)
        return mean_of_rows(values, self.kept(target, output, mask), steps_of(weight))

    def kept(self, target: Any, output: Array, mask: Array | None, /) -> Bool[Array, "batch ..."] | None:
        """Which positions count; None where all do."""
        del target, output
        return None if self.whole else mask

    def counts(self, target: Any, output: Array, mask: Array | None, /) -> Float[Array, " batch"] | None:
        """How often each row counts in the mean of a batch: the number of its kept positions; None where once each."""
        kept = self.kept(target, output, mask)
        return None if kept is None else jnp.sum(kept, axis=tuple(range(1, kept.ndim)), dtype=jnp.float32)

    def values(self, y: Array, z: Array, /) -> Float[Array, "batch ..."]:
        """The equation, with the target in the shape that it needs."""
        raise NotImplementedError

    def hyper(self) -> dict[str, float]:
        """The numbers that a tuner may vary. One that is 0 is switched off, and costs nothing in the program."""
        values = {name: getattr(self, name) for name in self.tunable}
        return {name: float(v) for name, v in values.items() if isinstance(v, int | float) and v != 0}

    def _varied(self, hyper: dict[str, Array]) -> "Loss":
        other = copy.copy(self)  # not a new record: a traced number passes no check of its range
        for name, value in hyper.items():
            if name not in self.tunable:
                raise ConfigError(f"{self!r} has no number {name!r} to vary.\n  {nearest(name, self.tunable)}")
            object.__setattr__(other, name, value)
        return other


class Custom(Loss):
    """A function of (target, output), as a loss. It hashes by the identity of the function.

    It receives the network's own output, and the targets in its shape where they have a number for each. It returns a
    number for each row, or an array that has the rows first. One number is taken as the mean of the batch, which no
    weights can change and no mask.
    """

    target: ClassVar[str] = "any"

    function: Callable[..., Any]

    def rows(self, target: Any, output: Array, weight: Array | None, mask: Array | None, /) -> Float[Array, " batch"]:
        """The function's values, averaged over all axes but the rows; one number is that of each row."""
        values = answered(self.function, target, output)
        if values.ndim == 0 and mask is not None:
            raise ContractError(
                f"{self.function!r} gives one number for a whole batch, of which a mask leaves steps out.\n"
                "  Return a number for each step, [batch, time], or end the network in a layer that reads the mask."
            )
        if values.ndim == 0:
            values = jnp.broadcast_to(values, output.shape[:1])
        return mean_of_rows(values, mask, steps_of(weight))

    def joint(self, target: Any, output: Any) -> bool:
        """Whether the function gives one number for all rows of a batch, for targets and outputs like these."""
        two = jax.tree.map(lambda a: jax.ShapeDtypeStruct((2, *a.shape[1:]), a.dtype), (target, output))
        return jax.eval_shape(functools.partial(answered, self.function), *two).shape == ()


def steps_of(weight: Array | None) -> Float[Array, "batch time ..."] | None:
    """The weight of each position, where `weight` is more than one number for each row."""
    return None if weight is None or weight.ndim == 1 else weight


def is_off(value: float | Array) -> bool:
    """Whether a setting is 0 for good, so that its term can be left out; a traced value never is."""
    return isinstance(value, int | float) and value == 0
