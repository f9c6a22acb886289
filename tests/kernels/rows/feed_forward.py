"""A product that ends in GELU, and two dense layers in a row."""

import jax
import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from tests.kernels.rows.matmul import DEEP, FEW, LARGE, SIZES
from thalweg.kernels import feed_forward, matmul

USUAL = {"m": 13, "k": 21, "n": 37}
BOTH = {**SIZES, "units": st.integers(1, 70)}


def _sizes(m, k, n):
    return (m, k), (k, n), (n,)


def _normal(rng, *shapes):
    return tuple(jnp.float32(rng.normal(size=s)) for s in shapes)


def _curve(name):
    return jax.nn.relu if name == "relu" else lambda z: jax.nn.gelu(z, approximate=name == "gelu_tanh")


def _pair(name):
    def reference(x, up, a, down, b, shortcut=0):
        return matmul.reference(_curve(name)(matmul.reference(x, up, a)), down, b) + shortcut

    def native(x, up, a, down, b, shortcut=None):
        return feed_forward.pair(x, up, a, down, b, shortcut, name)

    def make(rng, m, k, n, units):
        given = _normal(rng, *_sizes(m, k, n), (n, units), (units,))
        return given if name == "gelu" else (*given, *_normal(rng, (m, units)))  # two of three with a shortcut

    return Row(
        f"two products with {name} between",
        native,
        reference,
        make,
        BOTH,
        {**USUAL, "units": 15},
        differentiable=(0, 1, 2, 3, 4) if name == "gelu" else (0, 1, 2, 3, 4, 5),
        handlers=("matmul", "linear_gradient", "matmul_through", *(["linear_gelu"] if name != "relu" else [])),
        kinks=name == "relu",
        nan=name != "gelu_tanh",  # where its tanh is -1 the formula's h is 0, and 0 times Inf no number
    )


def _inner_gradient(relu, sizes, how=""):
    def reference(dy, kernel, slope):
        dh = dy @ kernel.T
        return jnp.where(slope > 0, dh, 0) if relu else dh * slope

    return Row(
        f"product through {'a ReLU' if relu else 'a slope'}{how}",
        feed_forward.inner_gradient(relu),
        reference,
        lambda rng, m, k, n: _normal(rng, (m, k), (n, k), (m, n)),
        sizes,
        USUAL,
        handlers=("matmul_through",),
        examples=25 if sizes is SIZES else 6,
    )


ROWS = [
    *(
        Row(
            f"linear with {name}{how}",
            lambda *x, name=name: feed_forward.linear(*x, name),
            lambda *x, name=name: _curve(name)(matmul.reference(*x)),
            lambda rng, m, k, n: _normal(rng, *_sizes(m, k, n)),
            sizes,
            USUAL,
            differentiable=(0, 1, 2),
            handlers=("linear_gelu", "matmul", "linear_gradient"),
            examples=25 if sizes is SIZES else 6,
        )
        for name, how, sizes in (
            ("gelu", "", SIZES),
            ("gelu", " in parts", DEEP),
            ("gelu", " of few rows in parts", FEW),
            ("gelu", " in blocks", LARGE),
            ("gelu_tanh", "", SIZES),
        )
    ),
    *(_pair(name) for name in feed_forward.ACTIVATIONS),
    *(_inner_gradient(relu, sizes, how) for relu in (False, True) for sizes, how in ((SIZES, ""), (DEEP, " in parts"))),
]
