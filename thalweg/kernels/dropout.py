"""Dropout, native: y = x m / (1 - rate), m ~ Bernoulli(1 - rate), and dx = dy m / (1 - rate).

The mask is a function of key and position (`thalweg.random`), so it is not kept for the backward pass but drawn again:
drawing costs less than writing it to memory and reading it back.
"""

import jax
import jax.numpy as jnp

from thalweg import random
from thalweg.kernels import library
from thalweg.types import Array, Float, Key, ShapeDtype, UInt32

SMALLEST = 2**12
"""Numbers below which XLA's loop, fused with what is around it, is as fast."""


def serves(x: Float[Array, "..."]) -> bool:
    """Whether the native function runs for these."""
    return x.dtype == jnp.float32 and x.size >= SMALLEST and library.serves()


def keep_mask(key: Key[Array, ""], rate: Float[Array, ""], shape: tuple[int, ...]) -> Float[Array, "..."]:
    """0 with probability `rate`, else 1 / (1 - rate), in float32: its mean is 1."""
    return jnp.where(random.uniform(key, shape) >= rate, 1 / (1 - rate), 0.0)


def reference(x: Float[Array, "..."], rate: Float[Array, ""], words: UInt32[Array, "2"]) -> Float[Array, "..."]:
    """The formula, for the two words of a key."""
    return x * keep_mask(jax.random.wrap_key_data(words), rate, x.shape)


@jax.custom_vjp
def dropout(x: Float[Array, "..."], rate: Float[Array, ""], words: UInt32[Array, "2"]) -> Float[Array, "..."]:
    """The native function, for the two words of a key; `rate` has no gradient."""
    return library.call("dropout", ShapeDtype(x.shape, x.dtype), x, words, rate)


def _forward(x: Array, rate: Array, words: Array) -> tuple[Array, tuple[Array, Array]]:
    return dropout(x, rate, words), (rate, words)


def _backward(saved: tuple[Array, Array], dy: Array) -> tuple[Array, Array, None]:
    rate, words = saved
    return dropout(dy, rate, words), jnp.zeros_like(rate), None


dropout.defvjp(_forward, _backward)
