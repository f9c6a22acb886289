"""ConvLSTM: an LSTM whose states are pictures and whose products are convolutions. Shi et al. 2015, arXiv:1506.04214.

i, f, g, o = split(x_t * W + b + h_{t-1} * U)      * is a convolution
c_t = hard(f) c_{t-1} + hard(i) tanh(g)            hard: `recurrent_activation`
h_t = hard(o) tanh(c_t)

Without the peepholes of the paper, as in Keras. x * W is one convolution for all steps.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

import jax
import jax.numpy as jnp

from thalweg.core import Context, Module
from thalweg.layers.cells import _where
from thalweg.layers.common import Activation, Constraint, Initializer, Regularizer, penalized, weight
from thalweg.layers.over_time import forget_bias
from thalweg.ops.activations import activation
from thalweg.ops.conv import conv
from thalweg.ops.windows import spread
from thalweg.ranges import COUNT
from thalweg.types import Array, Float

Size: TypeAlias = int | Sequence[int]


class ConvLSTM(Module):
    """The base of ConvLSTMs over `rank` spatial axes.

    x: [batch, time, *places, channels]; W: `kernel`, [*taps, channels, 4 filters]; U: `recurrent_kernel`, [*taps,
    filters, 4 filters]; the output: h of the last step, [batch, *places, filters], or of every step.

    Args:
        filters: how many channels h and c have.
        kernel_size: taps per axis.
        strides: of x * W.
        padding: of x * W; h * U keeps the places.
        dilation_rate: of x * W.
        activation: in place of tanh.
        recurrent_activation: of the gates.
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
        return_sequences: whether h of every step is the output.
        return_state: whether the last states come too: the output is then `(y, h, c)`.
        go_backwards: whether time runs from the last step to the first; sequences come out in that order.
    """

    casts: ClassVar[bool] = True
    limits: ClassVar = {"filters": COUNT}
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
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False

    def ending(self) -> tuple[Module, None]:
        """The activation is the step's, inside."""
        return self, None

    def __call__(self, cx: Context, x: Float[Array, "batch time *places channels"]) -> Any:
        """The layer on `x`."""
        real = cx.mask_of(x)
        if self.go_backwards:
            x, real = x[:, ::-1], None if real is None else real[:, ::-1]
        z, U = self._products(cx, x)
        zeros = jnp.zeros((*z.shape[1:-1], self.filters), x.dtype)
        (h, c), hs = jax.lax.scan(self._step(U), (zeros, zeros), (z, None if real is None else real.T))
        y = penalized(cx, hs.swapaxes(0, 1) if self.return_sequences else h)
        if self.return_sequences:
            cx.masked(y, real)
        return (y, h, c) if self.return_state else y

    def _products(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """X * W + b of every step, time first; and U."""
        taps, F = spread(self.kernel_size, self.rank, "kernel_size"), self.filters
        W = weight(cx, "kernel", (*taps, x.shape[-1], 4 * F))
        U = weight(cx, "recurrent_kernel", (*taps, F, 4 * F), "recurrent")
        steps = x.reshape(-1, *x.shape[2:])  # [batch time, *places, channels]
        z = conv(steps, W, self.strides, self.padding, self.dilation_rate, 1, forget_bias(cx, F))
        return z.reshape(*x.shape[:2], *z.shape[1:]).swapaxes(0, 1), U

    def _step(self, U: Array) -> Any:
        f_h, f_gate = activation(self.activation), activation(self.recurrent_activation)

        def step(states: tuple[Array, Array], at: tuple[Array, Array | None]) -> tuple[tuple[Array, Array], Array]:
            (h, c), (z, on) = states, at
            i, f, g, o = jnp.split(z + conv(h, U, padding="same"), 4, axis=-1)
            new_c = f_gate(f) * c + f_gate(i) * f_h(g)
            new_h = f_gate(o) * f_h(new_c)
            if on is not None:
                new_h, new_c = _where(on, new_h, h), _where(on, new_c, c)
            return (new_h, new_c), new_h

        return step


class ConvLSTM1D(ConvLSTM):
    """A ConvLSTM over sequences of rows, [batch, time, steps, channels]."""

    axes: ClassVar[str] = "batch time steps channels"
    rank: ClassVar[int] = 1


class ConvLSTM2D(ConvLSTM):
    """A ConvLSTM over sequences of pictures, [batch, time, height, width, channels]."""

    axes: ClassVar[str] = "batch time height width channels"
    rank: ClassVar[int] = 2
