"""Focal losses: a cross-entropy whose easy rows count less. Lin et al. 2017, arXiv:1708.02002.

FL = (1 - p)^gamma CE,   p the probability given to what is true
"""

from collections.abc import Sequence
from typing import ClassVar

import jax
import jax.numpy as jnp

from thalweg.losses.base import Loss
from thalweg.losses.classification import binary_crossentropy, smoothed
from thalweg.ops.cross_entropy import of_classes
from thalweg.ops.targets import at_class
from thalweg.ranges import FRACTION, NONNEGATIVE
from thalweg.types import Array, Float


class BinaryFocalCrossentropy(Loss):
    """mean of (1 - p_t)^gamma BCE, p_t = y s(z) + (1 - y) s(-z).

    Args:
        apply_class_balancing: whether positives are weighted by alpha and negatives by 1 - alpha.
        alpha: the weight of the positives.
        gamma: how fast easy rows lose weight.
        from_logits: checked against the network's end, where given.
        label_smoothing: e; targets become y (1 - e) + e/2.
    """

    link: ClassVar[str | None] = "sigmoid"
    target: ClassVar[str] = "binary"
    tunable: ClassVar[tuple[str, ...]] = ("alpha", "gamma", "label_smoothing")
    limits: ClassVar = {"alpha": FRACTION, "gamma": NONNEGATIVE, "label_smoothing": FRACTION}

    apply_class_balancing: bool = False
    alpha: float = 0.25
    gamma: float = 2.0
    from_logits: bool | None = None
    label_smoothing: float = 0.0

    def values(self, y: Array, z: Array, /) -> Float[Array, "..."]:
        """(1 - p_t)^gamma BCE."""
        y = smoothed(y, self.label_smoothing, 2)
        missing = y * jax.nn.sigmoid(-z) + (1 - y) * jax.nn.sigmoid(z)  # 1 - p_t, with no difference to cancel
        loss = _power(missing, self.gamma) * binary_crossentropy(y, z)
        return loss * (y * self.alpha + (1 - y) * (1 - self.alpha)) if self.apply_class_balancing else loss


class CategoricalFocalCrossentropy(Loss):
    """mean of -sum_k alpha (1 - p_k)^gamma y_k log p_k over the last axis, p = softmax(z).

    Args:
        alpha: the weight, one number or one for each class.
        gamma: how fast easy rows lose weight.
        from_logits: checked against the network's end, where given.
        label_smoothing: e; targets become y (1 - e) + e/classes.
    """

    link: ClassVar[str | None] = "softmax"
    target: ClassVar[str] = "one-hot"
    tunable: ClassVar[tuple[str, ...]] = ("alpha", "gamma", "label_smoothing")
    limits: ClassVar = {"alpha": NONNEGATIVE, "gamma": NONNEGATIVE, "label_smoothing": FRACTION}

    alpha: float | Sequence[float] = 0.25
    gamma: float = 2.0
    from_logits: bool | None = None
    label_smoothing: float = 0.0

    def values(self, y: Array, z: Array, /) -> Float[Array, "..."]:
        """-sum_k alpha (1 - p_k)^gamma y_k log p_k."""
        log_p = jax.nn.log_softmax(z)
        terms = _power(-jnp.expm1(log_p), self.gamma) * smoothed(y, self.label_smoothing, z.shape[-1]) * log_p
        return -jnp.sum(terms * _per_class(self.alpha, z), axis=-1)


class SparseCategoricalFocalCrossentropy(Loss):
    """mean of -alpha (1 - p_y)^gamma log p_y, p = softmax(z) and y the number of the class.

    Args:
        alpha: the weight, one number or one for each class.
        gamma: how fast easy rows lose weight.
        from_logits: checked against the network's end, where given.
    """

    link: ClassVar[str | None] = "softmax"
    target: ClassVar[str] = "integer classes"
    tunable: ClassVar[tuple[str, ...]] = ("alpha", "gamma")
    limits: ClassVar = {"alpha": NONNEGATIVE, "gamma": NONNEGATIVE}

    alpha: float | Sequence[float] = 0.25
    gamma: float = 2.0
    from_logits: bool | None = None

    def values(self, y: Array, z: Array, /) -> Float[Array, "..."]:
        """-alpha (1 - p_y)^gamma log p_y."""
        log_p = -of_classes(z, y)[0]
        alpha = at_class(jnp.broadcast_to(_per_class(self.alpha, z), z.shape), y)
        return -alpha * _power(-jnp.expm1(log_p), self.gamma) * log_p


def _power(base: Array, gamma: float | Array) -> Array:
    """base^gamma, with base kept off 0, where the derivative is infinite for gamma < 1."""
    return jnp.maximum(base, jnp.finfo(base.dtype).eps) ** gamma


def _per_class(alpha: float | Sequence[float] | Array, z: Array) -> Array:
    a = jnp.asarray(alpha, z.dtype)
    return a.reshape((1,) * (z.ndim - a.ndim) + a.shape)
