"""The softmax of rows, and the place of a row's largest number."""

import jax
import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import library, softmax
from thalweg.types import ShapeDtype

SIZES = {"rows": st.integers(0, 40), "classes": st.integers(1, 200)}
USUAL = {"rows": 7, "classes": 37}


def _argmax(z):
    return library.call("argmax", ShapeDtype(z.shape[:-1], jnp.int32), z)


def _with_ties(rng, rows, classes):
    return (jnp.float32(rng.integers(0, 5, (rows, classes))),)


ROWS = [
    Row(
        "softmax",
        softmax.native,
        jax.nn.softmax,
        lambda rng, rows, classes: (jnp.float32(rng.normal(0, 5, (rows, classes))),),
        SIZES,
        USUAL,
        differentiable=(0,),
        handlers=("softmax", "softmax_backward"),
    ),
    Row("argmax", _argmax, lambda z: jnp.argmax(z, axis=-1), _with_ties, SIZES, USUAL, handlers=("argmax",)),
]
