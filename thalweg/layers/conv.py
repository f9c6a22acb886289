"""Convolution: the same weights look at every place.

    y[n, i, o] = activation(sum_{t, c} x[n, s i + d t - lo, c] K[t, c, o] + b[o])

n: batch; i: place in the output, t: tap of the kernel, one index per spatial axis; c, o: channels in and out;
s: strides, d: dilation_rate, lo: zeros before the axis. Channels last. LeCun et al. 1989, "Backpropagation applied to
handwritten zip code recognition"; how it is computed is in `thalweg/ops/conv.py`.

Steps of a sequence that its mask calls padding are read as 0, like those before and behind it, so the real ones come
out as they would alone (Keras reads what stands there). A window of padding="valid" is real where all its steps are;
else where the step that it stands at is. Of a transposed one a step is real where a real step would write it alone.
"""

from collections.abc import Sequence
from dataclasses import field
from typing import ClassVar, TypeAlias

from thalweg.core import Context, Module
from thalweg.errors import ContractError
from thalweg.layers.common import Activation, Constraint, Initializer, Regularizer, bias, finish, has_relu, weight
from thalweg.layers.mask import of_sequence, where_real, windowed, written
from thalweg.ops.conv import conv, conv_transpose, depthwise_conv, separable_conv
from thalweg.ops.linear import with_bias
from thalweg.ops.windows import spread
from thalweg.ranges import COUNT
from thalweg.types import Array, Float

Size: TypeAlias = int | Sequence[int]
"""One number for all spatial axes, or one for each."""


