"""Normalisation of rows and of columns."""

import functools

import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import normalization

SIZES = {"rows": st.integers(0, 300), "n": st.integers(1, 140)}
USUAL = {"rows": 70, "n": 37}


def _by_row(name, centered, gamma, beta, beside=False):
    def make(rng, rows, n):
        parts = (rng.normal(1, 2, (rows, n)), 1 + rng.normal(size=n * gamma), rng.normal(size=n * beta))
        return tuple(jnp.float32(p) for p in parts)

    def native(*a):
        return normalization.branched(*a, 1e-3) if beside else normalization.normalized(*a, centered, 1e-3)[0]

    def reference(x, *a):
        y = normalization.reference(x, *a, centered, 1e-3)
        return (y, x) if beside else y

    return Row(
        name,
        native,
        reference,
        make,
        SIZES,
        USUAL,
        differentiable=(0, 1, 2),
        handlers=("layer_norm", "layer_norm_backward"),
    )


def _columns(rng, weighted, gamma, beta, rows, n):
    x = rng.normal(1, 2, (rows, n))
    w = rng.integers(0, 2, rows * weighted)
    parts = (x, w, 1 + rng.normal(size=n * gamma), rng.normal(size=n * beta))
    return tuple(jnp.float32(p) for p in parts)


def _by_column(name, weighted=False, gamma=True, beta=True):
    return Row(
        name,
        lambda *a: normalization.by_batch(*a, 1e-3, 4.0),
        lambda *a: normalization.columns_reference(*a, 1e-3, 4.0),
        functools.partial(_columns, weighted=weighted, gamma=gamma, beta=beta),
        {"rows": st.integers(1, 2000), "n": st.integers(1, 70)},
        {"rows": 150, "n": 37},
        differentiable=(0, 2, 3),
        handlers=("batch_norm", "batch_norm_backward"),
    )


ROWS = [
    _by_row("layer norm", True, True, True),
    _by_row("layer norm without scale and shift", True, False, False),
    _by_row("layer norm without shift", True, True, False),
    _by_row("layer norm with a way beside", True, True, True, beside=True),
    _by_row("layer norm without scale and shift, with a way beside", True, False, False, beside=True),
    _by_row("rms norm", False, True, False),
    _by_column("batch norm"),
    _by_column("batch norm of weighted rows", weighted=True),
    _by_column("batch norm without scale and shift", gamma=False, beta=False),
]
