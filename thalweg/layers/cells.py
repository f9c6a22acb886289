"""Recurrent cells: one step, `(x_t, states) -> (output, states)`; and RNN, which runs any of them over a sequence.

A cell of your own is a module with `sizes`, the lengths of its states, and

    def __call__(self, cx, x, states): ...      x: [batch, features]; states: a tuple of [batch, size]

The layers SimpleRNN, LSTM and GRU compute the same as RNN over their cell, in one product for all steps and native.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

import jax
import jax.numpy as jnp

from thalweg.core import Context, Module
from thalweg.layers.common import Activation, Constraint, Initializer, Regularizer, bias, weight
from thalweg.layers.over_time import InitialState, OverTime, carry, first, forget_bias, states_of
from thalweg.ops.activations import activation
from thalweg.ops.dropout import keep_mask
from thalweg.ops.linear import with_bias
from thalweg.ops.precision import widen
from thalweg.ranges import COUNT, RATE
from thalweg.types import Array, Float

States: TypeAlias = Sequence[Array]
Step: TypeAlias = tuple[Array, tuple[Array, ...]]


class Cell(Module):
    """The base of the cells here: their settings, and what they share.

    Args:
        units: the size of h.
        use_bias: whether the biases are there.
        kernel_initializer: of W.
        recurrent_initializer: of U.
        bias_initializer: of b.
        kernel_regularizer: of W.
        recurrent_regularizer: of U.
        bias_regularizer: of b.
        kernel_constraint: of W.
        recurrent_constraint: of U.
        bias_constraint: of b.
        dropout: the share of x that is dropped, the same features at every step.
        recurrent_dropout: the share of h that U does not see, the same units at every step.
    """

    casts: ClassVar[bool] = True
    keeps_mask: ClassVar[bool] = False
    axes: ClassVar[str] = "batch features"
    limits: ClassVar = {"units": COUNT, "dropout": RATE, "recurrent_dropout": RATE}
    states: ClassVar[int] = 1

    units: int
    activation: Activation = "tanh"
    recurrent_activation: Activation = "sigmoid"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    recurrent_initializer: Initializer = "orthogonal"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    recurrent_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    recurrent_constraint: Constraint = None
    bias_constraint: Constraint = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0

    @property
    def sizes(self) -> tuple[int, ...]:
        """The lengths of the states."""
        return (self.units,) * self.states

    def ending(self) -> tuple[Module, None]:
        """The activation is the step's, inside."""
        return self, None

    def _seen(self, cx: Context, x: Array, h: Array) -> tuple[Array, Array]:
        """X and h without what dropout hides."""
        return _dropped(cx, "dropout", x), _dropped(cx, "recurrent_dropout", h)

    def _kernels(self, cx: Context, x: Array, gates: int) -> tuple[Array, Array]:
        kernel = weight(cx, "kernel", (x.shape[-1], gates * self.units))
        return kernel, weight(cx, "recurrent_kernel", (self.units, gates * self.units), "recurrent")

    def _functions(self) -> tuple[Any, Any]:
        return activation(self.activation), activation(self.recurrent_activation)


class SimpleRNNCell(Cell):
    """h_t = activation(x_t W + b + h_{t-1} U). Arguments: see `Cell`; `recurrent_activation` is not used.

    Elman 1990, "Finding structure in time".
    """

    def __call__(self, cx: Context, x: Float[Array, "batch features"], states: States | None = None) -> Step:
        """One step from `states`, (h,); zeros where None."""
        states = _states(x, self.sizes, states)
        x, h = self._seen(cx, x, states[0])
        W, U = self._kernels(cx, x, 1)
        h = self._functions()[0](with_bias(_product(x, W) + _product(h, U), bias(cx, self.units)))
        return h.astype(x.dtype), (h,)


class LSTMCell(Cell):
    """i, f, g, o = split(x_t W + b + h_{t-1} U); c_t = s(f) c_{t-1} + s(i) tanh(g); h_t = s(o) tanh(c_t).

    Arguments: see `Cell`, with `unit_forget_bias`: whether b is 1 at f at first. Hochreiter and Schmidhuber 1997.
    """

    states: ClassVar[int] = 2

    unit_forget_bias: bool = True

    def __call__(self, cx: Context, x: Float[Array, "batch features"], states: States | None = None) -> Step:
        """One step from `states`, (h, c); zeros where None."""
        states = _states(x, self.sizes, states)
        x, h = self._seen(cx, x, states[0])
        W, U = self._kernels(cx, x, 4)
        f_h, f_gate = self._functions()
        i, f, g, o = jnp.split(with_bias(_product(x, W) + _product(h, U), forget_bias(cx, self.units)), 4, axis=-1)
        c = f_gate(f) * states[1] + f_gate(i) * f_h(g)
        h = f_gate(o) * f_h(c)
        return h.astype(x.dtype), (h, c)


class GRUCell(Cell):
    """h_t = a h_{t-1} + (1 - a) g_t, as in `GRU`. Arguments: see `Cell`, with `reset_after`. Cho et al. 2014."""

    reset_after: bool = True

    def __call__(self, cx: Context, x: Float[Array, "batch features"], states: States | None = None) -> Step:
        """One step from `states`, (h,); zeros where None."""
        states = _states(x, self.sizes, states)
        n, f_h, f_gate = self.units, *self._functions()
        x, seen = self._seen(cx, x, states[0])
        W, U = self._kernels(cx, x, 3)
        a, r, g = jnp.split(with_bias(_product(x, W), bias(cx, 3 * n)), 3, axis=-1)
        if self.reset_after:
            d = weight(cx, "recurrent_bias", (3 * n,), "bias") if self.use_bias else None
            p_a, p_r, p_g = jnp.split(with_bias(_product(seen, U), d), 3, axis=-1)
            g = f_h(g + f_gate(r + p_r) * p_g)
        else:
            p_a, p_r = jnp.split(_product(seen, U[:, : 2 * n]), 2, axis=-1)
            g = f_h(g + _product(f_gate(r + p_r) * seen, U[:, 2 * n :]))
        a = f_gate(a + p_a)
        h = a * states[0] + (1 - a) * g
        return h.astype(x.dtype), (h,)


