"""ConvLSTM: an LSTM whose states are pictures and whose products are convolutions. Shi et al. 2015, arXiv:1506.04214.

i, f, g, o = split(x_t * W + b + h_{t-1} * U)      * is a convolution
c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g)
h_t = sigmoid(o) tanh(c_t)

Without the peepholes of the paper, as in Keras. x * W is one convolution for all steps.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import jax
import jax.numpy as jnp

from thalweg.ops.activations import sigmoid, tanh
from thalweg.ops.conv import conv
from thalweg.ops.precision import widen
from thalweg.ops.recurrent import lstm_equation
from thalweg.types import Array, Float

State: TypeAlias = tuple[Float[Array, "batch *out filters"], Float[Array, "batch *out filters"]]


def conv_lstm(
    x: Float[Array, "batch time *places channels"],
    kernel: Float[Array, "*taps channels gates"],
    recurrent_kernel: Float[Array, "*taps filters gates"],
    bias: Float[Array, " gates"] | None,
    state: State,
    activation: Callable[[Array], Array] = tanh,
    recurrent_activation: Callable[[Array], Array] = sigmoid,
    mask: Float[Array, "batch *out filters"] | None = None,
    steps: Float[Array, "batch time"] | None = None,
    reverse: bool = False,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilation: int | Sequence[int] = 1,
) -> tuple[Float[Array, "batch time *out filters"], State]:
    """The ConvLSTM, its gates in Keras's order i, f, g, o; h * U keeps the places.

    Args:
        x: the sequences.
        kernel: W, [*taps, channels, 4 filters].
        recurrent_kernel: U, [*taps, filters, 4 filters].
        bias: b, [4 filters], or None.
        state: `(h_0, c_0)`, each [batch, *out, filters], where x * W has the places `out`.
        activation: in place of tanh.
        recurrent_activation: in place of sigmoid.
        mask: constant noise on the h that U reads, the same at every step (Gal and Ghahramani 2016), or None.
        steps: 1 where a sequence has a step, 0 where its state stays as it is; None where all have all steps.
        reverse: whether time runs from the last step to the first; h_t then stands at t still.
        strides: of x * W.
        padding: of x * W.
        dilation: of x * W.

    Returns:
        h_t for every t, and the last state `(h, c)`.
    """
    z = conv(x.reshape(-1, *x.shape[2:]), kernel, strides, padding, dilation, 1, bias)
    z = z.reshape(*x.shape[:2], *z.shape[1:]).swapaxes(0, 1)  # [time, batch, *out, 4 filters]

    U = widen(recurrent_kernel)  # the loop adds up its gradient
    noise = None if mask is None else widen(mask)

    def step(state: State, at: tuple[Array, Array | None]) -> tuple[State, Array]:
        z, on = at
        h = state[0] if noise is None else state[0] * noise
        a = widen(z) + widen(conv(h.astype(z.dtype), U.astype(z.dtype), padding="same"))
        new = lstm_equation(activation, recurrent_activation, a, state)
        if on is not None:
            on = on.reshape(-1, *[1] * (h.ndim - 1)) > 0
            new = jax.tree.map(lambda after, before: jnp.where(on, after, before), new, state)
        return new, new[0].astype(z.dtype)

    first = widen(state[0]), widen(state[1])
    (h, c), hs = jax.lax.scan(step, first, (z, None if steps is None else steps.T), reverse=reverse)
    return hs.swapaxes(0, 1), (h.astype(z.dtype), c.astype(z.dtype))
