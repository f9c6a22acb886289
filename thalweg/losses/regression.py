"""Losses of real numbers: y the target, p the prediction, d = p - y. Means are over all axes but the rows."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp

from thalweg.losses.base import Loss
from thalweg.ranges import POSITIVE
from thalweg.types import Array, Float

EPSILON = 1e-7  # Keras's, so that numbers agree


class MeanSquaredError(Loss):
    """mean d^2.

    >>> MeanSquaredError()([[1.0]], [[3.0]]).tolist()
    [4.0]
    """

    def values(self, y: Array, p: Array, /) -> Float[Array, "..."]:
        """d^2."""
        return (p - y) ** 2


class MeanAbsoluteError(Loss):
    """mean |d|."""

    def values(self, y: Array, p: Array, /) -> Float[Array, "..."]:
        """|d|."""
        return size(p - y)


class MeanAbsolutePercentageError(Loss):
    """mean 100 |d| / max(|y|, 1e-7)."""

    def values(self, y: Array, p: Array, /) -> Float[Array, "..."]:
        """100 |d| / max(|y|, 1e-7)."""
        return 100 * size(p - y) / jnp.maximum(jnp.abs(y), EPSILON)


class MeanSquaredLogarithmicError(Loss):
    """mean (log(1 + p) - log(1 + y))^2, with p and y at least 1e-7."""

    target: ClassVar[str] = "counts"

    def values(self, y: Array, p: Array, /) -> Float[Array, "..."]:
        """(log(1 + p) - log(1 + y))^2."""
        return (jnp.log1p(jnp.maximum(p, EPSILON)) - jnp.log1p(jnp.maximum(y, EPSILON))) ** 2


class Huber(Loss):
    """mean of d^2/2 for |d| <= delta, else delta |d| - delta^2/2. Huber 1964.

    Args:
        delta: where the square turns into a line.
    """

    tunable: ClassVar[tuple[str, ...]] = ("delta",)
    limits: ClassVar = {"delta": POSITIVE}

    delta: float = 1.0

    def values(self, y: Array, p: Array, /) -> Float[Array, "..."]:
        """The square within delta, the line outside."""
        d = size(p - y)
        near = jnp.minimum(d, self.delta)  # keeps the square, and its derivative, finite where the line holds
        return jnp.where(d <= self.delta, near**2 / 2, self.delta * d - self.delta**2 / 2)


class LogCosh(Loss):
    """mean log cosh d: |d| + log(1 + exp(-2 |d|)) - log 2, and near 0, where that cancels, log(1 + 2 sinh(d/2)^2)."""

    def values(self, y: Array, p: Array, /) -> Float[Array, "..."]:
        """The logarithm of cosh d."""
        d = size(p - y)
        near = jnp.log1p(2 * jnp.sinh(jnp.minimum(d, 1) / 2) ** 2)  # finite, and its derivative, where d is far
        return jnp.where(d < 1, near, d + jnp.log1p(jnp.exp(-2 * d)) - math.log(2))


class Poisson(Loss):
    """mean p - y log(p + 1e-7): the Poisson likelihood of the count y at the rate p > 0, without its constant."""

    target: ClassVar[str] = "counts"

    def values(self, y: Array, p: Array, /) -> Float[Array, "..."]:
        """(p - y log p)."""
        return p - y * jnp.log(p + EPSILON)


class CosineSimilarity(Loss):
    """-y.p / (|y| |p|) along the last axis: -1 where the directions agree, 1 where they are opposite."""

    target: ClassVar[str] = "directions"

    def values(self, y: Array, p: Array, /) -> Float[Array, "..."]:
        """-y.p / (|y| |p|)."""
        return -jnp.sum(_unit(y) * _unit(p), axis=-1)


def size(d: Array) -> Float[Array, "..."]:
    """|d|, with derivative 0 where d = 0; in JAX that of `abs` is 1 there, which would move a perfect prediction."""
    return d * jnp.sign(d)


def _unit(v: Array) -> Array:
    # what is large comes to 4 first, or its squares, and what reaches it through them, would be lost; not to 1, for
    # the reciprocal of the largest number is 0 to XLA
    v = v / jax.lax.stop_gradient(jnp.maximum(jnp.max(jnp.abs(v), axis=-1, keepdims=True) / 4, 1))
    return v * jax.lax.rsqrt(jnp.maximum(jnp.sum(v * v, axis=-1, keepdims=True), 1e-12))
