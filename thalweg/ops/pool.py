"""Pooling in one, two and three dimensions: the largest or the mean place of each window, channel by channel.

    max:      y[n, i, c] = max_t   x[n, s i + t - lo, c]      the gradient goes to the first largest place
    average:  y[n, i, c] = mean_t  x[n, s i + t - lo, c]      over the places that are in x

n: batch; i: place in the output; t: place in the window; c: channel; s: stride, lo: places added before the axis, which
never win and never count. LeCun et al. 1990, "Handwritten digit recognition with a back-propagation network" (average);
Ranzato et al. 2007, "Unsupervised learning of invariant feature hierarchies" (max).

How it is computed is in `thalweg/kernels/pool.py`.
"""

from collections.abc import Sequence

import jax.numpy as jnp

from thalweg.kernels import pool as kernels
from thalweg.ops.precision import largest, widen
from thalweg.ops.windows import windows
from thalweg.types import Array, Bool, Float

Tensor = Float[Array, "batch *places channels"]
Steps = Bool[Array, "batch time"]


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
    return kernels.max_pool(x, w)


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
    return kernels.average_pool(x, w)


def real_max_pool(
    x: Float[Array, "batch time channels"],
    mask: Steps,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
) -> Float[Array, "batch windows channels"]:
    """`max_pool` of the steps of x, [batch, time, channels], where `mask` is True; 0 in a window of none."""
    y = max_pool(jnp.where(mask[..., None], x, -jnp.inf), size, strides, padding)
    real = max_pool(mask[..., None].astype(x.dtype), size, strides, padding)
    return jnp.where(real > 0, y, 0)


def real_average_pool(
    x: Float[Array, "batch time channels"],
    mask: Steps,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
) -> Float[Array, "batch windows channels"]:
    """`average_pool` of the steps of x, [batch, time, channels], where `mask` is True; 0 in a window of none."""
    total = average_pool(jnp.where(mask[..., None], x, 0), size, strides, padding)
    share = average_pool(mask[..., None].astype(x.dtype), size, strides, padding)
    return total / jnp.where(share > 0, share, 1)


def global_max_pool(x: Tensor, mask: Steps | None = None, *, keepdims: bool = False) -> Float[Array, "batch ..."]:
    """The largest place of each channel; equal ones share the gradient.

    Args:
        x: [batch, *places, channels].
        mask: of a sequence, True at the steps that count; a row of none gives 0.
        keepdims: whether the axes of places stay, with one place each.

    Returns:
        [batch, channels], or [batch, *ones, channels].
    """
    places = tuple(range(1, x.ndim - 1))
    y = largest(x if mask is None else jnp.where(mask[..., None], x, -jnp.inf), places)
    if mask is not None:
        y = jnp.where(jnp.any(mask, axis=1, keepdims=True), y, 0)
    return jnp.expand_dims(y, places) if keepdims else y


def global_average_pool(x: Tensor, mask: Steps | None = None, *, keepdims: bool = False) -> Float[Array, "batch ..."]:
    """The mean place of each channel (Lin et al. 2014, "Network in network").

    Args:
        x: [batch, *places, channels].
        mask: of a sequence, True at the steps that count; a row of none gives 0.
        keepdims: whether the axes of places stay, with one place each.

    Returns:
        [batch, channels], or [batch, *ones, channels].
    """
    wide, places = widen(x), tuple(range(1, x.ndim - 1))
    if mask is None:
        return jnp.mean(wide, axis=places, keepdims=keepdims).astype(x.dtype)
    total = jnp.sum(jnp.where(mask[..., None], wide, 0), axis=places, keepdims=keepdims)
    count = jnp.maximum(jnp.sum(mask[..., None], axis=places, keepdims=keepdims), 1)
    return (total / count.astype(wide.dtype)).astype(x.dtype)
