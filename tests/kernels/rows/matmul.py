"""Matrix products."""

import functools

import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import matmul

SIZES = {"m": st.integers(0, 70), "k": st.integers(0, 40), "n": st.integers(0, 100)}
HALF = {"m": st.integers(0, 150), "k": st.sampled_from([0, 1, 5, 31, 32, 33, 100, 520]), "n": st.integers(0, 100)}
DEEP = {"m": st.integers(1, 80), "k": st.integers(500, 1300), "n": st.integers(1, 80)}  # cut into parts of the sum
FEW = {"m": st.integers(20, 47), "k": st.integers(500, 1500), "n": st.integers(100, 256)}  # rows; parts of B's rows
LARGE = {"m": st.integers(60, 300), "k": st.integers(250, 600), "n": st.integers(500, 540)}  # cut into blocks
APART = {"m": st.integers(513, 700), "k": st.integers(60, 600), "n": st.integers(20, 100)}  # strips of a copied
WIDE = {"m": st.integers(60, 70), "k": st.integers(2200, 2250), "n": st.integers(4200, 4250)}  # panels too many to keep


def _factors(rng, a_transposed, b_transposed, m, k, n, dtype=jnp.float32):
    a, b = rng.normal(size=(m, k)), rng.normal(size=(k, n))
    return tuple(jnp.asarray(f, dtype) for f in (a.T if a_transposed else a, b.T if b_transposed else b))


def _reference(a, b, a_transposed, b_transposed):
    return (a.T if a_transposed else a) @ (b.T if b_transposed else b)


def _row(name, a_t, b_t, sizes=SIZES, dtype=jnp.float32, **more):
    return Row(
        name,
        lambda a, b: matmul.product(a, b, a_t, b_t),
        lambda a, b: _reference(a, b, a_t, b_t),
        functools.partial(_factors, a_transposed=a_t, b_transposed=b_t, dtype=dtype),
        sizes,
        {"m": 13, "k": 21, "n": 37},
        differentiable=(0, 1),
        handlers=(matmul.NATIVE[jnp.dtype(dtype)],),
        **more,
    )


ROWS = [
    _row("product", False, False),
    _row("product of a transposed", True, False),
    _row("product of b transposed", False, True),
    _row("product of both transposed", True, True),
    _row("product in blocks", False, False, LARGE, examples=6),
    _row("product in blocks of b transposed", False, True, LARGE, examples=6),
    _row("product in blocks of a transposed", True, False, APART, examples=6),
    _row("product of many columns", False, False, WIDE, examples=2),
    _row("product of few rows in parts", False, False, FEW, examples=6),
    _row("product of few rows in parts of a transposed", True, False, FEW, examples=6),
    _row("product in parts", False, False, DEEP, examples=6),
    _row("product in parts of a transposed", True, False, DEEP, examples=6),
    *(
        _row(f"bfloat16 product {how}", a, b, HALF, jnp.bfloat16, tolerance=0.008, examples=12)
        for how, a, b in (("plain", False, False), ("of a transposed", True, False), ("of b transposed", False, True))
    ),
    *(
        Row(
            f"linear{how}",
            lambda *x, relu=relu: matmul.ended(*x, relu),
            lambda *x, relu=relu: matmul.reference(*x, relu),
            lambda rng, m, k, n: tuple(jnp.float32(rng.normal(size=s)) for s in ((m, k), (k, n), (n,))),
            sizes,
            {"m": 13, "k": 21, "n": 37},
            differentiable=(0, 1, 2),
            handlers=("matmul", "linear_gradient"),
        )
        for how, relu, sizes in (
            ("", False, SIZES),
            (" with a ReLU", True, SIZES),
            (" in parts with a ReLU", True, DEEP),
        )
    ),
    *(
        Row(
            f"linear with a shortcut{how}",
            matmul.added,
            lambda x, w, b, shortcut: matmul.reference(x, w, b) + shortcut,
            lambda rng, m, k, n: tuple(jnp.float32(rng.normal(size=s)) for s in ((m, k), (k, n), (n,), (m, n))),
            sizes,
            {"m": 13, "k": 21, "n": 37},
            differentiable=(0, 1, 2, 3),
            handlers=("matmul", "linear_gradient"),
            examples=examples,
        )
        for how, sizes, examples in (("", SIZES, 25), (" in parts", DEEP, 6), (" of few rows in parts", FEW, 6))
    ),
    Row(
        "linear with a ReLU in bfloat16",
        lambda *x: matmul.ended(*x, True),
        lambda *x: matmul.reference(*x, True),
        lambda rng, m, k, n: tuple(jnp.asarray(rng.normal(size=s), jnp.bfloat16) for s in ((m, k), (k, n), (n,))),
        HALF,
        {"m": 13, "k": 21, "n": 37},
        differentiable=(0, 1, 2),
        tolerance=0.02,
        handlers=("matmul_bf16",),
        examples=12,
    ),
    *(
        Row(
            f"gradient of linear{how}",
            matmul.gradient,
            lambda x, dy: (x.T @ dy, jnp.sum(dy, 0)),
            lambda rng, m, k, n: tuple(jnp.float32(rng.normal(size=s)) for s in ((k, m), (k, n))),
            sizes,
            {"m": 13, "k": 21, "n": 37},
            differentiable=(0, 1),
            handlers=("matmul", "linear_gradient"),
        )
        for how, sizes in (("", SIZES), (" in parts", DEEP))
    ),
]
