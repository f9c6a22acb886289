"""The matrix product with a bias: the work of a dense layer."""

from thalweg.kernels import matmul
from thalweg.types import Array, Float


def add_bias(y: Float[Array, "... features"], bias: Float[Array, " features"] | None) -> Float[Array, "... features"]:
    """The sum y + bias along the last axis; `y` itself where there is no bias."""
    return y if bias is None else y + bias.reshape((1,) * (y.ndim - 1) + bias.shape)


def linear(
    x: Float[Array, "... features"],
    kernel: Float[Array, "features units"],
    bias: Float[Array, " units"] | None = None,
    relu: bool = False,
) -> Float[Array, "... units"]:
    """The product y = x W + b on the last axis, or max(x W + b, 0) in one pass.

    Args:
        x: [..., features].
        kernel: W, [features, units].
        bias: b, [units], or None.
        relu: whether the ReLU follows.

    Returns:
        y, [..., units].

    >>> import jax.numpy as jnp
    >>> linear(jnp.ones((1, 2)), jnp.ones((2, 3)), jnp.ones(3)).tolist()
    [[3.0, 3.0, 3.0]]
    """
    return matmul.linear(x, kernel, bias, relu)
