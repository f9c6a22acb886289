"""Recurrent sequences: each cell, with and without steps, noise and a bias, both ways through time."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import recurrent

SIZES = {"batch": st.integers(0, 20), "time": st.integers(0, 7), "units": st.integers(1, 40)}
LARGE = {"batch": st.integers(60, 130), "time": st.integers(8, 12), "units": st.integers(60, 150)}  # many blocks
USUAL = {"batch": 5, "time": 4, "units": 19}


def _make(rng, cell, states, bias, masked, noisy, batch, time, units):
    # small weights, and for relu values away from its kink: finite differences are taken of these
    columns = cell.gates * units
    U, b = rng.normal(size=(units, columns)) / (10 * units**0.5), rng.normal(size=columns) / 5
    z = rng.normal(size=(batch, time, columns))
    parts = [
        z + 3 * np.sign(z) if cell is recurrent.SIMPLE_RELU else z / 2,
        U,
        *rng.normal(size=(states, batch, units)),
    ]
    parts += (
        [b] * bias + [rng.integers(0, 2, (batch, time))] * masked + [rng.integers(0, 2, (batch, units)) * 2] * noisy
    )
    return tuple(jnp.float32(p) for p in parts)


def _taken(function, cell, states, reverse, bias, masked, noisy):
    """The sequence as a function of the arrays alone."""

    def of(z, U, *rest):
        rest = list(rest)
        state = tuple(rest.pop(0) for _ in range(states))
        b, steps, noise = (rest.pop(0) if there else None for there in (bias, masked, noisy))
        return function(cell, reverse, z, U, b, state, noise, steps)

    return of


def _row(name, cell, reverse, masked, noisy, bias=True, sizes=SIZES, **more):
    states = 2 if cell.name == "lstm" else 1
    words = [name, *["reverse"] * reverse, *["ragged"] * masked, *["noisy"] * noisy, *["without bias"] * (not bias)]
    how = {"cell": cell, "states": states, "bias": bias, "masked": masked, "noisy": noisy}
    return Row(
        ", ".join(words) + (" in many blocks" if sizes is LARGE else ""),
        _taken(recurrent.sequence, reverse=reverse, **how),
        jax.jit(_taken(recurrent.formula, reverse=reverse, **how)),
        functools.partial(_make, **how),
        sizes,
        USUAL,
        differentiable=tuple(range(2 + states + bias)),
        handlers=(cell.name, cell.name + "_backward"),
        **{"examples": 3, **more},
    )


CELLS = {
    "lstm": recurrent.LSTM,
    "simple, tanh": recurrent.SIMPLE_TANH,
    "simple, relu": recurrent.SIMPLE_RELU,
    "gru": recurrent.GRU,
    "gru, reset before": recurrent.GRU_BEFORE,
}

HOW = list(itertools.product((False, True), repeat=3))  # reverse, ragged, noisy

ROWS = [
    row
    for name, cell in CELLS.items()
    for row in (
        *(_row(name, cell, *how) for how in (HOW[:1] if cell is recurrent.SIMPLE_RELU else HOW)),
        _row(name, cell, False, False, False, bias=False),
        _row(name, cell, True, True, True, sizes=LARGE, examples=2),
    )
]
