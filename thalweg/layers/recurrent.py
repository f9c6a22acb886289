"""Recurrent layers: SimpleRNN, LSTM, GRU. The mathematics is in `ops/recurrent.py`.

Steps that a mask calls padding leave the state as it is (and repeat the output), wherever they stand. With
`stateful=True` a batch begins with the states that the last one ended with, row by row: `fit(shuffle=False)` carries
them from batch to batch, `core.apply` in the state that it returns; `evaluate` and `predict` begin with those of the
end of training, carry them from batch to batch, and leave the model's as they were. They are variables of `batch_size`
rows, which `reset_states` puts back to 0; no gradient goes back into an earlier batch.
"""

import functools
from typing import ClassVar, TypeAlias

from thalweg.core import Context, Module
from thalweg.layers.common import Activation, Constraint, Initializer, Regularizer, bias, weight
from thalweg.layers.over_time import InitialState, Output, OverTime, forget_bias, over_time
from thalweg.ops import recurrent as ops
from thalweg.ops.activations import activation
from thalweg.ranges import COUNT, RATE
from thalweg.types import Array, Float

Sequences: TypeAlias = Float[Array, "batch time features"]


class Recurrent(OverTime):
    """The base of the layers here, whose states are vectors of `units`."""

    axes: ClassVar[str] = "batch time features"
    limits: ClassVar = {"units": COUNT, "dropout": RATE, "recurrent_dropout": RATE}

    def remedy(self, previous: Module | None) -> str:
        """Above another one of these, that one must give every step."""
        if isinstance(previous, SimpleRNN | LSTM | GRU) and not previous.return_sequences:
            return f"Write {type(previous).__name__}({previous.units}, return_sequences=True)"
        return ""


def _kernels(cx: Context, x: Array, units: int, gates: int) -> dict[str, Array]:
    return {
        "kernel": weight(cx, "kernel", (x.shape[-1], gates * units)),
        "recurrent_kernel": weight(cx, "recurrent_kernel", (units, gates * units), "recurrent"),
    }


class SimpleRNN(Recurrent):
    """h_t = activation(x_t W + b + h_{t-1} U).

    x: [batch, time, features]; W: `kernel`, [features, units]; U: `recurrent_kernel`, [units, units]; b: `bias`,
    [units]; the output: h of the last step, [batch, units], or of every step, [batch, time, units].

    Args:
        units: the size of h.
        activation: of the step.
        use_bias: whether b is there.
        kernel_initializer: of W.
        recurrent_initializer: of U.
        bias_initializer: of b.
        kernel_regularizer: of W.
        recurrent_regularizer: of U.
        bias_regularizer: of b.
        activity_regularizer: of the output, per row of the batch.
        kernel_constraint: of W.
        recurrent_constraint: of U.
        bias_constraint: of b.
        dropout: the share of x that is dropped, the same features at every step.
        recurrent_dropout: the share of h that U does not see, the same units at every step.
        return_sequences: whether h of every step is the output; a recurrent layer above needs it.
        return_state: whether the last state comes too: the output is then `(y, h)`.
        go_backwards: whether time runs from the last step to the first; sequences come out in that order.
        stateful: whether a batch goes on from the states of the last one; see above.
        batch_size: the rows of a batch, where it is stateful.

    Elman 1990, "Finding structure in time"; the dropout is that of Gal and Ghahramani 2016, arXiv:1512.05287.
    """

    units: int
    activation: Activation = "tanh"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    recurrent_initializer: Initializer = "orthogonal"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    recurrent_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    recurrent_constraint: Constraint = None
    bias_constraint: Constraint = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False

    def __call__(self, cx: Context, x: Sequences, initial_state: InitialState = None) -> Output:
        """The layer on `x`; `initial_state` is h before the first step, [batch, units], or None for 0."""
        weights = _kernels(cx, x, self.units, 1) | {"bias": bias(cx, self.units)}
        step = functools.partial(ops.simple_rnn, **weights, activation=activation(self.activation))
        return over_time(cx, x, initial_state, [(len(x), self.units)], step)


