"""Recurrent sequences: a state carried over time.

    a_t = x_t W + b + h_{t-1} U        the pre-activations of step t
    state_t = cell(a_t, state_{t-1})   state_t[0] is h_t

`x W + b` is one matrix product for all steps. What is left in the loop is small, and on a CPU its speed is a matter of
what XLA makes of it, so the loop has a backward pass of its own: it keeps what each step's derivative needs, and it
takes `dU = sum_t h_{t-1}^T da_t` as one product after the loop, where automatic differentiation adds up one small
product a step (two LSTM layers of 64, 28 steps, batch 128: two thirds of the time).

Shapes: x [batch, time, features]; W `kernel` [features, n units]; U `recurrent_kernel` [units, n units]; b `bias`
[n units]; h [batch, units]; n = 1 for the simple network, 4 for the LSTM. Inside, time comes first.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.ops.activations import sigmoid, tanh
from thalweg.ops.linear import linear
from thalweg.ops.precision import widen
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
    z: Float[Array, "time batch gates"],
    U: Float[Array, "units gates"],
    state: State,
    mask: Float[Array, "batch units"] | None,
) -> tuple[Float[Array, "time batch units"], State]:
    """All h_t, and the last state: a_t = z_t + (mask * h_{t-1}) U, state_t = cell(a_t, state_{t-1}).

    Args:
        cell: the step.
        z: x W + b, time first.
        U: the recurrent kernel.
        state: before the first step.
        mask: constant noise on what U reads, the same at every step (Gal and Ghahramani 2016), or None.
    """
    (hs, _), state = _forward(cell, z, U, state, mask)
    return hs, state


def _masked(h: Array, mask: Array | None) -> Array:
    return h if mask is None else h * mask


def _forward(cell: Cell, z: Array, U: Array, state: State, mask: Array | None) -> tuple[tuple[Array, Any], State]:
    def step(state: State, z_t: Array) -> tuple[State, tuple[Array, Any]]:
        state, saved = cell.forward(z_t + _masked(state[0], mask) @ U, state)
        return state, (state[0], saved)

    state, kept = jax.lax.scan(step, state, z)
    return kept, state


def _recurrence_forward(cell: Cell, z: Array, U: Array, state: State, mask: Array | None) -> tuple[Any, Any]:
    (hs, saved), last = _forward(cell, z, U, state, mask)
    return (hs, last), (hs, saved, state[0], U, mask)


def _recurrence_backward(cell: Cell, kept: Any, d_out: Any) -> tuple[Array, Array, State, None]:
    hs, saved, h0, U, mask = kept
    d_hs, d_last = d_out
    U_transposed = U.T

    def step(d_state: State, at_t: Any) -> tuple[State, Array]:
        d_h, saved_t = at_t
        da, d_state = cell.backward(saved_t, (d_state[0] + d_h, *d_state[1:]))
        through_U = _masked(da @ U_transposed, mask)
        return (d_state[0] + through_U, *d_state[1:]), da

    d_state, das = jax.lax.scan(step, d_last, (d_hs, saved), reverse=True)
    read = jnp.concatenate([h0[None], hs[:-1]])  # h_{t-1}
    if mask is not None:
        read = read * mask[None]
    dU = read.reshape(-1, U.shape[0]).T @ das.reshape(-1, U.shape[1])
    return das, dU, d_state, None


recurrence = jax.custom_vjp(_recurrence, nondiff_argnums=(0,))
recurrence.defvjp(_recurrence_forward, _recurrence_backward)


def _sequence(
    cell: Cell, x: Array, kernel: Array, recurrent_kernel: Array, bias: Array | None, state: State, mask: Array | None
) -> tuple[Array, State]:
    z = linear(x.swapaxes(0, 1), kernel, bias)
    hs, state = recurrence(cell, z, recurrent_kernel, state, mask)
    return hs.swapaxes(0, 1), state


def simple_rnn(
    x: Float[Array, "batch time features"],
    kernel: Float[Array, "features units"],
    recurrent_kernel: Float[Array, "units units"],
    bias: Float[Array, " units"] | None,
    state: State,
    activation: Callable[[Array], Array] = tanh,
    mask: Float[Array, "batch units"] | None = None,
) -> tuple[Float[Array, "batch time units"], State]:
    """The simple network, h_t = activation(x_t W + b + h_{t-1} U). Elman 1990, "Finding structure in time".

    Args:
        x: the sequences.
        kernel: W.
        recurrent_kernel: U.
        bias: b, or None.
        state: `(h_0,)`.
        activation: a function of an array.
        mask: see `recurrence`.

    Returns:
        h_t for every t, and the last state `(h,)`.
    """
    cell = differentiated(lambda a, _: (activation(a),))
    return _sequence(cell, x, kernel, recurrent_kernel, bias, state, mask)


def lstm(
    x: Float[Array, "batch time features"],
    kernel: Float[Array, "features gates"],
    recurrent_kernel: Float[Array, "units gates"],
    bias: Float[Array, " gates"] | None,
    state: State,
    activation: Callable[[Array], Array] = tanh,
    recurrent_activation: Callable[[Array], Array] = sigmoid,
    mask: Float[Array, "batch units"] | None = None,
) -> tuple[Float[Array, "batch time units"], State]:
    """The long short-term memory, its gates in Keras's order i, f, g, o.

    i, f, g, o = split(x_t W + b + h_{t-1} U)
    c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g)
    h_t = sigmoid(o) tanh(c_t)

    Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000 and without peepholes.

    Args:
        x: the sequences.
        kernel: W, [features, 4 units].
        recurrent_kernel: U, [units, 4 units].
        bias: b, [4 units], or None.
        state: `(h_0, c_0)`.
        activation: in place of tanh.
        recurrent_activation: in place of sigmoid.
        mask: see `recurrence`.

    Returns:
        h_t for every t, and the last state `(h, c)`.
    """
    if (activation, recurrent_activation) == (tanh, sigmoid):
        cell = LSTM_CELL
    else:
        cell = differentiated(functools.partial(_lstm_equation, activation, recurrent_activation))
    return _sequence(cell, x, kernel, recurrent_kernel, bias, state, mask)


def _lstm_equation(activation: Callable, recurrent_activation: Callable, a: Array, state: State) -> State:
    i, f, g, o = jnp.split(a, 4, axis=-1)
    c = recurrent_activation(f) * state[1] + recurrent_activation(i) * activation(g)
    return recurrent_activation(o) * activation(c), c


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
    h, c = state
    i, f, g, o = _gates(widen(a))
    new = f * widen(c) + i * g
    out = (o * jnp.tanh(new)).astype(h.dtype), new.astype(c.dtype)
    return out, (*(gate.astype(a.dtype) for gate in (i, f, g, o)), c)


def _lstm_backward(saved: Any, d_state: State) -> tuple[Array, State]:
    i, f, g, o, c = map(widen, saved)
    dh, dc = map(widen, d_state)
    tanh_c = jnp.tanh(f * c + i * g)
    dc = dc + dh * o * (1 - tanh_c * tanh_c)
    da = (dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g), dh * tanh_c * o * (1 - o))
    dtype = saved[0].dtype
    return jnp.concatenate(da, axis=-1).astype(dtype), (jnp.zeros_like(d_state[0]), (dc * f).astype(dtype))


LSTM_CELL = Cell(_lstm_forward, _lstm_backward)
