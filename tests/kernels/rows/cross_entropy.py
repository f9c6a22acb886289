"""Cross-entropies of class numbers and of shares."""

import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import cross_entropy

SIZES = {"rows": st.integers(0, 40), "classes": st.integers(1, 150)}
USUAL = {"rows": 13, "classes": 37}


def _sparse(rng, rows, classes):  # class numbers out of range too
    return jnp.float32(rng.normal(0, 5, (rows, classes))), jnp.int32(rng.integers(-1, classes + 1, rows))


def _dense(rng, rows, classes):
    return jnp.float32(rng.normal(0, 5, (rows, classes))), jnp.float32(rng.random((rows, classes)))


ROWS = [
    Row(
        "sparse cross-entropy",
        cross_entropy.sparse,
        cross_entropy.sparse_reference,
        _sparse,
        SIZES,
        USUAL,
        differentiable=(0,),
        handlers=("cross_entropy", "cross_entropy_backward"),
    ),
    Row(
        "dense cross-entropy",
        cross_entropy.dense,
        cross_entropy.dense_reference,
        _dense,
        SIZES,
        USUAL,
        differentiable=(0, 1),
        handlers=("cross_entropy_dense", "cross_entropy_dense_backward"),
    ),
]
