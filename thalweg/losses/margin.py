"""Hinges: y the target, p the prediction, which a margin of 1 should part from the wrong side."""

from typing import ClassVar

import jax.numpy as jnp

from thalweg.losses.base import Loss
from thalweg.types import Array, Float


class Hinge(Loss):
    """mean max(1 - y p, 0), y = -1 or 1; labels 0 and 1 are read as -1 and 1.

    >>> Hinge()([[1.0], [0.0]], [[0.25], [0.25]]).tolist()
    [0.75, 1.25]
    """

    target: ClassVar[str] = "signs"

    def values(self, y: Array, p: Array, /) -> Float[Array, "..."]:
        """max(1 - y p, 0)."""
        return jnp.maximum(1 - _signs(y) * p, 0)


class SquaredHinge(Loss):
    """mean max(1 - y p, 0)^2, y = -1 or 1; labels 0 and 1 are read as -1 and 1."""

    target: ClassVar[str] = "signs"

    def values(self, y: Array, p: Array, /) -> Float[Array, "..."]:
        """max(1 - y p, 0)^2."""
        return jnp.maximum(1 - _signs(y) * p, 0) ** 2


class CategoricalHinge(Loss):
    """mean of max(1 + max_k (1 - y_k) p_k - sum_k y_k p_k, 0), y one-hot along the last axis."""

    target: ClassVar[str] = "one-hot"

    def values(self, y: Array, p: Array, /) -> Float[Array, "..."]:
        """max(1 + the best of the wrong classes - the right one, 0)."""
        right = jnp.sum(y * p, axis=-1)
        wrong = jnp.max((1 - y) * p, axis=-1)
        return jnp.maximum(1 + wrong - right, 0)


def _signs(y: Array) -> Array:
    return jnp.where(y == 0, -1, y)
