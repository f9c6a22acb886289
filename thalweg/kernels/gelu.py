"""GELU, native: the one activation whose loop by XLA is several times slower than memory. The others stay with XLA,
which fuses them with their neighbours.

    gelu(x) = x Phi(x)                                    dx = dy (Phi(x) + x phi(x))
    Phi(x) ~ (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))/2  where it is approximate
"""

import functools
from typing import Any

import jax

from thalweg.kernels import library
from thalweg.kernels.closed import closed
from thalweg.kernels.precision import WIDENED, widen
from thalweg.types import Array, Float, ShapeDtype

SMALLEST = 2**16
"""Numbers below which XLA's own loop is as fast as a call out of it."""


def serves(x: Float[Array, "..."]) -> bool:
    """Whether the native loop runs for this."""
    return x.dtype in WIDENED and x.size >= SMALLEST and library.serves()


def reference(x: Float[Array, "..."], approximate: bool) -> Float[Array, "..."]:
    """By XLA."""
    return jax.nn.gelu(x, approximate=approximate)


def gelu(x: Float[Array, "..."], approximate: bool) -> Float[Array, "..."]:
    """By whichever is the faster."""
    if not serves(x):
        return reference(x, approximate)
    y: Any = native(widen(x), approximate)
    return y.astype(x.dtype)


def _native(x: Array, approximate: bool) -> Array:
    return library.call("gelu", ShapeDtype(x.shape, x.dtype), x, approximate=approximate)


native = jax.custom_vjp(_native, nondiff_argnums=(1,))


def _forward(x: Array, approximate: bool) -> tuple[Array, Array]:
    return native(x, approximate), x


def _backward(approximate: bool, x: Array, dy: Array) -> tuple[Array]:
    return (_gradient(approximate)(x, dy),)


@functools.cache
def _gradient(approximate: bool) -> Any:
    def run(x: Array, dy: Array) -> Array:
        return library.call(
            "gelu_backward", ShapeDtype(x.shape, x.dtype), x, dy, aliases={1: 0}, approximate=approximate
        )

    def formula(x: Array, dy: Array) -> Array:
        return jax.vjp(lambda x: reference(x, approximate), x)[1](dy)[0]

    return closed(run, formula)


native.defvjp(_forward, _backward)
