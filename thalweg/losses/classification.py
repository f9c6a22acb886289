"""Cross-entropies, from logits always: z the logits, y the target, so that no probability is rounded to 0 or 1.

A network that ends in a softmax or a sigmoid is trained on what comes before it; `from_logits` is only compared with
the network's end, and never used.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp

from thalweg.losses.base import Loss, is_off
from thalweg.ops.cross_entropy import cross_entropy, of_classes
from thalweg.ops.targets import class_index
from thalweg.ranges import FRACTION
from thalweg.types import Array, Bool, Float


class BinaryCrossentropy(Loss):
    """mean of -y log s(z) - (1 - y) log s(-z), with s the sigmoid: = max(z, 0) - z y + log(1 + exp(-|z|)).

    Args:
        from_logits: checked against the network's end, where given.
        label_smoothing: e; targets become y (1 - e) + e/2.

    >>> BinaryCrossentropy()([[1.0]], [[0.0]]).round(4).tolist()
    [0.6930999755859375]
    """

    link: ClassVar[str | None] = "sigmoid"
    target: ClassVar[str] = "binary"
    tunable: ClassVar[tuple[str, ...]] = ("label_smoothing",)
    limits: ClassVar = {"label_smoothing": FRACTION}

    from_logits: bool | None = None
    label_smoothing: float = 0.0

    def values(self, y: Array, z: Array, /) -> Float[Array, "..."]:
        """max(z, 0) - z y + log(1 + exp(-|z|))."""
        return binary_crossentropy(smoothed(y, self.label_smoothing, 2), z)


class CategoricalCrossentropy(Loss):
    """mean of -sum_k y_k log softmax(z)_k over the last axis.

    Args:
        from_logits: checked against the network's end, where given.
        label_smoothing: e; targets become y (1 - e) + e/classes.
    """

    link: ClassVar[str | None] = "softmax"
    target: ClassVar[str] = "one-hot"
    tunable: ClassVar[tuple[str, ...]] = ("label_smoothing",)
    limits: ClassVar = {"label_smoothing": FRACTION}

    from_logits: bool | None = None
    label_smoothing: float = 0.0

    def values(self, y: Array, z: Array, /) -> Float[Array, "..."]:
        """-sum_k y_k log softmax(z)_k."""
        return cross_entropy(smoothed(y, self.label_smoothing, z.shape[-1]), z)


class SparseCategoricalCrossentropy(Loss):
    """mean of log sum_k exp(z_k) - z_y, with y the number of the class.

    Smoothing mixes in the mean of all classes: log sum_k exp(z_k) - (1 - e) z_y - e mean(z). Szegedy et al. 2016,
    arXiv:1512.00567.

    Args:
        from_logits: checked against the network's end, where given.
        ignore_class: a label that counts for nothing, such as -1 or that of padding: the mean is over the other
            positions of the batch. The model's metrics leave it out too.
        label_smoothing: e.

    >>> SparseCategoricalCrossentropy()([1], [[0.0, 0.0]]).round(4).tolist()
    [0.6930999755859375]
    """

    link: ClassVar[str | None] = "softmax"
    target: ClassVar[str] = "integer classes"
    tunable: ClassVar[tuple[str, ...]] = ("label_smoothing",)
    limits: ClassVar = {"label_smoothing": FRACTION}

    from_logits: bool | None = None
    ignore_class: int | None = None
    label_smoothing: float = 0.0

    def values(self, y: Array, z: Array, /) -> Float[Array, "..."]:
        """log(sum_k exp(z_k)) - z_y."""
        loss, above_mean = of_classes(z, y)
        return loss if is_off(self.label_smoothing) else loss + self.label_smoothing * above_mean

    def kept(self, target: Array, output: Array, mask: Array | None, /) -> Bool[Array, "batch ..."] | None:
        """Where the mask is True and the label is not the ignored one."""
        if self.ignore_class is None:
            return mask
        kept = class_index(target, output) != self.ignore_class
        return kept if mask is None else kept & mask.reshape(mask.shape + (1,) * (kept.ndim - mask.ndim))


class KLDivergence(Loss):
    """mean of sum_k y_k (log y_k - log softmax(z)_k) over the last axis; 0 log 0 is 0."""

    link: ClassVar[str | None] = "softmax"
    target: ClassVar[str] = "distribution"

    def values(self, y: Array, z: Array, /) -> Float[Array, "..."]:
        """sum_k y_k (log y_k - log softmax(z)_k)."""
        log_y = jnp.log(jnp.where(y > 0, y, 1))
        return jnp.sum(y * (log_y - jax.nn.log_softmax(z)), axis=-1)


def binary_crossentropy(y: Array, z: Array) -> Float[Array, "..."]:
    """max(z, 0) - z y + log(1 + exp(-|z|)), exact to rounding at any logit.

    Written with comparisons, whose derivatives at z = 0 add up to s(0) - y; those of max and |z| in JAX do not.
    """
    return jnp.where(z > 0, z, 0) - z * y + jnp.log1p(jnp.exp(jnp.where(z > 0, -z, z)))


def smoothed(y: Array, e: float | Array, classes: int) -> Array:
    """(1 - e) y + e/classes."""
    return y if is_off(e) else y * (1 - e) + e / classes
