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
from thalweg.types import Array, Float, Tree

CACHE = 2**21
"""Bytes of patches in one block."""

WIDE = 16
"""Channels that a group should have at least for a matrix product of its own."""

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
    y = _products(pad(x, w), kernel, w.unpadded(), groups)
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


def _products(x: Array, kernel: Array, w: Windows, groups: int) -> Array:
    outputs = kernel.shape[-1]
    if groups > 1 and groups == x.shape[-1]:
        return _depthwise(w, jnp.repeat(x, outputs // groups, axis=-1), kernel.reshape(w.taps, outputs))
    if groups > 1:
        kernels = _wide_groups(kernel, groups)
        parts = zip(jnp.split(x, len(kernels), axis=-1), kernels, strict=True)
        return jnp.concatenate([_products(part, k, w, 1) for part, k in parts], axis=-1)
    x, places = _strips(x, w) if w.taps > 1 else (x, 0)
    return _in_blocks(_patches_by(kernel, w), x, places * w.taps * x.shape[-1])


def _patches_by(kernel: Array, w: Windows) -> Callable[[Array], Array]:
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


def _wide_groups(kernel: Array, groups: int) -> list[Array]:
    """The kernel of each group; narrow neighbours are joined, with zeros between them, until a product is worth it."""
    *taps, channels, outputs = kernel.shape
    join = max(n for n in range(1, groups + 1) if groups % n == 0 and (n == 1 or n * channels <= WIDE))
    k = kernel.reshape(*taps, channels, groups // join, join, outputs // groups)
    own = jnp.eye(join, dtype=k.dtype)[:, None, None, :, None]  # [join, 1, 1, join, 1]
    joined = (k[..., None, :, :, :, :] * own.reshape((1,) * len(taps) + own.shape)).reshape(
        *taps, join * channels, outputs
    )
    return jnp.split(joined, groups // join, axis=-1)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _depthwise(w: Windows, x: Array, k: Array) -> Array:
    return _over_taps(w, x, k)


def _over_taps(w: Windows, x: Array, k: Array) -> Array:
    terms = (widen(v) * _per_channel(kt, v) for v, kt in zip(views(x, w), widen(k), strict=True))
    return functools.reduce(jnp.add, terms).astype(x.dtype)


def _depthwise_forward(w: Windows, x: Array, k: Array) -> tuple[Array, tuple[Array, Array]]:
    return _depthwise(w, x, k), (x, k)


def _depthwise_backward(w: Windows, saved: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    x, k = saved
    dx, *_ = jax.vjp(lambda x: _over_taps(w, x, k), x)[1](dy)
    rows = _in_blocks(functools.partial(_tap_sums, w), (x, dy), w.taps * dy[0].size)  # [batch, taps, channels]
    return dx, jnp.sum(rows, axis=0).astype(k.dtype)


_depthwise.defvjp(_depthwise_forward, _depthwise_backward)


def _tap_sums(w: Windows, x_dy: tuple[Array, Array]) -> Array:
    x, dy = x_dy
    terms = jnp.stack([widen(v) * widen(dy) for v in views(x, w)], axis=1)  # [batch, taps, *places, channels]
    return jnp.sum(terms, axis=tuple(range(2, terms.ndim - 1)))


def _per_channel(k: Array, like: Array) -> Array:
    return k.reshape((1,) * (like.ndim - 1) + k.shape)


def _strips(x: Array, w: Windows) -> tuple[Array, int]:
    """A padded `x` cut along its first axis of places, until the patches of one strip fit into the cache.

    Strips overlap by what a window reads beyond its stride. They join the batch, and their outputs, one after the
    other, are those of the whole.

    Returns:
        [batch strips, *places, channels], and how many windows a strip has.
    """
    first, *rest = w.outputs(x.shape[1:-1])
    s, overlap = w.strides[0], w.dilation[0] * (w.size[0] - 1) + 1 - w.strides[0]
    row = math.prod(rest) * w.taps * x.shape[-1] * x.dtype.itemsize
    whole = [n for n in range(1, first + 1) if first % n == 0 and n * s >= overlap]
    long = max((n for n in whole if n * row <= CACHE), default=min(whole, default=first))
    if long == first:
        return x, first * math.prod(rest)
    step, strips, places = long * s, first // long, x.shape[2:]
    own = x[:, : strips * step].reshape(-1, step, *places)
    if overlap > 0:
        margins = ((0, 0), (0, step - overlap), *((0, 0),) * len(places))
        following = jnp.pad(x[:, step : strips * step + overlap], margins)
        own = jnp.concatenate([own, following.reshape(own.shape)[:, :overlap]], axis=1)
    return own, long * math.prod(rest)


def _in_blocks(formula: Callable[[Tree], Array], x: Tree, numbers: int) -> Array:
    """`formula(x)` on a few rows of the batch at a time; its intermediate values take `numbers` numbers a row."""
    leaves = jax.tree.leaves(x)
    batch, width = leaves[0].shape[0], leaves[0].dtype.itemsize
    most = batch if numbers * batch * width <= CACHE else max(CACHE // (numbers * width), 1)
    rows = max(n for n in range(1, most + 1) if batch % n == 0)
    if rows == batch:
        return formula(x)
    once = jax.checkpoint(formula, prevent_cse=False)
    blocks = jax.tree.map(lambda a: a.reshape(-1, rows, *a.shape[1:]), x)
    _, y = jax.lax.scan(lambda _, block: (None, once(block)), None, blocks)
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
