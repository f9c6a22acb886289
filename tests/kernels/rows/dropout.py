"""Dropout: the same mask as the formula's, to the bit."""

import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import dropout


def _make(rng, rows, columns):
    words = rng.integers(0, 2**32, 2, dtype=np.uint32)
    return jnp.float32(rng.normal(size=(rows, columns))), jnp.float32(rng.uniform(0, 0.9)), jnp.asarray(words)


ROWS = [
    Row(
        "dropout",
        dropout.dropout,
        dropout.reference,
        _make,
        {"rows": st.integers(0, 300), "columns": st.integers(0, 90)},
        {"rows": 7, "columns": 13},
        differentiable=(0,),
        handlers=("dropout",),
        tolerance=3e-7,
    )
]
