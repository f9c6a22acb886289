"""Convolution in one, two and three dimensions, its transpose, and its depthwise and separable forms.

    y[n, i, o] = sum_{t, c} x[n, s i + d t - lo, c] K[t, c, o]

n: batch; i: place in the output, t: tap of the kernel, both with one index per spatial axis; c, o: channels in and out;
s: stride, d: dilation, lo: zeros before the axis. Strictly a correlation, as everywhere in deep learning (LeCun et al.
1989, "Backpropagation applied to handwritten zip code recognition").

On accelerators this is XLA's convolution. On a CPU that operation and above all its gradients are slow inside a
compiled loop, and this is a matrix product: row i of the patches P holds all that the kernel reads at place i, so that
y = P K. P is as large as the input times the number of taps, so it is never whole: a few rows of the batch at a time,
such that their patches stay in the cache, written, multiplied and dropped. In the backward pass they are written again.
Blocking is the larger gain (23 ms a step against 29 for the whole P, in the network of `benchmarks/ops/conv.py`).
"""

import functools
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from thalweg.ops.precision import widen
from thalweg.ops.windows import Pads, Windows, pad, spread, views, windows
from thalweg.types import Array, Float

CACHE = 2**21
"""Bytes of patches in one block."""

Tensor = Float[Array, "batch *places channels"]
Kernel = Float[Array, "*taps ins outs"]


