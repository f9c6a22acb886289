"""Recurrent sequences as a `lax.scan`: the formulas of the native kernels in `recurrent.py`.

    a_t = z_t + (noise * h_{t-1}) U         the pre-activations of step t; z = x W + b is one product for all steps
    state_t = cell(a_t, state_{t-1})        state_t[0] is h_t

What is left in the loop is small, and on a CPU its speed is a matter of what XLA makes of it, so the loop has a
backward pass of its own: it keeps what each step's derivative needs, and it takes `dU = sum_t h_{t-1}^T da_t` as one
product after the loop, where automatic differentiation adds up one small product a step (two LSTM layers of 64, 28
steps, batch 128: two thirds of the time). The GRU, whose reset gate comes between, is left to JAX's own derivative.

A state is a sum over the steps, and so is its gradient: both are carried, and the steps computed, in float32 at least.

Shapes: z [time, batch, n units]; U [units, n units]; h, noise [batch, units]; steps [time, batch]; n = 1 for the simple
network, 3 for the GRU, 4 for the LSTM.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.kernels.precision import widen
from thalweg.types import Array, Float

State: TypeAlias = tuple[Float[Array, "batch units"], ...]
Equation: TypeAlias = Callable[[Array, State], State]


class Cell(NamedTuple):
    """One step and its derivative.

    forward(a, state) -> (new state, saved)
    backward(saved, d new state) -> (d a, d state)
    """

    forward: Callable[[Array, State], tuple[State, Any]]
    backward: Callable[[Any, State], tuple[Array, State]]


def differentiated(equation: Equation) -> Cell:
    """The cell of any step `equation(a, state) -> new state`: its arguments are kept, its derivative is JAX's."""

    def forward(a: Array, state: State) -> tuple[State, Any]:
        return equation(a, state), (a, state)

    def backward(saved: Any, d_state: State) -> tuple[Array, State]:
        return jax.vjp(equation, *saved)[1](d_state)

    return Cell(forward, backward)


def _recurrence(
    cell: Cell,
    reverse: bool,
    z: Float[Array, "time batch gates"],
    U: Float[Array, "units gates"],
    state: State,
    noise: Float[Array, "batch units"] | None,
    steps: Float[Array, "time batch"] | None,
) -> tuple[Float[Array, "time batch units"], State]:
    """All h_t, and the last state: a_t = z_t + (noise * h_{t-1}) U, state_t = cell(a_t, state_{t-1}).

    Args:
        cell: the step.
        reverse: whether time runs from the last step to the first.
        z: x W + b, time first.
        U: the recurrent kernel.
        state: before the first step.
        noise: constant noise on what U reads, the same at every step (Gal and Ghahramani 2016), or None.
        steps: 1 where a sequence has a step, 0 where its state stays as it is; or None.
    """
    (hs, _), state = _forward(cell, reverse, z, U, state, noise, steps)
    return hs, state


def _widened(state: State) -> State:
    return tuple(map(widen, state))


def _narrowed(state: State, like: Array) -> State:
    return tuple(part.astype(like.dtype) for part in state)


def _noisy(h: Array, noise: Array | None) -> Array:
    return h if noise is None else h * noise


def where_step(step: Float[Array, " batch"] | None, new: Any, old: Any) -> Any:
    """Tree `new` in the rows that have a step, `old` in the others."""
    if step is None:
        return new
    return jax.tree.map(lambda a, b: jnp.where(step[:, None] != 0, a, b), new, old)


def _forward(
    cell: Cell, reverse: bool, z: Array, U: Array, state: State, noise: Array | None, steps: Array | None
) -> tuple[tuple[Array, Any], State]:
    def step(state: State, at_t: Any) -> tuple[State, tuple[Array, Any]]:
        z_t, step_t = at_t
        h = _noisy(state[0].astype(z.dtype), noise)
        new, saved = cell.forward(widen(z_t) + widen(h @ U), state)
        state = where_step(step_t, new, state)
        return state, (state[0].astype(z.dtype), saved)

    state, kept = jax.lax.scan(step, _widened(state), (z, steps), reverse=reverse)
    return kept, _narrowed(state, z)


def _recurrence_forward(
    cell: Cell, reverse: bool, z: Array, U: Array, state: State, noise: Array | None, steps: Array | None
) -> tuple[Any, Any]:
    (hs, saved), last = _forward(cell, reverse, z, U, state, noise, steps)
    return (hs, last), (hs, saved, state[0], U, noise, steps)


