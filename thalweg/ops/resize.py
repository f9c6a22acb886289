"""Padding, cropping and upsampling of spatial axes; batch first, channels last."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from thalweg.ops.precision import rounded
from thalweg.types import Array, Float, Shaped

Pairs = Sequence[tuple[int, int]]
"""How many places before and after each axis."""


def zero_pad(x: Shaped[Array, "..."], pairs: Pairs) -> Shaped[Array, "..."]:
    """`x` with zeros before and after each spatial axis.

    >>> zero_pad(jnp.ones((1, 1, 1)), [(1, 0)])[0, :, 0].tolist()
    [0.0, 1.0]
    """
    return jnp.pad(x, [(0, 0), *pairs, (0, 0)])


def crop(x: Shaped[Array, "..."], pairs: Pairs) -> Shaped[Array, "..."]:
    """`x` without the first and last places of each spatial axis.

    Raises:
        ValueError: nothing would be left of an axis.

    >>> crop(jnp.arange(4.0).reshape(1, 4, 1), [(1, 2)])[0, :, 0].tolist()
    [1.0]
    """
    sizes = x.shape[1:-1]
    if any(lo + hi >= n for n, (lo, hi) in zip(sizes, pairs, strict=True)):
        raise ValueError(f"cropping {tuple(pairs)} leaves nothing of {sizes} places.\n  Write smaller numbers.")
    inner = (slice(lo, n - hi) for n, (lo, hi) in zip(sizes, pairs, strict=True))
    return x[(slice(None), *inner)]


def repeat(x: Shaped[Array, "..."], times: Sequence[int]) -> Shaped[Array, "..."]:
    """Each place of each spatial axis repeated: y[n, i, c] = x[n, floor(i / times), c].

    >>> repeat(jnp.arange(2.0).reshape(1, 2, 1), [2])[0, :, 0].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """

    def along_each(x: Array) -> Array:
        for axis, k in enumerate(times, 1):
            shape = (*x.shape[: axis + 1], k, *x.shape[axis + 1 :])
            x = jnp.broadcast_to(jnp.expand_dims(x, axis + 1), shape).reshape(*x.shape[:axis], -1, *x.shape[axis + 1 :])
        return x

    return rounded(along_each, x)


def bilinear(
    x: Float[Array, "batch height width channels"], times: Sequence[int]
) -> Float[Array, "batch h w channels"]:
    """Upsampling by linear interpolation between the centres of the places, the edge continued."""
    height, width = (n * k for n, k in zip(x.shape[1:3], times, strict=True))
    return jax.image.resize(x, (x.shape[0], height, width, x.shape[3]), "bilinear")
