"""GELU in both forms."""

import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import gelu


def _row(name, approximate):
    return Row(
        name,
        lambda x: gelu.native(x, approximate),
        lambda x: gelu.reference(x, approximate),
        lambda rng, rows, n: (jnp.float32(rng.normal(0, 3, (rows, n))),),
        {"rows": st.integers(0, 90), "n": st.integers(0, 90)},
        {"rows": 7, "n": 37},
        differentiable=(0,),
        handlers=("gelu", "gelu_backward"),
        nan=True,
    )


ROWS = [_row("gelu", False), _row("gelu by tanh", True)]
