"""Pooling: the largest or the mean place of each window, or of all.

    max:      y[n, i, c] = max_t  x[n, s i + t - lo, c]
    average:  y[n, i, c] = mean_t x[n, s i + t - lo, c], over the places of the window that are in x

n: batch, i: place in the output, t: place in the window, s: stride, lo: places before the input, c: channel. Of equal
places the first takes the gradient. Max pooling after Yamaguchi et al. 1990; global averages after Lin et al. 2014.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from thalweg.core import Context, Module
from thalweg.ops import pool
from thalweg.types import Array, Float


class Pooling(Module):
    """The base of pooling over windows.

    Args:
        pool_size: places per window, one number or one for each axis.
        strides: places from one window to the next; None means windows side by side.
        padding: "valid" or "same".
    """

    casts: ClassVar[bool] = True
    op: ClassVar[Callable]

    pool_size: int | Sequence[int] = 2
    strides: int | Sequence[int] | None = None
    padding: str = "valid"

    def __call__(self, cx: Context, x: Float[Array, "batch *places channels"]) -> Float[Array, "batch *fewer channels"]:
        """The layer on `x`."""
        return type(self).op(x, self.pool_size, self.strides, self.padding)


class MaxPooling1D(Pooling):
    """The largest step of each window of a sequence."""

    axes: ClassVar[str] = "batch steps channels"
    op: ClassVar[Callable] = staticmethod(pool.max_pool)


class MaxPooling2D(Pooling):
    """The largest place of each window of a picture.

    >>> import jax.numpy as jnp
    >>> from thalweg import core
    >>> core.apply(MaxPooling2D(), {}, {}, jnp.arange(4.0).reshape(1, 2, 2, 1))[0].tolist()
    [[[[3.0]]]]
    """

    axes: ClassVar[str] = "batch height width channels"
    op: ClassVar[Callable] = staticmethod(pool.max_pool)


class MaxPooling3D(Pooling):
    """The largest place of each window of a volume."""

    axes: ClassVar[str] = "batch depth height width channels"
    op: ClassVar[Callable] = staticmethod(pool.max_pool)


class AveragePooling1D(Pooling):
    """The mean step of each window of a sequence."""

    axes: ClassVar[str] = "batch steps channels"
    op: ClassVar[Callable] = staticmethod(pool.average_pool)


class AveragePooling2D(Pooling):
    """The mean place of each window of a picture."""

    axes: ClassVar[str] = "batch height width channels"
    op: ClassVar[Callable] = staticmethod(pool.average_pool)


class AveragePooling3D(Pooling):
    """The mean place of each window of a volume."""

    axes: ClassVar[str] = "batch depth height width channels"
    op: ClassVar[Callable] = staticmethod(pool.average_pool)


class GlobalPooling(Module):
    """The base of pooling over all places.

    Args:
        keepdims: whether the spatial axes stay, with one place each.
    """

    casts: ClassVar[bool] = True
    op: ClassVar[Callable]

    keepdims: bool = False

    def __call__(self, cx: Context, x: Float[Array, "batch *places channels"]) -> Float[Array, "batch ..."]:
        """The layer on `x`."""
        return type(self).op(x, keepdims=self.keepdims)


class GlobalMaxPooling1D(GlobalPooling):
    """The largest step of a sequence."""

    axes: ClassVar[str] = "batch steps channels"
    op: ClassVar[Callable] = staticmethod(pool.global_max_pool)


class GlobalMaxPooling2D(GlobalPooling):
    """The largest place of a picture."""

    axes: ClassVar[str] = "batch height width channels"
    op: ClassVar[Callable] = staticmethod(pool.global_max_pool)


class GlobalMaxPooling3D(GlobalPooling):
    """The largest place of a volume."""

    axes: ClassVar[str] = "batch depth height width channels"
    op: ClassVar[Callable] = staticmethod(pool.global_max_pool)


class GlobalAveragePooling1D(GlobalPooling):
    """The mean step of a sequence."""

    axes: ClassVar[str] = "batch steps channels"
    op: ClassVar[Callable] = staticmethod(pool.global_average_pool)


class GlobalAveragePooling2D(GlobalPooling):
    """The mean place of a picture."""

    axes: ClassVar[str] = "batch height width channels"
    op: ClassVar[Callable] = staticmethod(pool.global_average_pool)


class GlobalAveragePooling3D(GlobalPooling):
    """The mean place of a volume."""

    axes: ClassVar[str] = "batch depth height width channels"
    op: ClassVar[Callable] = staticmethod(pool.global_average_pool)


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D,
)  # fmt: skip
