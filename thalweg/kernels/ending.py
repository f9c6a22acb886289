"""What follows a product or a convolution: the bias and the ReLU, which the native functions apply before they write.

    y = max(z + b, 0)      dz = dy where y > 0      db = sum over rows of dz

The bias may be absent, and so may the ReLU.

Shapes: z, y, dy, dz [.., outs]; b, db [outs].
"""

from typing import Any

import jax
import jax.numpy as jnp

from thalweg.kernels import library
from thalweg.kernels.closed import closed
from thalweg.kernels.precision import rounded
from thalweg.types import Array, Float, ShapeDtype

SMALLEST = 2**15
"""Numbers below which XLA's own sums are as fast as a call out of it."""


def with_bias(z: Float[Array, "... outs"], bias: Float[Array, " outs"] | None) -> Float[Array, "... outs"]:
    """The sum z + b, by XLA."""
    return z if bias is None else rounded(jnp.add, z, bias.reshape((1,) * (z.ndim - 1) + bias.shape))


def apply(z: Float[Array, "... outs"], bias: Float[Array, " outs"] | None, relu: bool) -> Float[Array, "... outs"]:
    """y, by XLA."""
    y = with_bias(z, bias)
    return jax.nn.relu(y) if relu else y


def or_nothing(bias: Array | None, dtype: Any) -> Array:
    """The bias as a native function takes it: nothing has no numbers."""
    return jnp.zeros(0, dtype) if bias is None else bias


def relu_gradient(y: Float[Array, "..."], dy: Float[Array, "..."]) -> Float[Array, "..."]:
    """The gradient dz of the sum that the ReLU gave `y` of."""
    return jnp.where(y > 0, dy, 0)


def gradient(y: Float[Array, "... outs"] | None, dy: Float[Array, "... outs"]) -> tuple[Any, Any]:
    """(dz, db) in one pass, natively; without `y` there was no ReLU, and dz is dy."""
    if y is None:
        return dy, _sums(jnp.zeros(0, dy.dtype), dy)[1]
    return _sums(y, dy)


def _native(y: Array, dy: Array) -> Any:
    results = ShapeDtype(y.shape, y.dtype), ShapeDtype(dy.shape[-1:], dy.dtype)
    return library.call("ending_gradient", results, y, dy, aliases={1: 0} if y.size else None)


def _formula(y: Array, dy: Array) -> Any:
    dz = relu_gradient(y, dy) if y.size else dy
    return (dz if y.size else jnp.zeros(0, dy.dtype)), jnp.sum(dz, axis=tuple(range(dy.ndim - 1)))


_sums = closed(_native, _formula)


@jax.custom_vjp
def biased(x: Float[Array, "rows outs"], bias: Float[Array, " outs"]) -> Float[Array, "rows outs"]:
    """The sum x + b; on the way back the sums over the rows are native."""
    return x + bias[None]


def _biased_forward(x: Array, bias: Array) -> tuple[Array, None]:
    return biased(x, bias), None


def _biased_backward(_: None, dy: Array) -> tuple[Any, Any]:
    return gradient(None, dy)


biased.defvjp(_biased_forward, _biased_backward)


def sums_serve(x: Float[Array, "..."]) -> bool:
    """Whether `biased` may run for this."""
    return x.dtype == jnp.float32 and x.size >= SMALLEST and library.serves()
