"""Convolution in one, two and three dimensions, its transpose, and its depthwise and separable forms.

    y[n, i, o] = sum_{t, c} x[n, s i + d t - lo, c] K[t, c, o]

n: batch; i: place in the output, t: tap of the kernel, both with one index per spatial axis; c, o: channels in and out;
s: stride, d: dilation, lo: zeros before the axis. Strictly a correlation, as everywhere in deep learning (LeCun et al.
1989, "Backpropagation applied to handwritten zip code recognition").

How it is computed is in `thalweg/kernels/conv.py`.
"""

from collections.abc import Sequence

from thalweg.kernels import conv as kernels
from thalweg.ops.windows import Pads, spread, windows
from thalweg.types import Array, Float

Tensor = Float[Array, "batch *places channels"]
Kernel = Float[Array, "*taps ins outs"]


def conv(
    x: Tensor,
    kernel: Kernel,
    strides: int | Sequence[int] = 1,
    padding: str | Pads = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    bias: Float[Array, " outputs"] | None = None,
    relu: bool = False,
) -> Float[Array, "batch *out outputs"]:
    """y[n, i, o] = sum_{t, c} x[n, s i + d t - lo, c] K[t, c, o] + b[o], or max(.., 0) of it in one pass.

    Args:
        x: [batch, *places, channels].
        kernel: K, [*taps, channels / groups, outputs]; its number of axes says the dimension.
        strides: s, one number or one per axis.
        padding: "valid", "same", "causal", or the zeros before and after each axis.
        dilation: d, one number or one per axis.
        groups: output group g reads the channels of input group g only.
        bias: b, [outputs], or None.
        relu: whether the ReLU follows.

    Returns:
        y, [batch, *places, outputs].

    Raises:
        ValueError: the kernel does not fit into the places or the channels.

    >>> import jax.numpy as jnp
    >>> conv(jnp.ones((1, 4, 1)), jnp.ones((2, 1, 1)))[0, :, 0].tolist()
    [2.0, 2.0, 2.0]
    """
    _check_channels(x.shape[-1], kernel.shape, groups)
    w = windows(x.shape[1:-1], kernel.shape[:-2], strides, padding, dilation)
    return kernels.conv(x, kernel, w, groups, bias, relu)


def conv_transpose(
    x: Tensor,
    kernel: Kernel,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    dilation: int | Sequence[int] = 1,
) -> Float[Array, "batch *out outputs"]:
    """The transpose of the linear map `conv(., kernel, strides, ...)`: what its gradient does to y, done to x.

        y[n, s i + d t - lo, o] += x[n, i, c] K[t, o, c]    for all i, t

    After Zeiler et al. 2010, "Deconvolutional networks".

    Args:
        x: [batch, *places, channels].
        kernel: K, [*taps, outputs, channels].
        strides: s; y has about s times as many places as x.
        padding: "valid" keeps every place that is written; "same" makes s times as many as x has.
        output_padding: places added at the end of each axis; None means what `padding` says.
        dilation: d.

    Returns:
        y, [batch, *places, outputs].

    >>> import jax.numpy as jnp
    >>> conv_transpose(jnp.ones((1, 2, 1)), jnp.ones((2, 1, 1)), strides=2)[0, :, 0].tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    rank = kernel.ndim - 2
    s, d = spread(strides, rank, "strides"), spread(dilation, rank, "dilation_rate")
    extra = (None,) * rank if output_padding is None else spread(output_padding, rank, "output_padding")
    axes = zip(x.shape[1:-1], kernel.shape[:rank], s, d, extra, strict=True)
    sizes, pads = zip(*(_transposed_axis(*axis, padding) for axis in axes), strict=True)
    return kernels.transposed(x, kernel, windows(sizes, kernel.shape[:rank], s, pads, d), sizes)


def depthwise_conv(
    x: Tensor,
    kernel: Kernel,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilation: int | Sequence[int] = 1,
) -> Float[Array, "batch *out outputs"]:
    """Each channel has kernels of its own: y[n, i, c m + j] = sum_t x[n, s i + d t - lo, c] K[t, c, j].

    Args:
        x: [batch, *places, channels].
        kernel: K, [*taps, channels, m].
        strides: s.
        padding: "valid", "same" or "causal".
        dilation: d.

    Returns:
        y, [batch, *places, channels m].
    """
    *taps, channels, m = kernel.shape
    return conv(x, kernel.reshape(*taps, 1, channels * m), strides, padding, dilation, groups=channels)


def separable_conv(
    x: Tensor,
    depthwise: Kernel,
    pointwise: Float[Array, "*ones mixed outs_mixed"],
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilation: int | Sequence[int] = 1,
) -> Float[Array, "batch *out outputs"]:
    """A depthwise convolution, then one of a single place that mixes the channels.

    Chollet 2017, "Xception: deep learning with depthwise separable convolutions".

    Args:
        x: [batch, *places, channels].
        depthwise: [*taps, channels, m].
        pointwise: [*ones, channels m, outputs].
        strides: of the depthwise part.
        padding: of the depthwise part.
        dilation: of the depthwise part.

    Returns:
        y, [batch, *places, outputs].
    """
    return conv(depthwise_conv(x, depthwise, strides, padding, dilation), pointwise)


def _transposed_axis(n: int, k: int, s: int, d: int, extra: int | None, padding: str) -> tuple[int, tuple[int, int]]:
    """How many places the transpose makes of n, and the zeros before and after them that the convolution would add."""
    reach = d * (k - 1) + 1
    if padding == "valid":
        lo, hi = 0, -(max(s - reach, 0) if extra is None else extra)
    else:
        total = reach + (s - 2 if extra is None else reach % 2 - 2 + extra)
        before = min(total - total // 2, reach - 1)
        lo, hi = reach - 1 - before, reach - 1 - (total - before)
    return (n - 1) * s + reach - lo - hi, (lo, hi)


def _check_channels(channels: int, kernel: tuple[int, ...], groups: int) -> None:
    if channels != kernel[-2] * groups or kernel[-1] % groups:
        raise ValueError(
            f"{channels} channels in and {kernel[-1]} out cannot form {groups} groups of kernels that read "
            f"{kernel[-2]}.\n"
            "  Write groups that divide both numbers of channels."
        )
