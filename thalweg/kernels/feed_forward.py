"""A product that ends in an activation, and two of them in a row, native, with their gradients.

    h = f(z)  z = x U + a      y = h V + b      dz = (dy V^T) s  s = f'(z)

then dV, db from (h, dy), and dx, dU, da from (x, dz) as in `matmul.py`. The slope s is computed with h, with which it
shares the costly part, and kept in the place of z; that of a ReLU is read off h. dz is one product, which never writes
the matrix dy V^T.

Shapes: x [rows, features], U [features, inner], a [inner], h, z, s [rows, inner], V [inner, units], b [units].
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from thalweg.kernels import ending, library, matmul
from thalweg.kernels.closed import closed
from thalweg.types import Array, ShapeDtype

CURVES = {"gelu": False, "gelu_tanh": True}
"""Whether GELU is the approximate one."""

ACTIVATIONS = ("relu", *CURVES)


def serves(x: Array, up: Array, down: Array | None = None) -> bool:
    """Whether the native functions run for one product, or for two in a row."""
    second = down is None or (down.dtype == up.dtype and x.size // max(1, x.shape[-1]) * down.size >= matmul.SMALLEST)
    return x.dtype == jnp.float32 and matmul.serves(x, up) and second


def curve(z: Array, name: str) -> Array:
    """f(z), by XLA."""
    return jax.nn.gelu(z, approximate=CURVES[name])


def reference(x: Array, kernel: Array, bias: Array | None, name: str) -> tuple[Array, Array]:
    """(h, s), by XLA."""
    z = matmul.reference(x, kernel, bias)
    h, slope = jax.jvp(lambda z: curve(z, name), (z,), (jnp.ones_like(z),))
    return h, slope


def _native(x: Array, kernel: Array, bias: Array | None, name: str, sloped: bool) -> tuple[Array, Array]:
    shape = x.shape[0], kernel.shape[1]
    h, slope = library.call(
        "linear_gelu", (ShapeDtype(shape, x.dtype), ShapeDtype(shape if sloped else (0,), x.dtype)),
        x, kernel, ending.or_nothing(bias, x.dtype), approximate=CURVES[name],
    )  # fmt: skip
    return h, slope


@functools.cache
def _sloped(name: str) -> Any:
    """(x, U, a) -> (h, s)."""
    return closed(lambda x, w, b: _native(x, w, b, name, True), lambda x, w, b: reference(x, w, b, name))


def _forward(x: Array, kernel: Array, bias: Array | None, name: str) -> tuple[Array, Array]:
    """h, and what `inner_gradient` takes."""
    if name != "relu":
        return _sloped(name)(x, kernel, bias)
    h: Any = matmul.ended(x, kernel, bias, True)
    return h, h


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def linear(x: Array, kernel: Array, bias: Array | None, name: str) -> Array:
    """h, where `name` is of `CURVES`."""
    return _native(x, kernel, bias, name, False)[0]


def _linear_forward(x: Array, kernel: Array, bias: Array | None, name: str) -> tuple[Array, Any]:
    h, slope = _forward(x, kernel, bias, name)
    return h, (x, kernel, bias, slope)


def _linear_backward(name: str, saved: Any, dh: Array) -> tuple[Any, Any, Any]:
    del name  # its slope is there
    x, kernel, bias, slope = saved
    return _linear_gradient(x, kernel, bias, dh * slope)


linear.defvjp(_linear_forward, _linear_backward)


def _linear_gradient(x: Array, kernel: Array, bias: Array | None, dz: Array) -> tuple[Any, Any, Any]:
    dw, db = matmul.gradient(x, dz)
    return matmul.product(dz, kernel, False, True), dw, None if bias is None else db


@functools.partial(jax.custom_vjp, nondiff_argnums=(6,))
def pair(
    x: Array, up: Array, a: Array | None, down: Array, b: Array | None, shortcut: Array | None, name: str
) -> Array:
    """y, or y + shortcut, where `name` is of `ACTIVATIONS`."""
    h: Any = matmul.ended(x, up, a, True) if name == "relu" else linear(x, up, a, name)
    return _second(h, down, b, shortcut)


def _second(h: Array, kernel: Array, bias: Array | None, shortcut: Array | None) -> Array:
    if shortcut is not None:
        y: Any = matmul.added(h, kernel, bias, shortcut)
    else:
        y = matmul.product(h, kernel, False, False) if bias is None else matmul.ended(h, kernel, bias, False)
    return y


def _pair_forward(
    x: Array, up: Array, a: Array | None, down: Array, b: Array | None, shortcut: Array | None, name: str
) -> tuple[Array, Any]:
    h, slope = _forward(x, up, a, name)
    return _second(h, down, b, shortcut), (x, up, a, down, b, None if shortcut is None else (), h, slope)


def _pair_backward(name: str, saved: Any, dy: Array) -> tuple[Any, ...]:
    x, up, a, down, b, added, h, slope = saved
    dv, db = matmul.gradient(h, dy)
    dz = inner_gradient(name == "relu")(dy, down, slope)
    return *_linear_gradient(x, up, a, dz), dv, None if b is None else db, None if added is None else dy


pair.defvjp(_pair_forward, _pair_backward)


@functools.cache
def inner_gradient(relu: bool) -> Any:
    """(dy, V, s) -> dz, the gradient at the sums before the activation, whose slope is s; of a ReLU s is h."""

    def native(dy: Array, kernel: Array, slope: Array) -> Array:
        return library.call("matmul_through", ShapeDtype(slope.shape, dy.dtype), dy, kernel, slope, relu=relu)

    def formula(dy: Array, kernel: Array, slope: Array) -> Array:
        dh = dy @ kernel.T
        return ending.relu_gradient(slope, dh) if relu else dh * slope

    return closed(native, formula)
