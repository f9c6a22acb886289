"""Pooling in one, two and three dimensions: the largest or the mean place of each window, channel by channel.

    max:      y[n, i, c] = max_t   x[n, s i + t - lo, c]      the gradient goes to the first largest place
    average:  y[n, i, c] = mean_t  x[n, s i + t - lo, c]      over the places that are in x

n: batch; i: place in the output; t: place in the window; c: channel; s: stride, lo: places added before the axis, which
never win and never count. LeCun et al. 1990, "Handwritten digit recognition with a back-propagation network" (average);
Ranzato et al. 2007, "Unsupervised learning of invariant feature hierarchies" (max).

The gradient of `lax.reduce_window` is a sequential search on a CPU (19 ms, the one below 2). Here the windows
are seen tap by tap, as shifted slices of x: the largest is an elementwise maximum of them, its tap `t*` is known, and
the derivative is a choice by comparing each tap with t*.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.ops.precision import widen
from thalweg.ops.windows import Windows, pad, views, windows
from thalweg.types import Array, Float

Tensor = Float[Array, "batch *places channels"]


def max_pool(
    x: Tensor, size: int | Sequence[int], strides: int | Sequence[int] | None = None, padding: str = "valid"
) -> Float[Array, "batch *out outputs"]:
    """y[n, i, c] = max_t x[n, s i + t - lo, c].

    Args:
        x: [batch, *places, channels].
        size: places per window, one number or one per axis.
        strides: s; None means windows side by side.
        padding: "valid" or "same".

    Returns:
        y, [batch, *places, channels].

    Raises:
        ValueError: the window is larger than the input.

    >>> max_pool(jnp.array([[[1.0], [3.0], [2.0], [0.0]]]), 2)[0, :, 0].tolist()
    [3.0, 2.0]
    """
    w = windows(x.shape[1:-1], size, size if strides is None else strides, padding)
    return _max(pad(x, w, -np.inf), w)


def average_pool(
    x: Tensor, size: int | Sequence[int], strides: int | Sequence[int] | None = None, padding: str = "valid"
) -> Float[Array, "batch *out outputs"]:
    """y[n, i, c] = mean_t x[n, s i + t - lo, c], over the places of the window that are in x.

    Args:
        x: [batch, *places, channels].
        size: places per window, one number or one per axis.
        strides: s; None means windows side by side.
        padding: "valid" or "same".

    Returns:
        y, [batch, *places, channels].

    Raises:
        ValueError: the window is larger than the input.

    >>> average_pool(jnp.array([[[1.0], [3.0], [2.0]]]), 2, padding="same")[0, :, 0].tolist()
    [2.0, 2.0]
    """
    w = windows(x.shape[1:-1], size, size if strides is None else strides, padding)
    total = functools.reduce(jnp.add, map(widen, views(pad(x, w), w)))
    return (total / jnp.asarray(_counts(x.shape[1:-1], w), total.dtype)).astype(x.dtype)


def global_max_pool(x: Tensor, *, keepdims: bool = False) -> Float[Array, "batch ..."]:
    """The largest place of each channel; equal ones share the gradient.

    Args:
        x: [batch, *places, channels].
        keepdims: whether the axes of places stay, with one place each.

    Returns:
        [batch, channels], or [batch, *ones, channels].
    """
    return jnp.max(x, axis=tuple(range(1, x.ndim - 1)), keepdims=keepdims)


def global_average_pool(x: Tensor, *, keepdims: bool = False) -> Float[Array, "batch ..."]:
    """The mean place of each channel (Lin et al. 2014, "Network in network").

    Args:
        x: [batch, *places, channels].
        keepdims: whether the axes of places stay, with one place each.

    Returns:
        [batch, channels], or [batch, *ones, channels].
    """
    return jnp.mean(widen(x), axis=tuple(range(1, x.ndim - 1)), keepdims=keepdims).astype(x.dtype)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _max(x: Array, w: Windows) -> Array:
    return functools.reduce(jnp.maximum, views(x, w))


@_max.defjvp
def _max_jvp(w: Windows, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (x_dot,) = primals, tangents
    taps = views(x, w)
    y = functools.reduce(jnp.maximum, taps)
    winner = _first_equal(taps, y)
    return y, _at_winner_side_by_side(x_dot, winner, w) if w.size == w.strides else _at_winner(x_dot, winner, w)


def _first_equal(taps: list[Array], y: Array) -> Array:
    kind = np.min_scalar_type(len(taps))
    winner = jnp.full(y.shape, len(taps) - 1, kind)
    for t in reversed(range(len(taps) - 1)):
        winner = jnp.where(taps[t] == y, jnp.asarray(t, kind), winner)
    return winner


def _at_winner(x_dot: Array, winner: Array, w: Windows) -> Array:
    return functools.reduce(
        jnp.add, (jnp.where(winner == jnp.asarray(t, winner.dtype), v, 0) for t, v in enumerate(views(x_dot, w)))
    )


def _at_winner_side_by_side(x_dot: Array, winner: Array, w: Windows) -> Array:
    # windows that do not overlap are a reshape, whose transpose is one pass over memory without a sum
    batch, *outputs, channels = winner.shape
    inside = tuple(slice(o * k) for o, k in zip(outputs, w.size, strict=True))
    split = [n for pair in zip(outputs, w.size, strict=True) for n in pair]
    x_dot = x_dot[(slice(None), *inside)].reshape(batch, *split, channels)  # [batch, i1, t1, i2, t2, .., channels]
    within = tuple(range(2, x_dot.ndim - 1, 2))
    t = np.arange(w.taps, dtype=winner.dtype).reshape([1, *(n for k in w.size for n in (1, k)), 1])
    chosen = jnp.expand_dims(winner, within) == jnp.asarray(t)
    return jnp.sum(jnp.where(chosen, x_dot, 0), axis=within)


def _counts(sizes: tuple[int, ...], w: Windows) -> np.ndarray:
    """How many places of each window are in the input: [1, *outputs, 1]."""
    present = np.pad(np.ones(sizes), w.pads)
    ones = views(present[None, ..., None], w)
    return np.sum(ones, axis=0)