class Conv(Module):
    """The base of the convolutions over `rank` spatial axes.

    Args:
        filters: how many channels come out.
        kernel_size: taps per axis.
        strides: places from one window to the next.
        padding: "valid", "same", or in one dimension "causal".
        dilation_rate: places from one tap to the next.
        groups: output group g reads the channels of input group g only.
        activation: a name, a function, or None.
        use_bias: whether b is there.
        kernel_initializer: of K, [*taps, channels / groups, filters].
        bias_initializer: of b.
        kernel_regularizer: of K.
        bias_regularizer: of b.
        activity_regularizer: of y, per row of the batch.
        kernel_constraint: of K.
        bias_constraint: of b.
    """

    casts: ClassVar[bool] = True
    limits: ClassVar = {"filters": COUNT, "groups": COUNT}
    rank: ClassVar[int] = 0

    filters: int
    kernel_size: Size
    strides: Size = 1
    padding: str = "valid"
    dilation_rate: Size = 1
    groups: int = 1
    activation: Activation = None
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None

    def __call__(self, cx: Context, x: Float[Array, "batch *places channels"]) -> Float[Array, "batch *out filters"]:
        """The layer on `x`."""
        if x.shape[-1] % self.groups or self.filters % self.groups:
            raise ContractError(
                f"{cx.name} {self!r}: groups={self.groups} must divide the {x.shape[-1]} channels that come in and the "
                f"{self.filters} filters.\n  Write groups=1, or a divisor of both."
            )
        taps = spread(self.kernel_size, self.rank, "kernel_size")
        kernel = weight(cx, "kernel", (*taps, x.shape[-1] // self.groups, self.filters))
        b, relu, mask = bias(cx, self.filters), has_relu(cx), of_sequence(cx, x)
        x = where_real(x, mask)
        y = conv(x, kernel, self.strides, self.padding, self.dilation_rate, self.groups, b, relu)
        y = finish(cx, y, relu)
        return windowed(cx, y, mask, self.kernel_size, self.strides, self.padding, self.dilation_rate)


class Conv1D(Conv):
    """Convolution over the steps of a sequence."""

    axes: ClassVar[str] = "batch steps channels"
    rank: ClassVar[int] = 1


class Conv2D(Conv):
    """Convolution over a picture.

    >>> import jax.numpy as jnp
    >>> from thalweg import core, random
    >>> params, state = core.init(Conv2D(4, 3), random.key(0), jnp.ones((1, 8, 8, 1)))
    >>> core.apply(Conv2D(4, 3), params, state, jnp.ones((1, 8, 8, 1)))[0].shape
    (1, 6, 6, 4)
    """

    axes: ClassVar[str] = "batch height width channels"
    rank: ClassVar[int] = 2


class Conv3D(Conv):
    """Convolution over a volume."""

    axes: ClassVar[str] = "batch depth height width channels"
    rank: ClassVar[int] = 3


class ConvTranspose(Module):
    """The base of transposed convolutions: the gradient of a convolution as a layer, so that places become more.

        y[n, s i + d t - lo, o] += x[n, i, c] K[t, o, c]    for all i, t;  then activation(y + b)

    Args as `Conv`, with `output_padding`: places added at the end of each axis. Zeiler et al. 2010.
    """

    casts: ClassVar[bool] = True
    keeps_mask: ClassVar[bool] = False
    limits: ClassVar = {"filters": COUNT}
    rank: ClassVar[int] = 0

    filters: int
    kernel_size: Size
    strides: Size = 1
    padding: str = "valid"
    output_padding: Size | None = None
    dilation_rate: Size = 1
    activation: Activation = None
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    activity_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None

    def __call__(self, cx: Context, x: Float[Array, "batch *places channels"]) -> Float[Array, "batch *out filters"]:
        """The layer on `x`."""
        taps = spread(self.kernel_size, self.rank, "kernel_size")
        kernel = weight(cx, "kernel", (*taps, self.filters, x.shape[-1]))
        mask = of_sequence(cx, x)
        x = where_real(x, mask)
        y = conv_transpose(x, kernel, self.strides, self.padding, self.output_padding, self.dilation_rate)
        y = finish(cx, with_bias(y, bias(cx, self.filters)))
        stride = spread(self.strides, self.rank, "strides")[0]
        return cx.masked(y, written(mask, stride, y.shape[1] - (x.shape[1] - 1) * stride))


class Conv1DTranspose(ConvTranspose):
    """Transposed convolution over the steps of a sequence."""

    axes: ClassVar[str] = "batch steps channels"
    rank: ClassVar[int] = 1


class Conv2DTranspose(ConvTranspose):
    """Transposed convolution over a picture."""

    axes: ClassVar[str] = "batch height width channels"
    rank: ClassVar[int] = 2


class Conv3DTranspose(ConvTranspose):
    """Transposed convolution over a volume."""

    axes: ClassVar[str] = "batch depth height width channels"
    rank: ClassVar[int] = 3


class DepthwiseConv(Module):
    """The base of depthwise convolutions: each channel has `depth_multiplier` kernels of its own.

    y[n, i, c m + j] = activation(sum_t x[n, s i + d t - lo, c] K[t, c, j] + b[c m + j])
    """

    casts: ClassVar[bool] = True
    limits: ClassVar = {"depth_multiplier": COUNT}
    rank: ClassVar[int] = 0

    kernel_size: Size
    strides: Size = 1
    padding: str = "valid"
    depth_multiplier: int = 1
    dilation_rate: Size = field(default=1, kw_only=True)
    activation: Activation = field(default=None, kw_only=True)
    use_bias: bool = field(default=True, kw_only=True)
    depthwise_initializer: Initializer = field(default="glorot_uniform", kw_only=True)
    bias_initializer: Initializer = field(default="zeros", kw_only=True)
    depthwise_regularizer: Regularizer = field(default=None, kw_only=True)
    bias_regularizer: Regularizer = field(default=None, kw_only=True)
    activity_regularizer: Regularizer = field(default=None, kw_only=True)
    depthwise_constraint: Constraint = field(default=None, kw_only=True)
    bias_constraint: Constraint = field(default=None, kw_only=True)

    def __call__(self, cx: Context, x: Float[Array, "batch *places channels"]) -> Float[Array, "batch *out channels_m"]:
        """The layer on `x`."""
        taps = spread(self.kernel_size, self.rank, "kernel_size")
        kernel = weight(cx, "kernel", (*taps, x.shape[-1], self.depth_multiplier), "depthwise")
        mask = of_sequence(cx, x)
        y = depthwise_conv(where_real(x, mask), kernel, self.strides, self.padding, self.dilation_rate)
        y = finish(cx, with_bias(y, bias(cx, y.shape[-1])))
        return windowed(cx, y, mask, self.kernel_size, self.strides, self.padding, self.dilation_rate)


class DepthwiseConv1D(DepthwiseConv):
    """Depthwise convolution over the steps of a sequence."""

    axes: ClassVar[str] = "batch steps channels"
    rank: ClassVar[int] = 1


class DepthwiseConv2D(DepthwiseConv):
    """Depthwise convolution over a picture."""

    axes: ClassVar[str] = "batch height width channels"
    rank: ClassVar[int] = 2


class SeparableConv(Module):
    """The base of separable convolutions: depthwise, then one tap that mixes the channels (Chollet 2017)."""

    casts: ClassVar[bool] = True
    limits: ClassVar = {"filters": COUNT, "depth_multiplier": COUNT}
    rank: ClassVar[int] = 0

    filters: int
    kernel_size: Size
    strides: Size = 1
    padding: str = "valid"
    dilation_rate: Size = field(default=1, kw_only=True)
    depth_multiplier: int = field(default=1, kw_only=True)
    activation: Activation = field(default=None, kw_only=True)
    use_bias: bool = field(default=True, kw_only=True)
    depthwise_initializer: Initializer = field(default="glorot_uniform", kw_only=True)
    pointwise_initializer: Initializer = field(default="glorot_uniform", kw_only=True)
    bias_initializer: Initializer = field(default="zeros", kw_only=True)
    depthwise_regularizer: Regularizer = field(default=None, kw_only=True)
    pointwise_regularizer: Regularizer = field(default=None, kw_only=True)
    bias_regularizer: Regularizer = field(default=None, kw_only=True)
    activity_regularizer: Regularizer = field(default=None, kw_only=True)
    depthwise_constraint: Constraint = field(default=None, kw_only=True)
    pointwise_constraint: Constraint = field(default=None, kw_only=True)
    bias_constraint: Constraint = field(default=None, kw_only=True)

    def __call__(self, cx: Context, x: Float[Array, "batch *places channels"]) -> Float[Array, "batch *out filters"]:
        """The layer on `x`."""
        taps, m = spread(self.kernel_size, self.rank, "kernel_size"), self.depth_multiplier
        depthwise = weight(cx, "depthwise_kernel", (*taps, x.shape[-1], m), "depthwise")
        pointwise = weight(cx, "pointwise_kernel", (*(1,) * self.rank, x.shape[-1] * m, self.filters), "pointwise")
        mask = of_sequence(cx, x)
        x = where_real(x, mask)
        y = separable_conv(x, depthwise, pointwise, self.strides, self.padding, self.dilation_rate)
        y = finish(cx, with_bias(y, bias(cx, self.filters)))
        return windowed(cx, y, mask, self.kernel_size, self.strides, self.padding, self.dilation_rate)


class SeparableConv1D(SeparableConv):
    """Separable convolution over the steps of a sequence."""

    axes: ClassVar[str] = "batch steps channels"
    rank: ClassVar[int] = 1


class SeparableConv2D(SeparableConv):
    """Separable convolution over a picture."""

    axes: ClassVar[str] = "batch height width channels"
    rank: ClassVar[int] = 2


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
