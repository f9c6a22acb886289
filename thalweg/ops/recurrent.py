"""Recurrent sequences: a state carried over time.

    a_t = x_t W + b + h_{t-1} U        the pre-activations of step t
    state_t = cell(a_t, state_{t-1})   state_t[0] is h_t

`x W` is one matrix product for all steps; the loop over time is in `kernels/`.

Shapes: x [batch, time, features]; W `kernel` [features, n units]; U `recurrent_kernel` [units, n units]; b `bias`
[n units]; h [batch, units]; n = 1 for the simple network, 3 for the GRU, 4 for the LSTM.
"""

import functools
from collections.abc import Callable

import jax.numpy as jnp

from thalweg.kernels import recurrent as kernels
from thalweg.kernels.matmul import linear
from thalweg.kernels.recurrence import LSTM_CELL, Cell, State, differentiated, recurrence
from thalweg.kernels.recurrence import gru as gru_formula
from thalweg.ops.activations import relu, sigmoid, tanh
from thalweg.types import Array, Float


def _sequence(
    native: kernels.Native | None,
    cell: Cell,
    x: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None,
    state: State,
    mask: Array | None,
    steps: Array | None,
    reverse: bool,
) -> tuple[Array, State]:
    if native and kernels.serves(x, recurrent_kernel):
        return kernels.sequence(native, reverse, linear(x, kernel), recurrent_kernel, bias, state, mask, steps)
    z = linear(x.swapaxes(0, 1), kernel, bias)
    steps = None if steps is None else steps.T
    hs, state = recurrence(cell, reverse, z, recurrent_kernel, state, mask, steps)
    return hs.swapaxes(0, 1), state


def simple_rnn(
    x: Float[Array, "batch time features"],
    kernel: Float[Array, "features units"],
    recurrent_kernel: Float[Array, "units units"],
    bias: Float[Array, " units"] | None,
    state: State,
    activation: Callable[[Array], Array] = tanh,
    mask: Float[Array, "batch units"] | None = None,
    steps: Float[Array, "batch time"] | None = None,
    reverse: bool = False,
) -> tuple[Float[Array, "batch time units"], State]:
    """The simple network, h_t = activation(x_t W + b + h_{t-1} U). Elman 1990, "Finding structure in time".

    Args:
        x: the sequences.
        kernel: W.
        recurrent_kernel: U.
        bias: b, or None.
        state: `(h_0,)`.
        activation: a function of an array.
        mask: constant noise on the h that U reads, the same at every step (Gal and Ghahramani 2016), or None.
        steps: 1 where a sequence has a step, 0 where its state stays as it is; None where all have all steps.
        reverse: whether time runs from the last step to the first; h_t then stands at t still.

    Returns:
        h_t for every t, and the last state `(h,)`.
    """
    cell = differentiated(lambda a, _: (activation(a),))
    native = {tanh: kernels.SIMPLE_TANH, relu: kernels.SIMPLE_RELU}.get(activation)
    return _sequence(native, cell, x, kernel, recurrent_kernel, bias, state, mask, steps, reverse)


def lstm(
    x: Float[Array, "batch time features"],
    kernel: Float[Array, "features gates"],
    recurrent_kernel: Float[Array, "units gates"],
    bias: Float[Array, " gates"] | None,
    state: State,
    activation: Callable[[Array], Array] = tanh,
    recurrent_activation: Callable[[Array], Array] = sigmoid,
    mask: Float[Array, "batch units"] | None = None,
    steps: Float[Array, "batch time"] | None = None,
    reverse: bool = False,
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
        mask: constant noise on the h that U reads, the same at every step (Gal and Ghahramani 2016), or None.
        steps: 1 where a sequence has a step, 0 where its state stays as it is; None where all have all steps.
        reverse: whether time runs from the last step to the first; h_t then stands at t still.

    Returns:
        h_t for every t, and the last state `(h, c)`.
    """
    if (activation, recurrent_activation) == (tanh, sigmoid):
        native, cell = kernels.LSTM, LSTM_CELL
    else:
        native, cell = None, differentiated(functools.partial(lstm_equation, activation, recurrent_activation))
    return _sequence(native, cell, x, kernel, recurrent_kernel, bias, state, mask, steps, reverse)


def lstm_equation(
    activation: Callable, recurrent_activation: Callable, a: Array, state: tuple[Array, ...]
) -> tuple[Array, Array]:
    """The step of an LSTM from its pre-activations a, [..., 4 units], and `state`, (h, c)."""
    i, f, g, o = jnp.split(a, 4, axis=-1)
    c = recurrent_activation(f) * state[1] + recurrent_activation(i) * activation(g)
    return recurrent_activation(o) * activation(c), c


def gru(
    x: Float[Array, "batch time features"],
    kernel: Float[Array, "features gates"],
    recurrent_kernel: Float[Array, "units gates"],
    bias: Float[Array, " gates"] | None,
    recurrent_bias: Float[Array, " gates"] | None,
    state: State,
    activation: Callable[[Array], Array] = tanh,
    recurrent_activation: Callable[[Array], Array] = sigmoid,
    reset_after: bool = True,
    mask: Float[Array, "batch units"] | None = None,
    steps: Float[Array, "batch time"] | None = None,
    reverse: bool = False,
) -> tuple[Float[Array, "batch time units"], State]:
    """The gated recurrent unit, its gates in Keras's order: update, reset, candidate.

    a, r, g = split(x_t W + b)                    a is the update gate, which Keras calls z
    p_a, p_r, p_g = split(h_{t-1} U + d)
    g_t = tanh(g + sigmoid(r + p_r) p_g)          or tanh(g + (sigmoid(r + p_r) h_{t-1}) U_g + d_g)
    h_t = sigmoid(a + p_a) h_{t-1} + (1 - sigmoid(a + p_a)) g_t

    Cho et al. 2014, arXiv:1406.1078, where the reset gate comes before the product, the second form of g_t. The first,
    `reset_after`, is that of cuDNN and PyTorch, and Keras's default: h U is one product for all three gates.

    Args:
        x: the sequences.
        kernel: W, [features, 3 units].
        recurrent_kernel: U, [units, 3 units].
        bias: b, [3 units], or None.
        recurrent_bias: d, [3 units], or None.
        state: `(h_0,)`.
        activation: in place of tanh.
        recurrent_activation: in place of sigmoid.
        reset_after: whether the reset gate is applied after the product with U.
        mask: constant noise on the h that U reads, the same at every step (Gal and Ghahramani 2016), or None.
        steps: 1 where a sequence has a step, 0 where its state stays as it is; None where all have all steps.
        reverse: whether time runs from the last step to the first; h_t then stands at t still.

    Returns:
        h_t for every t, and the last state `(h,)`.
    """
    U, d = recurrent_kernel, recurrent_bias
    if (activation, recurrent_activation) == (tanh, sigmoid) and kernels.serves(x, U):
        native = kernels.GRU if reset_after else kernels.GRU_BEFORE
        return kernels.sequence(native, reverse, linear(x, kernel, bias), U, d, state, mask, steps)
    z = linear(x.swapaxes(0, 1), kernel, bias)
    steps = None if steps is None else steps.T
    functions = activation, recurrent_activation
    hs, state = gru_formula(z, U, d, state, mask, steps, reverse, reset_after, *functions)
    return hs.swapaxes(0, 1), state
