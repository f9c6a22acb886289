"""Noise in training: dropout and its kin.

What is kept is scaled up (inverted dropout), so that evaluation needs no factor. A mask comes from one random word per
element; `rate` may be a traced number, so that a tuner varies it without recompiling. Numbers are combined in at least
float32: in bfloat16 the factor 1 / (1 - rate) alone would be off by 0.2 %.
"""

from typing import TypeAlias

import jax
import jax.numpy as jnp

from thalweg import random
from thalweg.kernels import dropout as kernel
from thalweg.ops.activations import SELU_ALPHA, SELU_SCALE
from thalweg.ops.precision import widen
from thalweg.types import Array, Float, Key

Rate: TypeAlias = float | Float[Array, ""]
Shape: TypeAlias = tuple[int, ...]
NoiseShape: TypeAlias = tuple[int | None, ...] | None

SELU_FLOOR = -SELU_ALPHA * SELU_SCALE
"""What selu tends to for large negative inputs."""


def noise_shape(shape: Shape, given: NoiseShape) -> Shape:
    """The shape of the mask for an input of `shape`: a None in `given` takes the input's size, a 1 shares the mask.

    Raises:
        ValueError: the two do not fit.

    >>> noise_shape((32, 10, 8), (None, 1, None))
    (32, 1, 8)
    """
    if given is None:
        return shape
    if len(given) != len(shape) or any(n not in {None, 1, size} for n, size in zip(given, shape, strict=True)):
        raise ValueError(
            f"noise_shape {given} must have a 1, a None or the input's size for each axis of {shape}.\n"
            f"  Write noise_shape={(None,) * len(shape)}, with a 1 for each axis along which the mask is shared."
        )
    return tuple(size if n is None else n for n, size in zip(given, shape, strict=True))


keep_mask = kernel.keep_mask


def dropout(x: Float[Array, "..."], rate: Rate, key: Key[Array, ""], shape: NoiseShape = None) -> Float[Array, "..."]:
    """Zeroes at random: y = x m / (1 - rate), m ~ Bernoulli(1 - rate). Srivastava et al. 2014, JMLR 15.

    Args:
        x: any shape.
        rate: the share that is dropped, in [0, 1).
        key: decides the mask, with the element's position alone.
        shape: of the mask, where it is shared along some axes; see `noise_shape`.
    """
    rate, of_mask = jnp.asarray(rate, jnp.float32), noise_shape(x.shape, shape)
    if of_mask == x.shape and kernel.serves(x):
        return kernel.dropout(x, rate, jax.random.key_data(key))
    wide = widen(x)
    return (wide * kernel.keep_mask(key, rate, of_mask).astype(wide.dtype)).astype(x.dtype)


def alpha_dropout(
    x: Float[Array, "..."], rate: Rate, key: Key[Array, ""], shape: NoiseShape = None
) -> Float[Array, "..."]:
    """Dropout for selu: y = a (x m + s (1 - m)) + b, m ~ Bernoulli(1 - rate), s the floor of selu.

    a and b bring mean 0 and variance 1 back: a = ((1 - rate) (1 + rate s^2))^(-1/2), b = -a s rate.
    Klambauer et al. 2017, arXiv:1706.02515.
    """
    rate, s, wide = jnp.asarray(rate, jnp.float32), SELU_FLOOR, widen(x)
    kept = random.uniform(key, noise_shape(x.shape, shape)) >= rate
    a = ((1 - rate) * (1 + rate * s**2)) ** -0.5
    b = -a * s * rate
    return (jnp.where(kept, wide, s) * a.astype(wide.dtype) + b.astype(wide.dtype)).astype(x.dtype)


def gaussian_dropout(x: Float[Array, "..."], rate: Rate, key: Key[Array, ""]) -> Float[Array, "..."]:
    """Noise with the mean and variance of dropout: y = x (1 + sqrt(rate / (1 - rate)) e), e ~ N(0, 1).

    Srivastava et al. 2014, JMLR 15, section 10.
    """
    rate, wide = jnp.asarray(rate, jnp.float32), widen(x)
    noise = 1 + jnp.sqrt(rate / (1 - rate)) * random.normal(key, x.shape)
    return (wide * noise.astype(wide.dtype)).astype(x.dtype)


def gaussian_noise(x: Float[Array, "..."], stddev: Rate, key: Key[Array, ""]) -> Float[Array, "..."]:
    """Additive noise: y = x + stddev e, e ~ N(0, 1).

    Bishop 1995, "Training with noise is equivalent to Tikhonov regularization".
    """
    wide = widen(x)
    noise = jnp.asarray(stddev, jnp.float32) * random.normal(key, x.shape)
    return (wide + noise.astype(wide.dtype)).astype(x.dtype)