class LSTM(Recurrent):
    """The long short-term memory: a cell c that is kept by a forget gate f and filled by an input gate i.

    i, f, g, o = split(x_t W + b + h_{t-1} U)
    c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g)
    h_t = sigmoid(o) tanh(c_t)

    x: [batch, time, features]; W: `kernel`, [features, 4 units]; U: `recurrent_kernel`, [units, 4 units]; b: `bias`,
    [4 units]; the output: h of the last step, [batch, units], or of every step, [batch, time, units].

    Args:
        units: the size of h and of c.
        activation: in place of tanh.
        recurrent_activation: in place of sigmoid.
        use_bias: whether b is there.
        kernel_initializer: of W.
        recurrent_initializer: of U.
        bias_initializer: of b.
        unit_forget_bias: whether b starts at 1 for the forget gate.
        kernel_regularizer: of W.
        recurrent_regularizer: of U.
        bias_regularizer: of b.
        activity_regularizer: of the output, per row of the batch.
        kernel_constraint: of W.
        recurrent_constraint: of U.
        bias_constraint: of b.
        dropout: the share of x that is dropped, the same features at every step.
        recurrent_dropout: the share of h that U does not see, the same units at every step and for the four gates.
        return_sequences: whether h of every step is the output; a recurrent layer above needs it.
        return_state: whether the last state comes too: the output is then `(y, h, c)`.
        go_backwards: whether time runs from the last step to the first; sequences come out in that order.
        stateful: whether a batch goes on from the states of the last one; see above.
        batch_size: the rows of a batch, where it is stateful.

    Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000 and without peepholes; the dropout is that
    of Gal and Ghahramani 2016, arXiv:1512.05287, in its tied form (Keras draws a recurrent mask for each gate).
    """

    units: int
    activation: Activation = "tanh"
    recurrent_activation: Activation = "sigmoid"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    recurrent_initializer: Initializer = "orthogonal"
    bias_initializer: Initializer = "zeros"
    unit_forget_bias: bool = True
    kernel_regularizer: Regularizer = None
    recurrent_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    recurrent_constraint: Constraint = None
    bias_constraint: Constraint = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False

    def __call__(self, cx: Context, x: Sequences, initial_state: InitialState = None) -> Output:
        """The layer on `x`; `initial_state` is `(h, c)` before the first step, or None for 0."""
        weights = _kernels(cx, x, self.units, 4) | {"bias": forget_bias(cx, self.units)}
        activations = activation(self.activation), activation(self.recurrent_activation)
        step = functools.partial(ops.lstm, **weights, activation=activations[0], recurrent_activation=activations[1])
        return over_time(cx, x, initial_state, [(len(x), self.units)] * 2, step)


class GRU(Recurrent):
    """The gated recurrent unit: an update gate a keeps the state, a reset gate r hides it from the candidate g.

    a, r, g = split(x_t W + b)
    p_a, p_r, p_g = split(h_{t-1} U + d)
    g_t = tanh(g + sigmoid(r + p_r) p_g)          with reset_after; else tanh(g + (sigmoid(r + p_r) h_{t-1}) U_g)
    h_t = sigmoid(a + p_a) h_{t-1} + (1 - sigmoid(a + p_a)) g_t

    x: [batch, time, features]; W: `kernel`, [features, 3 units]; U: `recurrent_kernel`, [units, 3 units]; b: `bias`
    and d: `recurrent_bias`, [3 units] (Keras keeps them as the two rows of one array); d is there with `reset_after`.

    Args:
        units: the size of h.
        activation: in place of tanh.
        recurrent_activation: in place of sigmoid.
        use_bias: whether b and d are there.
        kernel_initializer: of W.
        recurrent_initializer: of U.
        bias_initializer: of b and d.
        kernel_regularizer: of W.
        recurrent_regularizer: of U.
        bias_regularizer: of b and d.
        activity_regularizer: of the output, per row of the batch.
        kernel_constraint: of W.
        recurrent_constraint: of U.
        bias_constraint: of b and d.
        dropout: the share of x that is dropped, the same features at every step.
        recurrent_dropout: the share of h that U does not see, the same units at every step.
        return_sequences: whether h of every step is the output; a recurrent layer above needs it.
        return_state: whether the last state comes too: the output is then `(y, h)`.
        go_backwards: whether time runs from the last step to the first; sequences come out in that order.
        stateful: whether a batch goes on from the states of the last one; see above.
        reset_after: whether r is applied after the product with U (cuDNN, PyTorch), or before it (Cho et al.).
        batch_size: the rows of a batch, where it is stateful.

    Cho et al. 2014, arXiv:1406.1078; the dropout is that of Gal and Ghahramani 2016, arXiv:1512.05287.
    """

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
    activity_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    recurrent_constraint: Constraint = None
    bias_constraint: Constraint = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    reset_after: bool = True

    def __call__(self, cx: Context, x: Sequences, initial_state: InitialState = None) -> Output:
        """The layer on `x`; `initial_state` is h before the first step, [batch, units], or None for 0."""
        both, width = self.use_bias and self.reset_after, (3 * self.units,)
        weights = _kernels(cx, x, self.units, 3) | {"bias": bias(cx, *width)}
        weights["recurrent_bias"] = weight(cx, "recurrent_bias", width, "bias") if both else None
        functions = activation(self.activation), activation(self.recurrent_activation)
        settings = {"activation": functions[0], "recurrent_activation": functions[1], "reset_after": self.reset_after}
        step = functools.partial(ops.gru, **weights, **settings)
        return over_time(cx, x, initial_state, [(len(x), self.units)], step)
