"""The matrix product with a bias and an activation: the work of a dense layer, and of two in a row."""

import math

import jax.numpy as jnp

from thalweg.kernels import ending, matmul
from thalweg.kernels import feed_forward as fused
from thalweg.ops.activations import activation as function_of
from thalweg.types import Array, Float

with_bias = ending.with_bias
"""The sum z + b along the last axis, by XLA; nothing where b is None."""

INSIDE = fused.ACTIVATIONS
"""The activations that `linear` and `feed_forward` apply before a product is written."""


def add_bias(y: Float[Array, "... features"], bias: Float[Array, " features"] | None) -> Float[Array, "... features"]:
    """The sum y + bias along the last axis; `y` itself where there is no bias."""
    if bias is not None and y.dtype == bias.dtype and ending.sums_serve(y):
        return ending.biased(_rows(y), bias).reshape(y.shape)
    return ending.with_bias(y, bias)


def linear(
    x: Float[Array, "... features"],
    kernel: Float[Array, "features units"],
    bias: Float[Array, " units"] | None = None,
    activation: str | None = None,
    shortcut: Float[Array, "... units"] | None = None,
) -> Float[Array, "... units"]:
    """The product y = x W + b on the last axis, f(x W + b), or x W + b + r, in one pass.

    Args:
        x: [..., features].
        kernel: W, [features, units].
        bias: b, [units], or None.
        activation: f, one of "relu", "gelu", "gelu_tanh", or None.
        shortcut: r, [..., units], added behind the activation, or None.

    Returns:
        y, [..., units].

    >>> import jax.numpy as jnp
    >>> linear(jnp.ones((1, 2)), jnp.ones((2, 3)), jnp.ones(3)).tolist()
    [[3.0, 3.0, 3.0]]
    """
    if shortcut is not None:
        if activation is not None or not fused.serves(x, kernel):
            return linear(x, kernel, bias, activation) + shortcut
        return _shaped(matmul.added(_rows(x), kernel, bias, _rows(shortcut)), x, kernel)
    if activation in (None, "relu"):
        return matmul.linear(x, kernel, bias, activation == "relu")
    assert activation is not None
    if not fused.serves(x, kernel):
        return function_of(activation)(matmul.linear(x, kernel, bias))
    return _shaped(fused.linear(_rows(x), kernel, bias, activation), x, kernel)


def feed_forward(
    x: Float[Array, "... features"],
    up: Float[Array, "features inner"],
    up_bias: Float[Array, " inner"] | None,
    activation: str,
    down: Float[Array, "inner units"],
    down_bias: Float[Array, " units"] | None,
    shortcut: Float[Array, "... units"] | None = None,
) -> Float[Array, "... units"]:
    """Two products with an activation between, y = f(x U + a) V + b: `linear` twice, and faster on the way back.

    Args:
        x: [..., features].
        up: U, [features, inner].
        up_bias: a, [inner], or None.
        activation: f, one of "relu", "gelu", "gelu_tanh".
        down: V, [inner, units].
        down_bias: b, [units], or None.
        shortcut: r, [..., units], added to y, or None.

    Returns:
        y, [..., units].

    >>> feed_forward(jnp.ones((1, 2)), jnp.ones((2, 3)), None, "relu", jnp.ones((3, 1)), None).tolist()
    [[6.0]]
    """
    if fused.serves(x, up, down):
        rest = None if shortcut is None else _rows(shortcut)
        return _shaped(fused.pair(_rows(x), up, up_bias, down, down_bias, rest, activation), x, down)
    return linear(linear(x, up, up_bias, activation), down, down_bias, None, shortcut)


def _rows(x: Array) -> Array:
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _shaped(y: Array, x: Array, kernel: Array) -> Array:
    return jnp.reshape(y, (*x.shape[:-1], kernel.shape[-1]))
