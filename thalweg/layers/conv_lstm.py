"""ConvLSTM layers. The mathematics is in `ops/conv_lstm.py`."""

import functools
from collections.abc import Sequence
from typing import ClassVar, TypeAlias

from thalweg.core import Context
from thalweg.layers.common import Activation, Constraint, Initializer, Regularizer, weight
from thalweg.layers.over_time import InitialState, Output, OverTime, forget_bias, over_time
from thalweg.ops.activations import activation
from thalweg.ops.conv_lstm import conv_lstm
from thalweg.ops.windows import spread, windows
from thalweg.ranges import COUNT, RATE
from thalweg.types import Array, Float

Size: TypeAlias = int | Sequence[int]


class ConvLSTM(OverTime):
    """An LSTM whose states are pictures and whose products are convolutions, over `rank` spatial axes.

    i, f, g, o = split(x_t * W + b + h_{t-1} * U)
    c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g)
    h_t = sigmoid(o) tanh(c_t)

    x: [batch, time, *places, channels]; W: `kernel`, [*taps, channels, 4 filters]; U: `recurrent_kernel`, [*taps,
    filters, 4 filters]; the output: h of the last step, [batch, *places, filters], or of every step.

    Args:
        filters: how many channels h and c have.
        kernel_size: taps per axis.
        strides: of x * W.
        padding: of x * W; h * U keeps the places.
        dilation_rate: of x * W.
        activation: in place of tanh.
        recurrent_activation: in place of sigmoid.
        use_bias: whether b is there.
        kernel_initializer: of W.
        recurrent_initializer: of U.
        bias_initializer: of b.
        unit_forget_bias: whether b is 1 at f at first.
        kernel_regularizer: of W.
        recurrent_regularizer: of U.
        bias_regularizer: of b.
        activity_regularizer: of the output, per row of the batch.
        kernel_constraint: of W.
        recurrent_constraint: of U.
        bias_constraint: of b.
        dropout: the share of x that is dropped, the same numbers at every step.
        recurrent_dropout: the share of h that U does not see, the same numbers at every step.
        return_sequences: whether h of every step is the output.
        return_state: whether the last states come too: the output is then `(y, h, c)`.
        go_backwards: whether time runs from the last step to the first; sequences come out in that order.
        stateful: whether a batch goes on from the states of the last one, as in `LSTM`.
        batch_size: the rows of a batch, where it is stateful.

    Shi et al. 2015, arXiv:1506.04214, without its peepholes, as in Keras; the dropout is that of Gal and Ghahramani
    2016, arXiv:1512.05287.
    """

    limits: ClassVar = {"filters": COUNT, "dropout": RATE, "recurrent_dropout": RATE}
    rank: ClassVar[int] = 0

    filters: int
    kernel_size: Size
    strides: Size = 1
    padding: str = "valid"
    dilation_rate: Size = 1
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

    def __call__(
        self, cx: Context, x: Float[Array, "batch time *places channels"], initial_state: InitialState = None
    ) -> Output:
        """The layer on `x`; `initial_state` is `(h, c)` before the first step, [batch, *places, filters], or None."""
        F, taps = self.filters, spread(self.kernel_size, self.rank, "kernel_size")
        over = windows(x.shape[2:-1], taps, self.strides, self.padding, self.dilation_rate)
        step = functools.partial(
            conv_lstm,
            kernel=weight(cx, "kernel", (*taps, x.shape[-1], 4 * F)),
            recurrent_kernel=weight(cx, "recurrent_kernel", (*taps, F, 4 * F), "recurrent"),
            bias=forget_bias(cx, F),
            activation=activation(self.activation),
            recurrent_activation=activation(self.recurrent_activation),
            strides=self.strides, padding=self.padding, dilation=self.dilation_rate,
        )  # fmt: skip
        return over_time(cx, x, initial_state, [(len(x), *over.outputs(x.shape[2:-1]), F)] * 2, step)


class ConvLSTM1D(ConvLSTM):
    """A ConvLSTM over sequences of rows, [batch, time, steps, channels]."""

    axes: ClassVar[str] = "batch time steps channels"
    rank: ClassVar[int] = 1


class ConvLSTM2D(ConvLSTM):
    """A ConvLSTM over sequences of pictures, [batch, time, height, width, channels]."""

    axes: ClassVar[str] = "batch time height width channels"
    rank: ClassVar[int] = 2
