"""Matrix products."""

import functools

import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import matmul

SIZES = {"m": st.integers(0, 70), "k": st.integers(0, 40), "n": st.integers(0, 100)}
LARGE = {"m": st.integers(60, 300), "k": st.integers(250, 600), "n": st.integers(500, 540)}  # cut into blocks


def _factors(rng, a_transposed, b_transposed, m, k, n):
    a, b = rng.normal(size=(m, k)), rng.normal(size=(k, n))
    return jnp.float32(a.T if a_transposed else a), jnp.float32(b.T if b_transposed else b)


def _reference(a, b, a_transposed, b_transposed):
    return (a.T if a_transposed else a) @ (b.T if b_transposed else b)


def _row(name, a_t, b_t, sizes=SIZES, **more):
    return Row(
        name,
        lambda a, b: matmul.product(a, b, a_t, b_t),
        lambda a, b: _reference(a, b, a_t, b_t),
        functools.partial(_factors, a_transposed=a_t, b_transposed=b_t),
        sizes,
        {"m": 13, "k": 21, "n": 37},
        differentiable=(0, 1),
        handlers=("matmul",),
        **more,
    )


ROWS = [
    _row("product", False, False),
    _row("product of a transposed", True, False),
    _row("product of b transposed", False, True),
    _row("product of both transposed", True, True),
    _row("product in blocks", False, False, LARGE, examples=6),
    _row("product in blocks of b transposed", False, True, LARGE, examples=6),
    Row(
        "linear",
        matmul.biased,
        matmul.reference,
        lambda rng, m, k, n: tuple(jnp.float32(rng.normal(size=s)) for s in ((m, k), (k, n), (n,))),
        SIZES,
        {"m": 13, "k": 21, "n": 37},
        differentiable=(0, 1, 2),
        handlers=("matmul",),
    ),
]
