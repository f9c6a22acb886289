"""Activations: scalar functions applied elementwise, and the two that normalise along an axis.

A large input makes no NaN, in the value or in the derivative; at a kink the derivative is the one from the left
(`relu'(0) = 0`); and a NaN stays a NaN, so that its origin can be found.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from thalweg.errors import ConfigError
from thalweg.kernels import gelu as kernels
from thalweg.kernels import softmax as rows
from thalweg.ops.precision import rounded, widen
from thalweg.record import resolve
from thalweg.types import Array, Float

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def elu(x: Float[Array, "..."], alpha: float = 1.0) -> Float[Array, "..."]:
    """elu(x) = x for x > 0, else alpha (exp(x) - 1). Clevert et al. 2015, arXiv:1511.07289."""
    negative = jnp.where(x > 0, 0.0, x)  # keeps exp, and so the derivative, finite where x is large
    return jnp.where(x > 0, x, alpha * jnp.expm1(negative))


def exponential(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """exp(x)."""
    return jnp.exp(x)


def gelu(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """gelu(x) = x Phi(x), with the normal distribution function. Hendrycks and Gimpel 2016, arXiv:1606.08415."""
    return kernels.gelu(x, False)


def gelu_tanh(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """The approximation x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) of `gelu`, from the same paper."""
    return kernels.gelu(x, True)


def hard_sigmoid(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """hard_sigmoid(x) = relu6(x + 3) / 6."""
    return relu6(x + 3) / 6


def leaky_relu(x: Float[Array, "..."], negative_slope: float = 0.2) -> Float[Array, "..."]:
    """leaky_relu(x) = x for x > 0, else negative_slope x. Maas et al. 2013."""
    return jnp.where(x > 0, x, negative_slope * x)


def linear(x: Array) -> Array:
    """The identity, x."""
    return x


def log_softmax(x: Float[Array, "..."], axis: int | Sequence[int] = -1) -> Float[Array, "..."]:
    """log_softmax(x)_i = x_i - log sum_j exp(x_j), computed in at least float32."""
    return jax.nn.log_softmax(widen(x), axis=axis).astype(x.dtype)


def mish(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """mish(x) = x tanh(softplus(x)). Misra 2019, arXiv:1908.08681."""
    return x * jnp.tanh(softplus(x))


def prelu(x: Float[Array, "..."], alpha: Float[Array, "..."]) -> Float[Array, "..."]:
    """prelu(x) = x for x > 0, else alpha x, with alpha learned. He et al. 2015, arXiv:1502.01852."""
    return rounded(lambda x, alpha: jnp.where(x > 0, x, alpha * x), x, alpha)


def relu(
    x: Float[Array, "..."], negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Float[Array, "..."]:
    """relu(x) = max(x, 0); in general max_value above it, negative_slope (x - threshold) up to the threshold."""
    if threshold == 0.0 and negative_slope == 0.0:
        y = jax.nn.relu(x)
    else:
        y = jnp.where(x > threshold, x, negative_slope * (x - threshold))
    return y if max_value is None else jnp.where(x > max_value, max_value, y)


def relu6(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """relu6(x) = min(max(x, 0), 6)."""
    return relu(x, max_value=6.0)


def selu(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """selu(x) = scale elu(x, alpha), the constants that keep mean 0 and variance 1. Klambauer et al. 2017."""
    return SELU_SCALE * elu(x, SELU_ALPHA)


def sigmoid(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """sigmoid(x) = 1 / (1 + exp(-x))."""
    return jax.nn.sigmoid(x)


def silu(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """silu(x) = x sigmoid(x), also called swish. Elfwing et al. 2017, arXiv:1702.03118."""
    return x * jax.nn.sigmoid(x)


def softmax(x: Float[Array, "..."], axis: int | Sequence[int] = -1) -> Float[Array, "..."]:
    """softmax(x)_i = exp(x_i) / sum_j exp(x_j), computed in at least float32."""
    wide = widen(x)
    p = rows.softmax(wide) if axis in (-1, x.ndim - 1) else jax.nn.softmax(wide, axis=axis)
    return p.astype(x.dtype)


def softplus(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """softplus(x) = log(1 + exp(x))."""
    return jnp.logaddexp(x, jnp.zeros_like(x))


def softsign(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """softsign(x) = x / (1 + |x|)."""
    return x / (1 + jnp.abs(x))


def step(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """step(x) = 1 for x >= 0, else 0: the perceptron's unit. Its derivative is 0 everywhere. Rosenblatt 1958."""
    return jnp.where(jnp.isnan(x), x, (x >= 0).astype(x.dtype))


def tanh(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """tanh(x)."""
    return jnp.tanh(x)


FUNCTIONS: dict[str, Callable[..., Array]] = {
    "elu": elu,
    "exponential": exponential,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "hard_sigmoid": hard_sigmoid,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "log_softmax": log_softmax,
    "mish": mish,
    "relu": relu,
    "relu6": relu6,
    "selu": selu,
    "sigmoid": sigmoid,
    "silu": silu,
    "softmax": softmax,
    "softplus": softplus,
    "softsign": softsign,
    "step": step,
    "swish": silu,
    "tanh": tanh,
}
_TABLE = {name: lambda function=function: function for name, function in FUNCTIONS.items()}


def activation(value: Any) -> Callable[..., Array]:
    """The function of a name ("relu"), of a function (itself) or of None (`linear`).

    Raises:
        ConfigError: the name is unknown, or the value is neither a name nor a function.

    >>> activation("ReLU") is relu
    True
    """
    function: Callable[..., Array] = linear if value is None else resolve(value, _TABLE, "activation")
    if not callable(function):
        raise ConfigError(f"activation must be a name or a function; it is {value!r}.\n  Write activation='relu'.")
    return function
