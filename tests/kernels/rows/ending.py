"""The gradient of a bias and a ReLU."""

import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import ending

SIZES = {"batch": st.integers(0, 9), "rows": st.integers(0, 90), "outs": st.integers(1, 70)}
USUAL = {"batch": 3, "rows": 11, "outs": 37}


def _y_and_dy(rng, batch, rows, outs):
    return tuple(jnp.float32(rng.normal(size=(batch, rows, outs))) for _ in range(2))


def _formula(y, dy):
    dz = jnp.where(y > 0, dy, 0)
    return dz, jnp.sum(dz, (0, 1))


ROWS = [
    Row(
        "gradient of a bias and a ReLU",
        ending.gradient,
        _formula,
        _y_and_dy,
        SIZES,
        USUAL,
        differentiable=(1,),
        handlers=("ending_gradient",),
    ),
    Row(
        "gradient of a bias",
        lambda dy: ending.gradient(None, dy)[1],
        lambda dy: jnp.sum(dy, (0, 1)),
        lambda rng, **sizes: _y_and_dy(rng, **sizes)[:1],
        SIZES,
        USUAL,
        differentiable=(0,),
        handlers=("ending_gradient",),
    ),
    Row(
        "sum with a bias",
        ending.biased,
        lambda x, b: x + b[None],
        lambda rng, rows, outs: tuple(jnp.float32(rng.normal(size=s)) for s in ((rows, outs), (outs,))),
        {"rows": SIZES["rows"], "outs": SIZES["outs"]},
        {"rows": 33, "outs": 37},
        differentiable=(0, 1),
        handlers=("ending_gradient",),
    ),
]