def conv(
    x: Tensor,
    kernel: Kernel,
    strides: int | Sequence[int] = 1,
    padding: str | Pads = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Float[Array, "batch *out outputs"]:
    """y[n, i, o] = sum_{t, c} x[n, s i + d t - lo, c] K[t, c, o].

    Args:
        x: [batch, *places, channels].
        kernel: K, [*taps, channels / groups, outputs]; its number of axes says the dimension.
        strides: s, one number or one per axis.
        padding: "valid", "same", "causal", or the zeros before and after each axis.
        dilation: d, one number or one per axis.
        groups: output group g reads the channels of input group g only.

    Returns:
        y, [batch, *places, outputs].

    Raises:
        ValueError: the kernel does not fit into the places or the channels.

    >>> conv(jnp.ones((1, 4, 1)), jnp.ones((2, 1, 1)))[0, :, 0].tolist()
    [2.0, 2.0, 2.0]
    """
    _check_channels(x.shape[-1], kernel.shape, groups)
    w = windows(x.shape[1:-1], kernel.shape[:-2], strides, padding, dilation)
    if jax.default_backend() != "cpu":
        return _accelerated(x, kernel, w, groups)
    y = _in_blocks(_formula(kernel, w, groups), *_strips(pad(x, w), w))
    return y.reshape(x.shape[0], *w.outputs(x.shape[1:-1]), kernel.shape[-1])


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

    >>> conv_transpose(jnp.ones((1, 2, 1)), jnp.ones((2, 1, 1)), strides=2)[0, :, 0].tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    rank = kernel.ndim - 2
    s, d = spread(strides, rank, "strides"), spread(dilation, rank, "dilation_rate")
    extra = (None,) * rank if output_padding is None else spread(output_padding, rank, "output_padding")
    axes = zip(x.shape[1:-1], kernel.shape[:rank], s, d, extra, strict=True)
    sizes, pads = zip(*(_transposed_axis(*axis, padding) for axis in axes), strict=True)
    y = jax.ShapeDtypeStruct((x.shape[0], *sizes, kernel.shape[-2]), x.dtype)
    (out,) = jax.linear_transpose(lambda y: conv(y, kernel, s, pads, d), y)(x)
    return out


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


def _accelerated(x: Array, kernel: Array, w: Windows, groups: int) -> Array:
    axes = "DHW"[3 - len(w.size) :]
    layout = (f"N{axes}C", f"{axes}IO", f"N{axes}C")
    return jax.lax.conv_general_dilated(
        x, kernel, w.strides, w.pads, rhs_dilation=w.dilation, dimension_numbers=layout, feature_group_count=groups
    )


def _formula(kernel: Array, w: Windows, groups: int) -> Callable[[Array], Array]:
    if groups == 1:
        return _dense(kernel, w)
    if kernel.shape[-2] == 1:
        return functools.partial(_depthwise, kernel.reshape(w.taps, groups, -1), w)
    return functools.partial(_grouped, kernel.reshape(w.taps, kernel.shape[-2], groups, -1), w)


def _dense(kernel: Array, w: Windows) -> Callable[[Array], Array]:
    k = kernel.reshape(-1, kernel.shape[-1])
    inputs, outputs = k.shape
    # the gradient of k is patches' dy or its transpose; on a CPU the narrower factor should lead. So k is turned here,
    # outside the loop: inside it XLA would turn the product back
    turned = inputs > outputs
    k = k.T if turned else k

    def formula(x: Array) -> Array:
        taps = views(x, w)
        patches = jnp.concatenate(taps, axis=-1).reshape(-1, inputs)  # [batch places, taps channels]
        y = jax.lax.dot_general(patches, k, (((1,), (1 if turned else 0,)), ((), ())))
        return y.reshape(*taps[0].shape[:-1], outputs)

    return formula


def _grouped(kernel: Array, w: Windows, x: Array) -> Array:
    _, channels, groups, _ = kernel.shape
    taps = [v.reshape(*v.shape[:-1], groups, channels) for v in views(x, w)]
    patches = jnp.stack(taps, axis=-3)  # [batch, places, taps, groups, channels]
    n = patches.ndim
    y = jax.lax.dot_general(patches, kernel, (((n - 3, n - 1), (0, 1)), ((n - 2,), (2,))))
    y = jnp.moveaxis(y, 0, -2)  # [batch, places, groups, outputs]
    return y.reshape(*y.shape[:-2], -1)


def _depthwise(kernel: Array, w: Windows, x: Array) -> Array:
    taps = zip(views(x, w), widen(kernel), strict=True)
    terms = (widen(v)[..., None] * _along_last_two(k, v.ndim + 1) for v, k in taps)
    y = functools.reduce(jnp.add, terms).astype(x.dtype)  # [batch, places, channels, m]
    return y.reshape(*y.shape[:-2], -1)


def _along_last_two(k: Array, rank: int) -> Array:
    return k.reshape((1,) * (rank - 2) + k.shape)


def _strips(x: Array, w: Windows) -> tuple[Array, int]:
    """A padded `x` whose rows are cut along the first axis of places, until the patches of one fit into the cache.

    Strips overlap by what a window reads beyond its stride. They join the batch, and their outputs lie one after the
    other as those of the whole do.

    Returns:
        [batch strips, *places, channels], and how many numbers the patches of one strip hold.
    """
    outputs = Windows(w.size, w.strides, w.dilation, ((0, 0),) * len(w.size)).outputs(x.shape[1:-1])
    numbers, s = w.taps * math.prod(outputs) * x.shape[-1], w.strides[0]
    overlap = w.dilation[0] * (w.size[0] - 1) + 1 - s
    fit = (n for n in range(outputs[0], 0, -1) if outputs[0] % n == 0 and n * s >= overlap)
    fit = list(fit)
    few = next((n for n in fit if numbers // outputs[0] * n * x.dtype.itemsize <= CACHE), fit[-1])
    strips = outputs[0] // few
    if w.taps == 1 or strips == 1:
        return x, 0 if w.taps == 1 else numbers
    step, rest = few * s, x.shape[2:]
    own = x[:, : strips * step].reshape(-1, step, *rest)
    if overlap <= 0:
        return own, numbers // strips
    after = x[:, step : strips * step + overlap]
    after = jnp.pad(after, ((0, 0), (0, step - overlap), *((0, 0),) * len(rest))).reshape(-1, step, *rest)
    return jnp.concatenate([own, after[:, :overlap]], axis=1), numbers // strips


def _in_blocks(formula: Callable[[Array], Array], x: Array, numbers: int) -> Array:
    """`formula(x)` on a few rows of the batch at a time; its intermediate values take `numbers` numbers a row."""
    batch = x.shape[0]
    fitting = batch if numbers == 0 else max(CACHE // (numbers * x.dtype.itemsize), 1)
    rows = next(r for r in range(min(fitting, batch), 0, -1) if batch % r == 0)
    if rows == batch:
        return formula(x)
    once = jax.checkpoint(formula, prevent_cse=False)
    _, y = jax.lax.scan(lambda _, block: (None, once(block)), None, x.reshape(-1, rows, *x.shape[1:]))
    return y.reshape(batch, *y.shape[2:])


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
