"""Convolution of any dimension, native in one and two, with its gradients.

    y[n, i, o] = sum_{t, c} x[n, s i + d t - lo, c] K[t, c, o]

With P the matrix of patches, whose row i holds all that the kernel reads at place i, this is y = P(x) K, its gradients
are P(x)^T dy for the kernel and, for the data, the products dy K^T each added to the place that was read. The three
functions are closed under differentiation: the derivative of each is made of the other two.

The native functions write P a block at a time (`native/include/patches.h`). So does the formula for a CPU in JAX: P is
as large as the input times the number of taps, so it is never whole: a few rows of the batch at a time, such that their
patches stay in the cache, written, multiplied and dropped; in the backward pass they are written again. XLA's own
convolution, which is that of other devices, is slow on a CPU inside a compiled loop, above all its gradients.

Shapes: x [batch, *places, ins], K [*taps, ins / groups, outs], y [batch, *out, outs].
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.kernels import depthwise, ending, library, matmul
from thalweg.kernels.precision import widen
from thalweg.kernels.windows import CACHE, Windows, in_blocks, pad, views
from thalweg.types import Array, ShapeDtype

WIDE = 16
"""Channels that a group should have at least for a matrix product of its own."""

SMALLEST = 2**14
"""Multiplications below which XLA's own products are as fast as a call out of it."""


def serves(x: Array | ShapeDtype, kernel: Array, w: Windows) -> bool:
    """Whether the native functions run for these; bfloat16 is widened before them."""
    known = x.dtype == kernel.dtype and x.dtype in (jnp.float32, jnp.bfloat16)
    work = math.prod(w.outputs(x.shape[1:-1])) * x.shape[0] * kernel.size
    return known and x.ndim in (3, 4) and work >= SMALLEST and library.serves()


def conv(x: Array, kernel: Array, w: Windows, groups: int, bias: Array | None = None, relu: bool = False) -> Array:
    """The convolution and its ending, by whichever is the faster."""
    if not serves(x, kernel, w):
        return ending.apply(reference(x, kernel, w, groups), bias, relu)
    wide = None if bias is None else bias.astype(jnp.float32)
    return native(x.astype(jnp.float32), kernel.astype(jnp.float32), w, groups, wide, relu).astype(x.dtype)


def transposed(dy: Array, kernel: Array, w: Windows, places: tuple[int, ...]) -> Array:
    """What the gradient of `conv` with this kernel does to `dy`: [batch, *places, ins]."""
    if w.outputs(places) != dy.shape[1:-1]:
        raise ValueError(
            f"windows over {places} places make {w.outputs(places)} of them, not {dy.shape[1:-1]}.\n"
            "  Give the places of the input of the convolution that `dy` is a gradient of."
        )
    x = ShapeDtype((dy.shape[0], *places, kernel.shape[-2]), dy.dtype)
    if not serves(x, kernel, w):
        (dx,) = jax.linear_transpose(lambda x: reference(x, kernel, w, 1), x)(dy)
        return dx
    dx: Any = data(*_planar(dy.astype(jnp.float32), kernel.astype(jnp.float32)), w.planar(), 1, _plane(places))
    return jnp.reshape(dx, x.shape).astype(dy.dtype)


# the native functions: pictures of two axes


