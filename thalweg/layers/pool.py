"""Pooling: the largest or the mean place of each window, or of all.

    max:      y[n, i, c] = max_t  x[n, s i + t - lo, c]
    average:  y[n, i, c] = mean_t x[n, s i + t - lo, c], over the places of the window that are in x

n: batch, i: place in the output, t: place in the window, s: stride, lo: places before the input, c: channel. Of equal
places the first takes the gradient. Max pooling after Yamaguchi et al. 1990; global averages after Lin et al. 2014.

Of a sequence with a mask the real steps alone are pooled (Keras does so in GlobalAveragePooling1D only). A window of
padding="valid" is real where all its steps are; with "same", where the step that it stands at is.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from thalweg.core import Context, Module
from thalweg.layers.mask import of_sequence, windowed
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
    real: ClassVar[Callable]  # of the real steps of a sequence

    pool_size: int | Sequence[int] = 2
    strides: int | Sequence[int] | None = None
    padding: str = "valid"

    def __call__(self, cx: Context, x: Float[Array, "batch *places channels"]) -> Float[Array, "batch *fewer channels"]:
        """The layer on `x`."""
        mask = of_sequence(cx, x)
        if mask is None:
            return type(self).op(x, self.pool_size, self.strides, self.padding)
        y = type(self).real(x, mask, self.pool_size, self.strides, self.padding)
        return windowed(cx, y, mask, self.pool_size, self.strides or self.pool_size, self.padding)


class MaxPooling1D(Pooling):
    """The largest step of each window of a sequence."""

    axes: ClassVar[str] = "batch steps channels"
    op: ClassVar[Callable] = staticmethod(pool.max_pool)
    real: ClassVar[Callable] = staticmethod(pool.real_max_pool)


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
    real: ClassVar[Callable] = staticmethod(pool.real_average_pool)


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
    keeps_mask: ClassVar[bool] = False
    op: ClassVar[Callable]

    keepdims: bool = False

    def __call__(self, cx: Context, x: Float[Array, "batch *places channels"]) -> Float[Array, "batch ..."]:
        """The layer on `x`."""
        return type(self).op(x, of_sequence(cx, x), keepdims=self.keepdims)


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
