"""Layers that make noise in training and do nothing in evaluation. The mathematics is in `ops/dropout.py`.

The noise is a function of the run's seed, the layer's path and the step, so a layer takes no seed. `rate` and `stddev`
are read from the training state: a tuner varies them without recompiling. Where they are 0 nothing is drawn, and there
is nothing to vary.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from thalweg import ops
from thalweg.core import Context, Module
from thalweg.ranges import NONNEGATIVE, RATE
from thalweg.types import Array, Float


def _noisy(cx: Context, x: Array, name: str, function: Callable[..., Array], *args: Any) -> Array:
    """The noise `function(x, amount, key, *args)` in training; the amount is the layer's setting `name`."""
    amount = getattr(cx.module, name)
    if not cx.train or amount == 0:
        return x
    return function(x, cx.hyper(name, amount), cx.key(), *args)


class Dropout(Module):
    """y = x m / (1 - rate), m ~ Bernoulli(1 - rate), in training; y = x in evaluation.

    Args:
        rate: the share of x that is dropped.
        noise_shape: the mask's shape where it is shared along some axes: a 1 shares it, a None takes the input's size.

    Srivastava et al. 2014, JMLR 15.
    """

    rate: float
    noise_shape: tuple[int | None, ...] | None = None

    casts: ClassVar[bool] = True
    limits: ClassVar = {"rate": RATE}

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        return _noisy(cx, x, "rate", ops.dropout, self.noise_shape)


class SpatialDropout1D(Module):
    """Dropout of whole channels of a sequence [batch, time, features]: neighbours in time carry the same news.

    Args:
        rate: the share of channels that is dropped.

    Tompson et al. 2015, arXiv:1411.4280.
    """

    rate: float

    axes: ClassVar[str] = "batch time features"
    casts: ClassVar[bool] = True
    limits: ClassVar = {"rate": RATE}

    def __call__(self, cx: Context, x: Float[Array, "batch time features"]) -> Float[Array, "batch time features"]:
        """The layer on `x`."""
        return _noisy(cx, x, "rate", ops.dropout, (None, 1, None))


class SpatialDropout2D(Module):
    """Dropout of whole channels of an image [batch, height, width, channels].

    Args:
        rate: the share of channels that is dropped.

    Tompson et al. 2015, arXiv:1411.4280.
    """

    rate: float

    axes: ClassVar[str] = "batch height width channels"
    casts: ClassVar[bool] = True
    limits: ClassVar = {"rate": RATE}

    def __call__(self, cx: Context, x: Float[Array, "batch h w channels"]) -> Float[Array, "batch h w channels"]:
        """The layer on `x`."""
        return _noisy(cx, x, "rate", ops.dropout, (None, 1, 1, None))


class SpatialDropout3D(Module):
    """Dropout of whole channels of a volume [batch, depth, height, width, channels].

    Args:
        rate: the share of channels that is dropped.

    Tompson et al. 2015, arXiv:1411.4280.
    """

    rate: float

    axes: ClassVar[str] = "batch depth height width channels"
    casts: ClassVar[bool] = True
    limits: ClassVar = {"rate": RATE}

    def __call__(self, cx: Context, x: Float[Array, "batch d h w channels"]) -> Float[Array, "batch d h w channels"]:
        """The layer on `x`."""
        return _noisy(cx, x, "rate", ops.dropout, (None, 1, 1, 1, None))


class AlphaDropout(Module):
    """Dropout that keeps mean 0 and variance 1, for networks of selu: what is dropped takes selu's lowest value.

    Args:
        rate: the share of x that is dropped.
        noise_shape: the mask's shape where it is shared along some axes, as in `Dropout`.

    Klambauer et al. 2017, arXiv:1706.02515.
    """

    rate: float
    noise_shape: tuple[int | None, ...] | None = None

    casts: ClassVar[bool] = True
    limits: ClassVar = {"rate": RATE}

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        return _noisy(cx, x, "rate", ops.alpha_dropout, self.noise_shape)


class GaussianDropout(Module):
    """y = x (1 + sqrt(rate / (1 - rate)) e), e ~ N(0, 1), in training: the mean and variance of `Dropout(rate)`.

    Args:
        rate: as in `Dropout`.

    Srivastava et al. 2014, JMLR 15, section 10.
    """

    rate: float

    casts: ClassVar[bool] = True
    limits: ClassVar = {"rate": RATE}

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        return _noisy(cx, x, "rate", ops.gaussian_dropout)


class GaussianNoise(Module):
    """y = x + stddev e, e ~ N(0, 1), in training; y = x in evaluation.

    Args:
        stddev: the noise's standard deviation, in the units of x.

    Bishop 1995, "Training with noise is equivalent to Tikhonov regularization".
    """

    stddev: float

    casts: ClassVar[bool] = True
    limits: ClassVar = {"stddev": NONNEGATIVE}

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        return _noisy(cx, x, "stddev", ops.gaussian_noise)
