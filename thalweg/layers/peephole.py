"""PeepholeLSTM: an LSTM whose gates see the cell."""

from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg.core import Context
from thalweg.layers.cells import Cell, States, Step, _product, _states
from thalweg.layers.common import weight
from thalweg.layers.over_time import forget_bias
from thalweg.ops.linear import with_bias
from thalweg.ops.precision import widen
from thalweg.types import Array, Float


class PeepholeLSTMCell(Cell):
    """An LSTM's step whose gates see c through weights of their own, one for each unit.

    i, f, g, o = split(x_t W + b + h_{t-1} U)
    c_t = sigmoid(f + p_f c_{t-1}) c_{t-1} + sigmoid(i + p_i c_{t-1}) tanh(g)
    h_t = sigmoid(o + p_o c_t) tanh(c_t)

    p: `peephole`, [3, units], for i, f and o. Use it as `RNN(PeepholeLSTMCell(64))`. Arguments: see `Cell`, with
    `unit_forget_bias`, and the settings of p.

    Gers and Schmidhuber 2000, "Recurrent nets that time and count".
    """

    states: ClassVar[int] = 2

    unit_forget_bias: bool = True
    peephole_initializer: Any = "glorot_uniform"
    peephole_regularizer: Any = None
    peephole_constraint: Any = None

    def __call__(self, cx: Context, x: Float[Array, "batch features"], states: States | None = None) -> Step:
        """One step from `states`, (h, c); zeros where None."""
        states = _states(x, self.sizes, states)
        x, h = self._seen(cx, x, states[0])
        W, U = self._kernels(cx, x, 4)
        (p_i, p_f, p_o), c = widen(weight(cx, "peephole", (3, self.units)))[:, None], states[1]
        f_h, f_gate = self._functions()
        i, f, g, o = jnp.split(with_bias(_product(x, W) + _product(h, U), forget_bias(cx, self.units)), 4, axis=-1)
        c = f_gate(f + p_f * c) * c + f_gate(i + p_i * c) * f_h(g)
        h = f_gate(o + p_o * c) * f_h(c)
        return h.astype(x.dtype), (h, c)
