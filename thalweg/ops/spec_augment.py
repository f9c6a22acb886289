"""SpecAugment: a spectrogram warped in time and with bands of frequency and of time hidden. Park et al. 2019,
arXiv:1904.08779. x is [batch, frames, features], normalised, so that what is hidden takes the mean, 0.

Each row draws its own masks. The paper's warp is a spline of the picture; here time is two straight pieces that meet at
the drawn point, which moves every frame as the paper's does where only one point moves.
"""

import jax.numpy as jnp

from thalweg import random
from thalweg.types import Array, Bool, Float, Int, Key


def mask_bands(key: Key[Array, ""], x: Float[Array, "b t f"], count: int, width: int) -> Float[Array, "b t f"]:
    """`count` bands of features hidden: f ~ U{0 .. width}, f_0 ~ U[0, F - f), y = 0 for f_0 <= k < f_0 + f."""
    F = jnp.full((len(x),), x.shape[2], jnp.float32)
    return jnp.where(_drawn(key, count, F, jnp.minimum(width, F), x.shape[2])[:, None, :], 0, x)


def mask_times(
    key: Key[Array, ""],
    x: Float[Array, "b t f"],
    count: int,
    width: int,
    share: float = 1.0,
    lengths: Int[Array, " b"] | None = None,
) -> Float[Array, "b t f"]:
    """`count` stretches of time hidden: t ~ U{0 .. min(width, share tau)}, t_0 ~ U[0, tau - t).

    `lengths` are the real frames tau of each row; all by default.
    """
    tau = _real(x, lengths)
    return jnp.where(_drawn(key, count, tau, jnp.minimum(width, jnp.floor(share * tau)), x.shape[1])[:, :, None], 0, x)


def warp_time(
    key: Key[Array, ""], x: Float[Array, "b t f"], width: int, lengths: Int[Array, " b"] | None = None
) -> Float[Array, "b t f"]:
    """Frame c ~ U{W .. tau - W - 1} moves by w ~ U{-W .. W}, with W = `width`; the rest of time stretches evenly.

        y(s) = x(s c / (c + w)) before c + w, x(c + (s - c - w) (tau - 1 - c) / (tau - 1 - c - w)) after it

    Rows of no more than 2 W frames stay as they are.
    """
    tau, u = _real(x, lengths), random.uniform(key, (2, len(x)))
    c = width + jnp.floor(u[0] * (tau - 2 * width))
    w = jnp.floor(u[1] * (2 * width + 1)) - width
    s = jnp.arange(x.shape[1], dtype=jnp.float32)[None]
    c, w, last = c[:, None], w[:, None], tau[:, None] - 1
    before = s * (c / jnp.maximum(c + w, 1))
    after = c + (s - c - w) * ((last - c) / jnp.maximum(last - c - w, 1))
    warped = jnp.where(s <= c + w, before, after)
    source = jnp.where((tau[:, None] > 2 * width) & (s <= last), jnp.clip(warped, 0, last), s)
    return _interpolated(x, source)


def spec_augment(
    key: Key[Array, ""],
    x: Float[Array, "b t f"],
    frequency_masks: int = 2,
    frequency_width: int = 27,
    time_masks: int = 2,
    time_width: int = 100,
    time_share: float = 1.0,
    warp: int = 0,
    lengths: Int[Array, " b"] | None = None,
) -> Float[Array, "b t f"]:
    """All three, in the paper's order: time is warped, bands are hidden, then times. Park et al. 2019.

    Args:
        key: decides everything; fold it by path and step.
        x: normalised spectrograms.
        frequency_masks: bands hidden (the paper's m_F).
        frequency_width: features of the widest band (F).
        time_masks: stretches hidden (m_T).
        time_width: frames of the longest stretch (T).
        time_share: the largest share of a row's frames that one stretch hides (p).
        warp: frames that a point of time moves at most (W); 0 for none.
        lengths: real frames of each row; all by default.

    >>> from thalweg import random
    >>> y = spec_augment(random.key(0), jnp.ones((1, 20, 10)), frequency_width=4, time_width=5)
    >>> y.shape, bool((y == 0).any()), bool((y == 1).any())
    ((1, 20, 10), True, True)
    """
    if warp:
        x = warp_time(random.fold(key, "warp"), x, warp, lengths)
    if frequency_masks:
        x = mask_bands(random.fold(key, "bands"), x, frequency_masks, frequency_width)
    return mask_times(random.fold(key, "times"), x, time_masks, time_width, time_share, lengths) if time_masks else x


def _real(x: Array, lengths: Array | None) -> Array:
    return jnp.full((len(x),), x.shape[1], jnp.float32) if lengths is None else lengths.astype(jnp.float32)


def _drawn(key: Array, count: int, size: Array, width: Array, places: int) -> Bool[Array, "b n"]:
    # whether each place lies in one of `count` bands of 0 to `width` places, which start before size - band
    u = random.uniform(key, (2, count, len(size)))
    band = jnp.floor(u[0] * (width[None] + 1))
    start = jnp.floor(u[1] * jnp.maximum(size[None] - band, 1))
    place = jnp.arange(places, dtype=jnp.float32)[None, None]
    return ((place >= start[..., None]) & (place < (start + band)[..., None])).any(axis=0)  # [batch, places]


def _interpolated(x: Array, source: Array) -> Array:
    low = jnp.clip(jnp.floor(source), 0, x.shape[1] - 1).astype(jnp.int32)
    high = jnp.minimum(low + 1, x.shape[1] - 1)
    share = (source - low.astype(source.dtype)).astype(x.dtype)[..., None]
    a, b = (jnp.take_along_axis(x, i[..., None], axis=1) for i in (low, high))
    return a + share * (b - a)
