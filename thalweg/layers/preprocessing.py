"""Layers that bring raw numbers into range, with constants that are part of the architecture."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, TypeAlias

import jax.numpy as jnp
import numpy as np

from thalweg.core import Context, Module
from thalweg.errors import ContractError, DataError
from thalweg.ops.normalization import others, positive
from thalweg.ops.precision import widen
from thalweg.types import Array, Float

EPSILON = 1e-7  # the smallest divisor, as in Keras
CHUNK = 2**20  # numbers that are widened to float64 at a time

Numbers: TypeAlias = Any
"""A number, or nested tuples of them; arrays and lists become tuples."""


def _constant(value: Numbers, shape: tuple[int, ...], x: Array) -> Array:
    return jnp.asarray(np.asarray(value, np.float64).reshape(shape), x.dtype)


class Rescaling(Module):
    """y = scale x + offset.

    Args:
        scale: a number, or one for each feature of the last axis: 1 / 255 brings pixels to 0 .. 1.
        offset: likewise.

    >>> import jax.numpy as jnp
    >>> from thalweg import core
    >>> core.apply(Rescaling(1 / 4, offset=-1.0), {}, {}, jnp.array([[0.0, 8.0]]))[0].tolist()
    [[-1.0, 1.0]]
    """

    scale: Numbers
    offset: Numbers = 0.0

    casts: ClassVar[bool] = True

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        scale, offset = (_constant(v, (1,) * (x.ndim - np.ndim(v)) + np.shape(v), x) for v in (self.scale, self.offset))
        return x * scale + offset


class Normalization(Module):
    """y = (x - mean) / max(sqrt(variance), 1e-7), with mean and variance learned from data once.

    A layer is frozen, so `adapted` gives a new one that holds the numbers; they are kept in the architecture:

        norm = Normalization().adapted(train_images)

    Args:
        axis: the axes that have a mean for each of their positions; over all others the data are averaged. -1 gives
            one for each feature, None one for all.
        mean: where it is known: a number, or an array whose axes are the last of `axis`.
        variance: likewise.
        invert: whether to compute the way back, x = y max(sqrt(variance), 1e-7) + mean.

    >>> Normalization().adapted(np.array([[0.0, 5.0], [2.0, 5.0]]))
    Normalization(mean=(1.0, 5.0), variance=(1.0, 0.0))
    """

    axis: int | tuple[int, ...] | None = -1
    mean: Numbers = None
    variance: Numbers = None
    invert: bool = False

    casts: ClassVar[bool] = True

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        if self.mean is None or self.variance is None:
            raise ContractError(
                f"{cx.name} {self!r} needs a mean and a variance; it has not seen data.\n"
                "  Write norm = Normalization().adapted(x_train), which gives a new layer, and use that one."
            )
        variance = np.asarray(self.variance, np.float64)
        if (variance < 0).any():
            raise ValueError(
                f"variance must not be negative; it is {self.variance}.\n"
                "  Give x_train.var(axis=0), or write Normalization().adapted(x_train)."
            )
        wide = widen(x)
        if np.any(np.sqrt(variance) > 1 / jnp.finfo(wide.dtype).tiny):  # the reciprocal of a larger one is 0 to XLA
            raise DataError(
                f"{cx.name} Normalization has a variance of {variance.max():.2g}, too large for {wide.dtype}.\n"
                "  Write Rescaling(1e-30) before it, and adapt it to the smaller data."
            )
        mean, sigma = self._placed(self.mean, wide), self._placed(np.maximum(np.sqrt(variance), EPSILON), wide)
        return (wide * sigma + mean if self.invert else (wide - mean) / sigma).astype(x.dtype)

    def adapted(self, data: Any) -> "Normalization":
        """This layer with the mean and variance of `data`, computed in float64.

        Args:
            data: an array [examples, ...], anything that NumPy takes for one, or a generator of such batches.

        Raises:
            ContractError: there are no data, or `axis` names the examples.
            DataError: a number is not finite.
        """
        count, mean, squares = 0, np.float64(0), np.float64(0)
        for block in _blocks(data):
            over = self._averaged(block)
            here = block.mean(over, keepdims=True)
            n = block.size // here.size
            own = np.square(block - here).sum(over)
            apart = here.squeeze(over) - mean
            # the parallel form of Chan et al. 1979: no large sums of squares to subtract
            squares = squares + own + np.square(apart) * (count * n / (count + n))
            mean, count = mean + apart * (n / (count + n)), count + n
        if not count:
            raise ContractError(f"{self!r} was given no data to learn from.\n  Write .adapted(x_train).")
        return replace(self, mean=mean, variance=squares / count)

    adapt = adapted

    @property
    def _axes(self) -> tuple[int, ...]:
        return () if self.axis is None else self.axis if isinstance(self.axis, tuple) else (self.axis,)

    def _averaged(self, block: np.ndarray) -> tuple[int, ...]:
        over = others(self._axes, block.ndim)
        if 0 not in over:
            raise ContractError(
                f"{self!r} would keep a mean for each example of data with the shape {block.shape}.\n"
                "  Write x[:, None] to make one feature of a flat array, or axis=None for one mean in all."
            )
        return over

    def _placed(self, value: Numbers, x: Array) -> Array:
        """`value` at the rank of x, its axes at the last of the kept ones."""
        sizes, kept = np.shape(value), positive(self._axes, x.ndim)
        places = dict(zip(reversed(kept), reversed(sizes), strict=False))
        if len(sizes) > len(kept) or any(n not in {1, x.shape[a]} for a, n in places.items()):
            raise ValueError(
                f"the statistics have the shape {sizes} along axis {self.axis}.\n"
                "  Learn them from data of this shape: Normalization().adapted(x_train)."
            )
        return _constant(value, tuple(places.get(a, 1) for a in range(x.ndim)), x)


def _blocks(data: Any) -> Iterator[np.ndarray]:
    """The rows of `data` as float64, so many at a time that little memory is taken."""
    first = 0
    for batch in map(np.asarray, data if isinstance(data, Iterator) else (data,)):
        rows = max(1, CHUNK // max(1, int(np.prod(batch.shape[1:]))))
        for start in range(0, len(batch), rows):
            block = np.asarray(batch[start : start + rows], np.float64)
            if not np.isfinite(block).all():
                row = first + start + int(np.argwhere(~np.isfinite(block))[0][0])
                raise DataError(f"the data hold a NaN or Inf in row {row}.\n  Fill it or leave the row out.")
            yield block
        first += len(batch)