class StackedRNNCells(Module):
    """Cells on top of each other, as one cell: the output of one is the input of the next.

    Args:
        cells: from the lowest to the highest.
    """

    cells: Sequence[Module]

    keeps_mask: ClassVar[bool] = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """The lengths of all states, cell by cell."""
        return tuple(n for cell in self.cells for n in cell.sizes)  # type: ignore[attr-defined]

    def __call__(self, cx: Context, x: Float[Array, "batch features"], states: States | None = None) -> Step:
        """One step of all cells; `states` stand one behind the other, zeros where None."""
        left, after = list(_states(x, self.sizes, states)), []
        for cell in self.cells:
            count = len(cell.sizes)  # type: ignore[attr-defined]
            x, new = cell(cx, x, tuple(left[:count]))
            after, left = [*after, *new], left[count:]
        return x, tuple(after)


class RNN(OverTime):
    """A cell over a sequence: y_t, states_t = cell(x_t, states_{t-1}), one step after another.

    Steps that a mask calls padding leave the states as they are and repeat the output.

    Args:
        cell: a cell, or a list of cells to be stacked.
        return_sequences: whether the output of every step comes out, [batch, time, size].
        return_state: whether the last states come too: the output is then `(y, *states)`.
        go_backwards: whether time runs from the last step to the first; sequences come out in that order.
        stateful: whether a batch goes on from the states of the last one, as in `LSTM`.
        batch_size: the rows of a batch, where it is stateful.

    >>> import jax.numpy as jnp
    >>> from thalweg import core, random
    >>> layer = RNN([LSTMCell(3), GRUCell(2)])
    >>> core.apply(layer, *core.init(layer, random.key(0), jnp.ones((1, 4, 5))), jnp.ones((1, 4, 5)))[0].shape
    (1, 2)
    """

    cell: Any
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False

    axes: ClassVar[str] = "batch time ..."

    def __post_init__(self) -> None:
        if isinstance(self.cell, list | tuple):
            object.__setattr__(self, "cell", StackedRNNCells(tuple(self.cell)))
        Module.__post_init__(self)

    def __call__(self, cx: Context, x: Float[Array, "batch time ..."], initial_state: Any = None) -> Any:
        """The layer on `x`; `initial_state` is a tuple of the cell's states before the first step, or None for 0."""
        real = cx.mask_of(x)
        if self.go_backwards:
            x, real = x[:, ::-1], None if real is None else real[:, ::-1]
        states = first(cx, initial_state, [(len(x), n) for n in self.cell.sizes], x.dtype)
        ys, states = run_cell(cx, self.cell, x, states, real)
        carry(cx, states)
        y = cx.masked(ys, real) if self.return_sequences else ys[:, -1]
        return (y, *states) if self.return_state else y


def run_cell(cx: Context, cell: Module, x: Array, states: tuple[Array, ...], real: Array | None) -> tuple[Array, Any]:
    """The outputs of all steps, [batch, time, ...], and the last states; where `real` is False nothing moves."""
    step, params, variables = cx.pure(cell, x[:, 0], states)
    key = cx.key() if cx.call.initialising or cx.call.key is not None else None  # one for all steps: one noise
    spec, kept = jax.eval_shape(lambda: step(params, variables, key, x[:, 0], states)[0])

    def body(carry: Any, at: tuple[Array, Array | None]) -> tuple[Any, Array]:
        (y, states, variables), (x_t, on) = carry, at
        (new_y, new_states), variables = step(params, variables, key, x_t, states)
        if on is not None:
            new_y, new_states = jax.tree.map(lambda new, old: _where(on, new, old), (new_y, new_states), (y, states))
        return (new_y, new_states, variables), new_y

    carried = tuple(s.astype(after.dtype) for s, after in zip(states, kept, strict=True))
    first = jnp.zeros(spec.shape, spec.dtype), carried, variables
    along = x.swapaxes(0, 1), None if real is None else real.T
    (_, last, variables), ys = jax.lax.scan(body, first, along)
    if not cx.call.initialising:
        cx.keep(cell, variables)
    return ys.swapaxes(0, 1), tuple(s.astype(before.dtype) for s, before in zip(last, states, strict=True))


def _states(x: Array, sizes: tuple[int, ...], given: InitialState) -> tuple[Array, ...]:
    """In at least float32: a state is a sum over the steps."""
    return states_of(given, [(len(x), n) for n in sizes], widen(x).dtype)


def _product(x: Array, W: Array) -> Array:
    """The product x W in the dtype of W, widened."""
    return widen(x.astype(W.dtype) @ W)


def _dropped(cx: Context, name: str, value: Array) -> Array:
    rate = getattr(cx.module, name)
    if not (cx.train and rate):
        return value
    return value * keep_mask(cx.key(), cx.hyper(name, rate), value.shape).astype(value.dtype)


def _where(on: Array, new: Array, old: Array) -> Array:
    return jnp.where(on.reshape(on.shape + (1,) * (new.ndim - 1)), new, old)
