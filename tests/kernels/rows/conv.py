"""Convolutions: every stride, padding, dilation and grouping; depthwise ones; their gradients as operations."""

from typing import Any

import jax
import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import conv, depthwise, ending
from thalweg.kernels.windows import windows

SIZES = {
    "batch": st.integers(0, 4),
    "height": st.integers(7, 14),
    "width": st.integers(7, 20),
    "ins": st.integers(1, 20),
    "outs": st.integers(1, 40),
}
USUAL = {"batch": 2, "height": 7, "width": 9, "ins": 3, "outs": 5}
LARGE = {  # more terms and places than a block has
    "batch": st.integers(3, 9),
    "height": st.integers(9, 10),
    "width": st.integers(11, 12),
    "ins": st.integers(30, 70),
    "outs": st.integers(60, 140),
}
MANY = SIZES | {"batch": st.integers(1, 9), "ins": st.sampled_from([32, 160]), "outs": st.sampled_from([32, 48, 96])}
MANY_USUAL = {"batch": 2, "height": 7, "width": 8, "ins": 32, "outs": 32}
HANDLERS = ("conv", "conv_data", "conv_kernel")
EXAMPLES = 4  # each is compiled; the shapes that matter are rows of their own


def _x_and_kernel(taps, groups):
    def make(rng, batch, height, width, ins, outs):
        x = rng.normal(size=(batch, height, width, ins * groups))
        return jnp.float32(x), jnp.float32(rng.normal(size=(*taps, ins, outs * groups)))

    return make


def _row(
    name: str,
    taps: tuple[int, int],
    strides: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups=1,
    sizes=SIZES,
    usual=USUAL,
    nan=True,
):
    def of(function):
        return lambda x, k: function(x, k, windows(x.shape[1:-1], taps, strides, padding, dilation), groups)

    make = _x_and_kernel(taps, groups)
    formula = jax.jit(of(conv.reference))
    return Row(
        name, of(conv.forward), formula, make, sizes, usual, (0, 1), handlers=HANDLERS, examples=EXAMPLES, nan=nan
    )


def _ended_row(name: str, with_bias: bool, relu: bool, groups=1, sizes=SIZES, usual=USUAL, nan=True, padding="same"):
    """A convolution with what follows it."""

    def make(rng, batch, height, width, ins, outs):
        bias = (jnp.float32(rng.normal(size=outs * groups)),) if with_bias else ()
        return *_x_and_kernel((3, 3), groups)(rng, batch, height, width, ins, outs), *bias

    def native(x, k, bias=None):
        return conv.ended(x, k, bias, windows(x.shape[1:-1], (3, 3), 1, padding), groups, relu)

    def reference(x, k, bias=None):
        w = windows(x.shape[1:-1], (3, 3), 1, padding)
        return ending.apply(conv.reference(x, k, w, groups), bias, relu)

    return Row(
        name, native, jax.jit(reference), make, sizes, usual, (0, 1, 2)[: 2 + with_bias], nan=nan, examples=EXAMPLES,
        handlers=(*HANDLERS, "ending_gradient") if with_bias else HANDLERS, kinks=relu,
    )  # fmt: skip


def _kernel_row():
    """The gradient of the kernel as an operation: its own gradient is the other two functions."""

    def make(rng, batch, height, width, ins, outs):
        sizes = (batch, height, width, ins), (batch, height - 2, width - 2, outs)
        return tuple(jnp.float32(rng.normal(size=s)) for s in sizes)

    def reference(x, dy):
        w, k = windows(x.shape[1:-1], (3, 3)), jnp.zeros((3, 3, x.shape[-1], dy.shape[-1]))
        return jax.vjp(lambda k: conv.reference(x, k, w, 1), k)[1](dy)[0]

    def native(x, dy):
        return conv.kernel(x, dy, windows(x.shape[1:-1], (3, 3)), 1)

    formula, names = jax.jit(reference), HANDLERS
    return Row("kernel of a convolution", native, formula, make, SIZES, USUAL, (0, 1), 2e-5, names, examples=EXAMPLES)