def _recurrence_backward(cell: Cell, reverse: bool, kept: Any, d_out: Any) -> tuple[Array, Array, State, None, None]:
    hs, saved, h0, U, noise, steps = kept
    d_hs, d_last = d_out
    U_transposed = U.T

    def step(d_state: State, at_t: Any) -> tuple[State, Array]:
        d_h, saved_t, step_t = at_t
        d_state = (d_state[0] + widen(d_h), *d_state[1:])
        da, d_before = cell.backward(saved_t, d_state)
        da = where_step(step_t, da, jnp.zeros_like(da)).astype(d_h.dtype)
        d_before = where_step(step_t, d_before, d_state)
        return (d_before[0] + widen(_noisy(da @ U_transposed, noise)), *d_before[1:]), da

    d_state, das = jax.lax.scan(step, _widened(d_last), (d_hs, saved, steps), reverse=not reverse)
    read = jnp.concatenate([hs[1:], h0[None]] if reverse else [h0[None], hs[:-1]])  # h before the step
    if noise is not None:
        read = read * noise[None]
    dU = read.reshape(-1, U.shape[0]).T @ das.reshape(-1, U.shape[1])
    return das, dU, _narrowed(d_state, das), None, None


recurrence = jax.custom_vjp(_recurrence, nondiff_argnums=(0, 1))
recurrence.defvjp(_recurrence_forward, _recurrence_backward)


def _gates(a: Float[Array, "batch gates"]) -> tuple[Array, ...]:
    """The four gates sigmoid(i), sigmoid(f), tanh(g), sigmoid(o).

    As sigmoid(x) = (1 + tanh(x/2)) / 2, they are one tanh over all four, which XLA computes once and vectorised; taken
    apart first, the slices are computed again wherever they are read.
    """
    units = a.shape[-1] // 4
    half = jnp.asarray(np.repeat([0.5, 0.5, 1.0, 0.5], units)[None], a.dtype)
    i, f, g, o = jnp.split(jnp.tanh(a * half), 4, axis=-1)
    return i / 2 + 0.5, f / 2 + 0.5, g, o / 2 + 0.5


def _lstm_forward(a: Array, state: State) -> tuple[State, Any]:
    _, c = state
    i, f, g, o = _gates(a)
    new = f * c + i * g
    return (o * jnp.tanh(new), new), (i, f, g, o, c)


def _lstm_backward(saved: Any, d_state: State) -> tuple[Array, State]:
    i, f, g, o, c = saved
    dh, dc = d_state
    tanh_c = jnp.tanh(f * c + i * g)
    dc = dc + dh * o * (1 - tanh_c * tanh_c)
    da = (dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g), dh * tanh_c * o * (1 - o))
    return jnp.concatenate(da, axis=-1), (jnp.zeros_like(dh), dc * f)


LSTM_CELL = Cell(_lstm_forward, _lstm_backward)


def gru(
    z: Float[Array, "time batch gates"],
    U: Float[Array, "units gates"],
    b: Float[Array, " gates"] | None,
    state: State,
    noise: Float[Array, "batch units"] | None,
    steps: Float[Array, "time batch"] | None,
    reverse: bool,
    reset_after: bool,
    activation: Callable[[Array], Array] = jnp.tanh,
    recurrent_activation: Callable[[Array], Array] = jax.nn.sigmoid,
) -> tuple[Float[Array, "time batch units"], State]:
    """All h_t of a gated recurrent unit, and its last state; b is added to h U."""
    units = U.shape[0]
    b = jnp.zeros(3 * units, z.dtype) if b is None else b
    U, b, noise = widen(U), widen(b), None if noise is None else widen(noise)  # the loop adds up their gradients

    def gates_of(h: Array, first: int, end: int) -> Array:
        at = slice(first * units, end * units)
        return widen(h.astype(z.dtype) @ U[:, at].astype(z.dtype)) + b[None, at]

    def step(state: State, at_t: Any) -> tuple[State, Array]:
        (h,), (z_t, step_t) = state, at_t
        read = _noisy(h, noise)
        a, r, candidate = jnp.split(widen(z_t), 3, axis=-1)
        to_a, to_r = jnp.split(gates_of(read, 0, 2), 2, axis=-1)
        a, r = recurrent_activation(a + to_a), recurrent_activation(r + to_r)
        reset = r * gates_of(read, 2, 3) if reset_after else gates_of(r * read, 2, 3)
        new = a * h + (1 - a) * activation(candidate + reset)
        state = where_step(step_t, (new,), state)
        return state, state[0].astype(z.dtype)

    state, hs = jax.lax.scan(step, _widened(state), (z, steps), reverse=reverse)
    return hs, _narrowed(state, z)
