"""Regularizers: a weight's part of the loss, as in Keras: a sum, not a mean."""

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from thalweg.ops.precision import widen
from thalweg.record import Record, resolve
from thalweg.types import Array, Float


class L1(Record):
    """l1 sum |w|: it drives small weights to zero. Tibshirani 1996.

    >>> L1(0.1)(jnp.array([1.0, -2.0])).item()
    0.30000001192092896
    """

    l1: float = 0.01

    def __call__(self, w: Float[Array, "..."]) -> Float[Array, ""]:
        """The penalty of the weight `w`."""
        return self.l1 * jnp.sum(jnp.abs(widen(w)))


class L2(Record):
    """l2 sum w^2, without the factor 1/2, as in Keras."""

    l2: float = 0.01

    def __call__(self, w: Float[Array, "..."]) -> Float[Array, ""]:
        """The penalty of the weight `w`."""
        return self.l2 * jnp.sum(jnp.square(widen(w)))


class L1L2(Record):
    """l1 sum |w| + l2 sum w^2: the elastic net. Zou and Hastie 2005."""

    l1: float = 0.0
    l2: float = 0.0

    def __call__(self, w: Float[Array, "..."]) -> Float[Array, ""]:
        """The penalty of the weight `w`."""
        return L1(self.l1)(w) + L2(self.l2)(w)


REGULARIZERS = {"l1": L1, "l2": L2, "l1_l2": L1L2}
_BOTH = functools.partial(L1L2, 0.01, 0.01)  # the class's own default does nothing
_TABLE = REGULARIZERS | {"l1_l2": _BOTH, "l1l2": _BOTH}


def regularizer(value: Any) -> Callable[[Array], Array] | None:
    """The regularizer of a name ("l1", "l2", "l1_l2", each at 0.01), of a regularizer (itself) or of None (None)."""
    return resolve(value, _TABLE, "regularizer")