def _transposed_row(name, taps, strides, padding):
    """The gradient of the data as an operation, which is the transposed convolution."""

    def make(rng, batch, height, width, ins, outs):
        w = windows((height, width), taps, strides, padding)
        dy = rng.normal(size=(batch, *w.outputs((height, width)), outs))
        return jnp.float32(dy), jnp.float32(rng.normal(size=(*taps, ins, outs)))

    def places(dy):
        around = (0, 0) if padding == "valid" else tuple(k - s for k, s in zip(taps, strides, strict=True))
        sizes = zip(dy.shape[1:-1], taps, strides, around, strict=True)
        return tuple((n - 1) * s + k - a for n, k, s, a in sizes)

    def native(dy, k):
        return conv.data(dy, k, windows(places(dy), taps, strides, padding), 1, places(dy))

    def reference(dy, k):
        w = windows(places(dy), taps, strides, padding)
        x = jnp.zeros((dy.shape[0], *places(dy), k.shape[-2]))
        return jax.vjp(lambda x: conv.reference(x, k, w, 1), x)[1](dy)[0]

    # at the border the native function multiplies the kernel with zeros, where the formula has no term
    return Row(
        name, native, jax.jit(reference), make, SIZES, USUAL, (0, 1), handlers=HANDLERS, nan=False, examples=EXAMPLES
    )


def _depthwise_row(name: str, taps: Any, strides: Any = 1, padding: Any = "valid", dilation: Any = 1, nan=True):
    def of(function):
        return lambda x, k: function(x, k, windows(x.shape[1:-1], taps, strides, padding, dilation))

    def make(rng, batch, height, width, ins):
        x = rng.normal(size=(batch, height, width, ins))
        return jnp.float32(x), jnp.float32(rng.normal(size=(*taps, ins)))

    sizes = {**{name: SIZES[name] for name in ("batch", "height", "width")}, "ins": st.integers(1, 40)}
    handlers = ("depthwise", "depthwise_data", "depthwise_kernel")
    usual = {"batch": 2, "height": 7, "width": 9, "ins": 19}
    native, formula = of(depthwise.forward), jax.jit(of(depthwise.reference))
    return Row(name, native, formula, make, sizes, usual, (0, 1), handlers=handlers, examples=EXAMPLES, nan=nan)


ROWS = [
    _row("convolution", (3, 3)),
    _row("convolution in blocks", (3, 3), padding="same", sizes=LARGE),
    # of whole vectors of channels and stride 1, by Winograd's sums: there Inf - Inf is NaN beside where it is read
    _row("convolution of many channels", (3, 3), padding="same", sizes=MANY, usual=MANY_USUAL, nan=False),
    _row("convolution of many channels, padded unevenly", (3, 3), 1, ((2, 0), (-1, 1)), sizes=MANY, nan=False),
    _row("convolution of one channel", (3, 3), sizes=SIZES | {"ins": st.just(1)}),
    _row("convolution padded by strides", (3, 2), (2, 3), "same"),
    _row("convolution padded unevenly", (2, 4), (1, 2), ((3, 0), (-1, 2))),
    _row("convolution dilated", (3, 2), 1, "same", (2, 3)),
    _row("convolution dilated by strides", (3, 3), (2, 4), "same", (2, 2)),
    # the formula joins narrow groups with zeros between them, and Inf times these is NaN
    _row("convolution in groups", (3, 3), 1, "same", groups=3, nan=False),
    _row("convolution of one tap by strides", (1, 1), 3),
    _row("convolution along one axis", (1, 5), 1, "causal"),
    _ended_row("convolution with a bias and a ReLU", True, True, padding="valid"),
    _ended_row("convolution with a bias", True, False),
    _ended_row("convolution with a ReLU", False, True),
    _ended_row("convolution in groups with a bias and a ReLU", True, True, groups=3, nan=False),
    _ended_row(
        "convolution of many channels with a bias and a ReLU", True, True, sizes=MANY, usual=MANY_USUAL, nan=False
    ),
    _kernel_row(),
    _transposed_row("transposed convolution", (3, 3), (1, 1), "valid"),
    _transposed_row("transposed convolution by strides", (3, 4), (2, 3), "valid"),
    _depthwise_row("depthwise convolution", (3, 3)),
    # a tap outside of the input is left out, where the formula multiplies it with zero
    _depthwise_row("depthwise convolution by strides", (3, 5), (2, 1), "same", nan=False),
    _depthwise_row("depthwise convolution dilated", (3, 2), 1, "same", (2, 3), nan=False),
]
