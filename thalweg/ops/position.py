"""Positions: what tells a step of attention, which knows no order, where it stands.

    sinusoid   p_t,2i = sin(t w^(-2i / d))      p_t,2i+1 = cos(t w^(-2i / d))
    rotary     the pair (x_i, x_i+d/2) turned by the angle t w^(-2i / d)

Vaswani et al. 2017, arXiv:1706.03762; Su et al. 2021, arXiv:2104.09864. w is the longest wavelength over 2 pi.
"""

import jax.numpy as jnp
import numpy as np

from thalweg.errors import ContractError
from thalweg.types import Array, Dtype, Float, Int

WAVELENGTH = 10000.0
"""w, as in both papers."""


def sinusoid(
    positions: Int[Array, "#batch time"],
    size: int,
    max_wavelength: float = WAVELENGTH,
    dtype: Dtype = "float32",
) -> Float[Array, "#batch time size"]:
    """A sine and a cosine of `positions` for each of size / 2 wavelengths, side by side.

    Args:
        positions: t, [batch or 1, time].
        size: d; an odd one ends in a sine.
        max_wavelength: w.
        dtype: of the result; angles are computed in it, and at least in float32.

    Returns:
        p, [batch or 1, time, size].

    >>> sinusoid(jnp.arange(2)[None], 2).round(3).tolist()
    [[[0.0, 1.0], [0.8410000205039978, 0.5400000214576721]]]
    """
    angle = _angles(positions, size, -(-size // 2), max_wavelength, dtype)  # batch time pairs
    pairs = jnp.stack([jnp.sin(angle), jnp.cos(angle)], axis=-1)  # batch time pairs 2
    return pairs.reshape(*positions.shape, -1)[..., :size].astype(dtype)


def rotary(
    x: Float[Array, "batch time heads size"], positions: Int[Array, "#batch time"], max_wavelength: float = WAVELENGTH
) -> Float[Array, "batch time heads size"]:
    """`x` turned by its positions, so that the product of two depends on how far apart they stand.

    The first half of the features is paired with the second, where the paper pairs neighbours: the same up to the order
    of the features, and two slices instead of a shuffle.

    Args:
        x: queries or keys, [batch, time, heads, size].
        positions: t, [batch or 1, time].
        max_wavelength: w.

    Raises:
        ContractError: the size is odd.

    >>> rotary(jnp.ones((1, 2, 1, 2)), jnp.arange(2)[None])[0, 0].tolist()
    [[1.0, 1.0]]
    """
    size = x.shape[-1]
    if size % 2:
        raise ContractError(f"rotary positions turn pairs of features; a head has {size}.\n  Give heads an even size.")
    angle = _angles(positions, size, size // 2, max_wavelength, x.dtype)[:, :, None]  # batch time 1 pairs
    cos, sin = jnp.cos(angle).astype(x.dtype), jnp.sin(angle).astype(x.dtype)
    a, b = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def _angles(positions: Array, size: int, pairs: int, w: float, dtype: Dtype) -> Array:
    wide = dtype if jnp.finfo(dtype).bits >= 32 else jnp.float32
    frequency = jnp.asarray(w ** (np.arange(pairs) * (-2 / size)), wide)  # in float64, rounded once
    return positions[..., None].astype(wide) * frequency[None, None]
