"""Adam's update."""

import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import adam


def _make(rng, rows, columns):
    g, m, v = (jnp.float32(rng.normal(size=(rows, columns))) for _ in range(3))
    return g, m, v * v, *map(jnp.float32, (rng.uniform(1e-4, 1), 0.9, 0.999, 1e-7))


ROWS = [
    Row(
        "adam",
        adam.native,
        adam.reference,
        _make,
        {"rows": st.integers(0, 200), "columns": st.integers(0, 90)},
        {"rows": 7, "columns": 13},
        handlers=("adam",),
        tolerance=1e-6,
    )
]