def native(x: Array, kernel: Array, w: Windows, groups: int, bias: Array | None = None, relu: bool = False) -> Array:
    """The convolution of float32 numbers along one axis or two."""
    outs = kernel.shape[-1]
    if w.plain and groups == 1:
        return matmul.linear(x, kernel.reshape(kernel.shape[-2:]), bias, relu)
    shape = (x.shape[0], *w.outputs(x.shape[1:-1]), outs)
    if groups > 1 and groups == x.shape[-1]:
        x, kernel = _planar(jnp.repeat(x, outs // groups, axis=-1), kernel)
        return ending.apply(jnp.reshape(depthwise.forward(x, kernel[:, :, 0], w.planar()), shape), bias, relu)
    x, kernel = _planar(x, kernel)
    plain = bias is None and not relu
    y: Any = forward(x, kernel, w.planar(), groups) if plain else ended(x, kernel, bias, w.planar(), groups, relu)
    return jnp.reshape(y, shape)


def _plane(sizes: tuple[int, ...]) -> tuple[int, ...]:
    return sizes if len(sizes) == 2 else (1, *sizes)


def _planar(x: Array, kernel: Array) -> tuple[Array, Array]:
    """A sequence as a picture of height 1."""
    return (x, kernel) if x.ndim == 4 else (x[:, None], kernel[None])


def _call(name: str, shape: tuple[int, ...], w: Windows, groups: int, *arguments: Array, **how: Any) -> Array:
    result = ShapeDtype(shape, arguments[0].dtype)
    return library.call(name, result, *arguments, window=np.append(w.numbers(), groups), **how)


def _convolved(x: Array, kernel: Array, bias: Array | None, w: Windows, groups: int, relu: bool) -> Array:
    shape = (x.shape[0], *w.outputs(x.shape[1:-1]), kernel.shape[-1])
    return _call("conv", shape, w, groups, x, kernel, ending.or_nothing(bias, x.dtype), relu=relu)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def forward(x: Array, kernel: Array, w: Windows, groups: int) -> Array:
    """y, [batch, height, width, outs]."""
    return _convolved(x, kernel, None, w, groups, False)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def data(dy: Array, kernel: Array, w: Windows, groups: int, places: tuple[int, ...]) -> Array:
    """dx, [batch, *places, ins]."""
    return _call("conv_data", (dy.shape[0], *places, kernel.shape[-2] * groups), w, groups, dy, kernel)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def kernel(x: Array, dy: Array, w: Windows, groups: int) -> Array:
    """dK, [*taps, ins / groups, outs]."""
    return _call("conv_kernel", (*w.size, x.shape[-1] // groups, dy.shape[-1]), w, groups, x, dy)


def _forward_backward(w: Windows, groups: int, saved: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    x, k = saved
    return data(dy, k, w, groups, x.shape[1:-1]), kernel(x, dy, w, groups)


def _data_backward(w: Windows, groups: int, _: Any, saved: tuple[Array, Array], dx: Array) -> tuple[Array, Array]:
    dy, k = saved
    return forward(dx, k, w, groups), kernel(dx, dy, w, groups)


def _kernel_backward(w: Windows, groups: int, saved: tuple[Array, Array], dk: Array) -> tuple[Array, Array]:
    x, dy = saved
    return data(dy, dk, w, groups, x.shape[1:-1]), forward(x, dk, w, groups)


forward.defvjp(lambda x, k, w, groups: (forward(x, k, w, groups), (x, k)), _forward_backward)
data.defvjp(lambda dy, k, w, groups, places: (data(dy, k, w, groups, places), (dy, k)), _data_backward)
kernel.defvjp(lambda x, dy, w, groups: (kernel(x, dy, w, groups), (x, dy)), _kernel_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4, 5))
def ended(x: Array, kernel: Array, bias: Array | None, w: Windows, groups: int, relu: bool) -> Array:
    """The convolution with a bias or a ReLU or both."""
    return _convolved(x, kernel, bias, w, groups, relu)


def _ended_forward(x: Array, k: Array, bias: Array | None, w: Windows, groups: int, relu: bool) -> tuple[Array, Any]:
    y: Any = ended(x, k, bias, w, groups, relu)
    return y, (x, k, bias, y if relu else None)


def _ended_backward(w: Windows, groups: int, relu: bool, saved: Any, dy: Array) -> tuple[Any, Any, Any]:
    del relu  # y is there if it was
    x, k, bias, y = saved
    dz, db = (ending.relu_gradient(y, dy), None) if bias is None else ending.gradient(y, dy)
    return *_forward_backward(w, groups, (x, k), dz), db


ended.defvjp(_ended_forward, _ended_backward)


# the formula


def reference(x: Array, kernel: Array, w: Windows, groups: int) -> Array:
    """The convolution by XLA."""
    if jax.default_backend() != "cpu":
        return _accelerated(x, kernel, w, groups)
    y = _products(pad(x, w), kernel, w.unpadded(), groups)
    return y.reshape(x.shape[0], *w.outputs(x.shape[1:-1]), kernel.shape[-1])


def _accelerated(x: Array, kernel: Array, w: Windows, groups: int) -> Array:
    axes = "DHW"[3 - len(w.size) :]
    layout = (f"N{axes}C", f"{axes}IO", f"N{axes}C")
    return jax.lax.conv_general_dilated(
        x, kernel, w.strides, w.pads, rhs_dilation=w.dilation, dimension_numbers=layout, feature_group_count=groups
    )


def _products(x: Array, kernel: Array, w: Windows, groups: int) -> Array:
    outputs = kernel.shape[-1]
    if groups > 1 and groups == x.shape[-1]:
        return depthwise.reference(jnp.repeat(x, outputs // groups, axis=-1), kernel, w)
    if groups > 1:
        kernels = _wide_groups(kernel, groups)
        parts = zip(jnp.split(x, len(kernels), axis=-1), kernels, strict=True)
        return jnp.concatenate([_products(part, k, w, 1) for part, k in parts], axis=-1)
    x, places = _strips(x, w) if w.taps > 1 else (x, 0)
    return in_blocks(_patches_by(kernel, w), x, places * w.taps * x.shape[-1])


def _patches_by(kernel: Array, w: Windows) -> Callable[[Array], Array]:
    k = kernel.reshape(-1, kernel.shape[-1])
    inputs, outputs = k.shape
    # the gradient of k is patches' dy or its transpose; on a CPU the narrower factor should lead. So k is turned here,
    # outside the loop: inside it XLA would turn the product back
    turned = inputs > outputs
    k = widen(k.T if turned else k)  # the loop adds up the gradient of what it reads

    def formula(x: Array) -> Array:
        taps = views(x, w)
        patches = jnp.concatenate(taps, axis=-1).reshape(-1, inputs)  # [batch places, taps channels]
        y = jax.lax.dot_general(patches, k.astype(x.dtype), (((1,), (1 if turned else 0,)), ((), ())))
        return y.reshape(*taps[0].shape[:-1], outputs)

    return formula


def _wide_groups(kernel: Array, groups: int) -> list[Array]:
    """The kernel of each group; narrow neighbours are joined, with zeros between them, until a product is worth it."""
    *taps, channels, outputs = kernel.shape
    join = max(n for n in range(1, groups + 1) if groups % n == 0 and (n == 1 or n * channels <= WIDE))
    k = kernel.reshape(*taps, channels, groups // join, join, outputs // groups)
    joined = jnp.concatenate([_alone(k[..., j, :], j, join) for j in range(join)], axis=-1)
    return [joined[..., g, :] for g in range(groups // join)]  # each [*taps, join channels, join outputs / groups]


def _alone(k: Array, j: int, join: int) -> Array:
    """[*taps, channels, ..] as the j-th of `join` parts of the channels, all others 0."""
    taps, channels = k.ndim - 3, k.shape[-3]
    around = [(0, 0)] * taps + [(j * channels, (join - 1 - j) * channels), (0, 0), (0, 0)]
    return jnp.pad(k, around)


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
