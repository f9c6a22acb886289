"""Accuracies: the share of predictions that hit."""

from dataclasses import field
from typing import ClassVar

import jax.numpy as jnp

from thalweg.metrics.base import MeanOfRows
from thalweg.ops.precision import widen
from thalweg.ops.targets import aligned, at_class, class_index, most_probable
from thalweg.ranges import COUNT
from thalweg.types import Array, Int, Shaped


class BinaryAccuracy(MeanOfRows):
    """How often p > threshold where y is 1, and not where y is 0 or -1; over all outputs of a row.

    >>> BinaryAccuracy().rows(jnp.array([[1.0], [0.0]]), jnp.array([[0.7], [0.6]])).tolist()
    [1.0, 0.0]
    """

    name: str = field(default="binary_accuracy", kw_only=True)
    threshold: float = 0.5

    def values(self, y: Array, p: Array, /) -> Shaped[Array, "batch ..."]:
        """Whether both say the same."""
        return (p > self.threshold) == (aligned(y, p) > 0.5)


class CategoricalAccuracy(MeanOfRows):
    """How often the most probable class is that of the one-hot target."""

    name: str = field(default="categorical_accuracy", kw_only=True)

    def values(self, y: Array, p: Array, /) -> Shaped[Array, "batch ..."]:
        """Whether argmax p = argmax y."""
        return most_probable(aligned(y, p)) == most_probable(p)


class SparseCategoricalAccuracy(MeanOfRows):
    """How often the most probable class is y, the number of the class."""

    name: str = field(default="sparse_categorical_accuracy", kw_only=True)

    def values(self, y: Array, p: Array, /) -> Shaped[Array, "batch ..."]:
        """Whether argmax p = y."""
        return class_index(y, p) == most_probable(p)


class TopKCategoricalAccuracy(MeanOfRows):
    """How often the class of the one-hot target is among the k most probable; a tie counts as a hit.

    Args:
        k: how many guesses are free.
    """

    limits: ClassVar = {"k": COUNT}

    name: str = field(default="top_k_categorical_accuracy", kw_only=True)
    k: int = 5

    def values(self, y: Array, p: Array, /) -> Shaped[Array, "batch ..."]:
        """Whether fewer than k classes are more probable."""
        return _within(most_probable(aligned(y, p)), p, self.k)


class SparseTopKCategoricalAccuracy(MeanOfRows):
    """How often y, the number of the class, is among the k most probable; a tie counts as a hit.

    Args:
        k: how many guesses are free.
    """

    limits: ClassVar = {"k": COUNT}

    name: str = field(default="sparse_top_k_categorical_accuracy", kw_only=True)
    k: int = 5

    def values(self, y: Array, p: Array, /) -> Shaped[Array, "batch ..."]:
        """Whether fewer than k classes are more probable."""
        return _within(class_index(y, p), p, self.k)


class Accuracy(MeanOfRows):
    """The accuracy that the shapes call for: binary for one output, of classes for several.

    `metric("accuracy", loss)` chooses by the loss's kind of target, and takes this one where that says nothing.
    """

    name: str = field(default="accuracy", kw_only=True)

    def values(self, y: Array, p: Array, /) -> Shaped[Array, "batch ..."]:
        """Binary, categorical or sparse accuracy."""
        if p.ndim == 1 or p.shape[-1] == 1:
            return BinaryAccuracy().values(y, p)
        return (CategoricalAccuracy() if y.shape == p.shape else SparseCategoricalAccuracy()).values(y, p)


def _within(index: Int[Array, "..."], p: Array, k: int) -> Array:
    p = widen(p)
    return jnp.sum(~(p <= at_class(p, index)[..., None]), axis=-1) < k  # a NaN is never a hit
