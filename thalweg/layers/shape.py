"""Layers that only move numbers: Flatten, Identity, Permute, RepeatVector, Reshape.

A `ValueError` says what does not fit; the core puts the layer's path and the shapes so far around it. A mask of real
steps goes on where the steps do: through Permute where time stays the second axis, through Reshape where each step is
kept or cut into several. Flatten ends it.
"""

import math
from collections.abc import Sequence
from typing import ClassVar

import jax.numpy as jnp

from thalweg.core import Context, Module
from thalweg.layers.mask import written
from thalweg.ops.precision import rounded
from thalweg.ranges import COUNT
from thalweg.types import Array, Shaped


class Flatten(Module):
    """[batch, a, b, ...] -> [batch, a b ...]; [batch] -> [batch, 1]."""

    keeps_mask: ClassVar[bool] = False

    def __call__(self, cx: Context, x: Shaped[Array, "batch ..."]) -> Shaped[Array, "batch features"]:
        """The layer on `x`."""
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))


class Identity(Module):
    """The input as it came."""

    def __call__(self, cx: Context, x: Array) -> Array:
        """The layer on `x`."""
        return x


class Permute(Module):
    """Axes in another order.

    Args:
        dims: the axes after the batch, counted from 1: (2, 1) turns [batch, a, b] into [batch, b, a].
    """

    dims: Sequence[int]

    keeps_mask: ClassVar[bool] = False

    def __call__(self, cx: Context, x: Shaped[Array, "batch ..."]) -> Shaped[Array, "batch ..."]:
        """The layer on `x`."""
        if sorted(self.dims) != list(range(1, x.ndim)):
            axes = tuple(range(1, x.ndim))
            raise ValueError(f"dims must name each axis after the batch once.\n  Write an order of {axes}.")
        y = jnp.transpose(x, (0, *self.dims))
        return cx.masked(y, cx.mask_of(x, rank=2)) if self.dims[0] == 1 else y


class RepeatVector(Module):
    """[batch, features] -> [batch, n, features]."""

    n: int

    axes: ClassVar[str] = "batch features"
    keeps_mask: ClassVar[bool] = False
    limits: ClassVar = {"n": COUNT}

    def __call__(self, cx: Context, x: Shaped[Array, "batch features"]) -> Shaped[Array, "batch n features"]:
        """The layer on `x`."""
        return rounded(lambda x: jnp.broadcast_to(x[:, None, :], (x.shape[0], self.n, x.shape[1])), x)


class Reshape(Module):
    """Each row in another shape.

    Args:
        target_shape: without the batch axis; one -1 stands for what is left over.
    """

    target_shape: Sequence[int]

    keeps_mask: ClassVar[bool] = False

    def __call__(self, cx: Context, x: Shaped[Array, "batch ..."]) -> Shaped[Array, "batch ..."]:
        """The layer on `x`."""
        size, known = math.prod(x.shape[1:]), math.prod(n for n in self.target_shape if n != -1)
        unknown = self.target_shape.count(-1)
        if unknown > 1 or (size % known if unknown and known else size != known):
            raise ValueError(f"a row holds {size} numbers.\n  Write a shape of {size} numbers, with at most one -1.")
        y = x.reshape(x.shape[0], *(size // known if n == -1 else n for n in self.target_shape))
        return cx.masked(y, self._of_steps(cx, x, y))

    def _of_steps(self, cx: Context, x: Array, y: Array) -> Array | None:
        """The mask of y, where each step of x is one of y or several; None where it is less than one."""
        if x.ndim < 3 or y.ndim < 3 or y.shape[1] % x.shape[1]:
            return None
        parts = y.shape[1] // x.shape[1]
        return written(cx.mask_of(x, rank=2), parts, parts)
