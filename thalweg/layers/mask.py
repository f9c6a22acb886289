"""Masks: which steps of a sequence are real. A mask [batch, time] is made here or by `Embedding(mask_zero=True)`.

It walks on with the array through every layer that keeps batch and time, to the recurrent and pooling layers, the loss
and the metrics, which look at real steps only. What the real steps give is what the sequence would give alone: cropping
takes steps from its own end, zeros are added beside it. A layer whose second axis is no longer time (Flatten, Permute)
ends the mask, and a warning says so.
"""

import functools
from collections.abc import Sequence
from typing import ClassVar, TypeAlias

import jax.numpy as jnp

from thalweg.core import Context, Module
from thalweg.ops.windows import spread
from thalweg.types import Array, Float

Size: TypeAlias = int | Sequence[int]


class Masking(Module):
    """y = x, 0 at the steps whose features are all `mask_value`: they are padding from here on.

    x: [batch, time, ...].

    Args:
        mask_value: what fills the steps that are not there.

    >>> import jax.numpy as jnp
    >>> from thalweg import core
    >>> x = jnp.array([[[1.0], [0.0]]])
    >>> core.apply(Masking(), {}, {"rows": jnp.ones(1)}, x)[1]["mask"].tolist()
    [[True, False]]
    """

    mask_value: float = 0.0

    casts: ClassVar[bool] = True

    def __call__(self, cx: Context, x: Float[Array, "batch time ..."]) -> Float[Array, "batch time ..."]:
        """The layer on `x`."""
        if x.ndim < 3:
            raise ValueError("it needs [batch, time, features].\n  For indices write Embedding(..., mask_zero=True).")
        real = jnp.any(x != self.mask_value, axis=tuple(range(2, x.ndim)))
        return cx.masked(where_real(x, real), real)


def where_real(x: Array, mask: Array | None) -> Array:
    """`x`, [batch, time, ...], 0 at the steps that are not real."""
    return x if mask is None else jnp.where(mask.reshape(mask.shape + (1,) * (x.ndim - 2)), x, 0)


def thinned(mask: Array | None, taps: int, stride: int, padding: str) -> Array | None:
    """The mask of what windows of `taps` steps, `stride` apart, make of a sequence.

    With padding="valid" a window is real where all its steps are; else where the step is that it stands at. Either way
    a sequence of n real steps has as many real windows as it would have alone.

    >>> thinned(jnp.array([[True, True, True, False]]), 2, 1, "valid").tolist()
    [[True, True, False]]
    """
    if mask is None or padding != "valid":
        return mask if mask is None else mask[:, ::stride]
    count = (mask.shape[1] - taps) // stride + 1
    starts = jnp.arange(count)[:, None] * stride + jnp.arange(taps)[None]
    return jnp.all(mask[:, starts], axis=-1)


def written(mask: Array | None, stride: int, reach: int) -> Array | None:
    """The mask of what is made where step i writes the `reach` steps from i stride on: real where a real step writes.

    >>> written(jnp.array([[True, False]]), 2, 3).tolist()
    [[True, True, True, False, False]]
    """
    return None if mask is None else _written(mask, stride, reach)


def _written(mask: Array, stride: int, reach: int) -> Array:
    ends = jnp.pad(mask.astype(jnp.int32)[..., None], ((0, 0), (0, 0), (0, stride - 1))).reshape(len(mask), -1)
    count = jnp.cumsum(jnp.pad(ends[:, : ends.shape[1] - stride + 1], ((0, 0), (0, reach - 1))), axis=1)
    return count > jnp.pad(count, ((0, 0), (reach, 0)))[:, : count.shape[1]]


def lengthened(mask: Array | None, before: int, after: int) -> Array | None:
    """The mask of a sequence with steps added at both ends: they stand beside the real ones, wherever those are.

    >>> lengthened(jnp.array([[True, True, False, False]]), 1, 1).tolist()
    [[True, True, True, True, False, False]]
    """
    if mask is None:
        return None
    inner = jnp.pad(mask, ((0, 0), (before, after)))
    count = jnp.cumsum(inner, axis=1)
    outside = (count == 0) | (count == count[:, -1:])
    return inner | (outside & _written(mask, 1, before + after + 1))


def shortened(mask: Array | None, first: int, last: int) -> Array | None:
    """The mask of a sequence without its first and last steps: without as many of its real ones.

    >>> shortened(jnp.array([[True, True, True, False]]), 0, 1).tolist()
    [[True, True, False]]
    """
    if mask is None:
        return None
    count = jnp.cumsum(mask, axis=1)
    return (mask & (count > first) & (count <= count[:, -1:] - last))[:, first : mask.shape[1] - last]


def windowed(
    cx: Context, y: Array, mask: Array | None, size: Size, strides: Size, padding: str, dilation_rate: Size = 1
) -> Array:
    """`y`, what windows made of a sequence with `mask`, with its own mask: see `thinned`."""
    if mask is None:
        return y
    taps, step, apart = (spread(n, 1, "size")[0] for n in (size, strides, dilation_rate))
    return cx.masked(y, thinned(mask, (taps - 1) * apart + 1, step, padding))


def of_sequence(cx: Context, x: Array) -> Array | None:
    """The mask of x, [batch, time, channels]; None for pictures, whose second axis is no time."""
    return cx.mask_of(x) if x.ndim == 3 else None


def real_in_all(cx: Context, x: Sequence[Array]) -> Array | None:
    """True where a step is real in each of `x` that has a mask; None where none has."""
    masks = [mask for mask in map(cx.mask_of, x) if mask is not None]
    return functools.reduce(jnp.logical_and, masks) if masks else None


def one_behind_other(cx: Context, x: Sequence[Array]) -> Array | None:
    """The masks of `x` along time; None where none of them has one."""
    masks = [cx.mask_of(a) for a in x]
    if all(mask is None for mask in masks):
        return None
    known = [jnp.ones(a.shape[:2], bool) if m is None else m for a, m in zip(x, masks, strict=True)]
    return jnp.concatenate(known, axis=1)
