"""Constraints: a projection of a weight onto an allowed set, applied after each update."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from thalweg.ops.precision import unless_infinite, widen
from thalweg.record import Record, resolve
from thalweg.types import Array, Float

EPSILON = 1e-7  # Keras's, added to a norm before dividing by it


class MaxNorm(Record):
    """w min(1, max_value / ||w||): the norm over `axis` stays at most `max_value`. Srebro and Shraibman 2005.

    Args:
        max_value: the largest norm.
        axis: the axes of a unit's incoming weights: 0 for Dense, (0, 1, 2) for Conv2D.
    """

    max_value: float = 2
    axis: int | Sequence[int] = 0

    def __call__(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """The nearest allowed weight to `w`."""
        norm = _norm(w, self.axis)
        return (widen(w) * (jnp.clip(norm, 0, self.max_value) / (norm + EPSILON))).astype(w.dtype)


class NonNeg(Record):
    """max(w, 0)."""

    def __call__(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """The nearest allowed weight to `w`."""
        return jnp.maximum(w, 0)


class UnitNorm(Record):
    """w / ||w||, the norm taken over `axis`: 0 for Dense, (0, 1, 2) for Conv2D."""

    axis: int | Sequence[int] = 0

    def __call__(self, w: Float[Array, "..."]) -> Float[Array, "..."]:
        """The nearest allowed weight to `w`."""
        return (widen(w) / (_norm(w, self.axis) + EPSILON)).astype(w.dtype)


def _norm(w: Array, axis: int | Sequence[int]) -> Array:
    return unless_infinite(jnp.sqrt(jnp.sum(jnp.square(widen(w)), axis=axis, keepdims=True)))


CONSTRAINTS = {"max_norm": MaxNorm, "non_neg": NonNeg, "unit_norm": UnitNorm}
_TABLE = CONSTRAINTS | {name.replace("_", ""): cls for name, cls in CONSTRAINTS.items()}  # MaxNorm


def constraint(value: Any) -> Callable[[Array], Array] | None:
    """The constraint of a name ("max_norm", "non_neg", "unit_norm"), of a constraint (itself) or of None (None)."""
    return resolve(value, _TABLE, "constraint")
