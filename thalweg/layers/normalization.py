"""Normalisation layers: batch, layer, group, root mean square. The mathematics is in `ops/normalization.py`."""

import math
from typing import ClassVar

import jax.numpy as jnp

from thalweg.core import Context, Module
from thalweg.errors import ContractError
from thalweg.layers.common import Constraint, Initializer, Regularizer, weight
from thalweg.ops import normalization as ops
from thalweg.ops.initializers import initializer
from thalweg.ranges import FRACTION, NONNEGATIVE
from thalweg.types import Array, Float


def _scale_and_shift(cx: Context, shape: tuple[int, ...]) -> tuple[Array | None, Array | None]:
    """Gamma and beta where the layer has them."""
    layer = cx.module
    gamma = weight(cx, "gamma", shape) if getattr(layer, "scale", True) else None
    return gamma, weight(cx, "beta", shape) if getattr(layer, "center", True) else None


class BatchNormalization(Module):
    """y = gamma (x - mu) / sqrt(var + epsilon) + beta, per channel.

    In training mu and var are the batch's, over all axes but `axis`; padding, of rows or by a mask of steps, does not
    count. Each call moves the running ones: m <- momentum m + (1 - momentum) mu. In evaluation, and where the layer is
    frozen (`trainable=False`), mu and var are the running ones. The batch's variance is divided by n, also for the
    running one. Under a sharded batch the statistics are those of the whole batch. Batches of a single value per
    channel do not train, by a `ContractError`: less its mean such a value is 0.

    x: any shape; gamma, beta, moving_mean, moving_variance: [channels].

    Args:
        axis: of the channels.
        momentum: how much of the running statistics a step keeps.
        epsilon: keeps the division finite.
        center: whether beta is there.
        scale: whether gamma is there.
        beta_initializer: of beta.
        gamma_initializer: of gamma.
        moving_mean_initializer: of the running mean.
        moving_variance_initializer: of the running variance.
        beta_regularizer: of beta.
        gamma_regularizer: of gamma.
        beta_constraint: of beta.
        gamma_constraint: of gamma.

    Ioffe and Szegedy 2015, arXiv:1502.03167.
    """

    axis: int = -1
    momentum: float = 0.99
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Initializer = "zeros"
    gamma_initializer: Initializer = "ones"
    moving_mean_initializer: Initializer = "zeros"
    moving_variance_initializer: Initializer = "ones"
    beta_regularizer: Regularizer = None
    gamma_regularizer: Regularizer = None
    beta_constraint: Constraint = None
    gamma_constraint: Constraint = None

    casts: ClassVar[bool] = True
    limits: ClassVar = {"momentum": FRACTION, "epsilon": NONNEGATIVE}

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        channels = tuple(x.shape[a] for a in ops.positive(self.axis, x.ndim))
        gamma, beta = ops.along(self.axis, x, *_scale_and_shift(cx, channels))
        moving_mean = cx.variable("moving_mean", initializer(self.moving_mean_initializer), channels)
        moving_variance = cx.variable("moving_variance", initializer(self.moving_variance_initializer), channels)
        if cx.frozen or not cx.train:
            mu, var = ops.along(self.axis, x, moving_mean, moving_variance)
            return ops.affine(x, mu, var, gamma, beta, self.epsilon)
        if cx.rows is not None and x.size == math.prod(channels):  # in a training step
            raise ContractError(
                f"BatchNormalization trains on one value per channel, shape {x.shape}: less its mean it is 0.\n"
                "  Write batch_size=2 or more; or LayerNormalization, which needs no batch."
            )
        y, mu, var = self._normalized(cx, x, gamma, beta)
        cx.update("moving_mean", self._moved(moving_mean, mu))
        cx.update("moving_variance", self._moved(moving_variance, var))
        return y

    def _normalized(self, cx: Context, x: Array, gamma: Array | None, beta: Array | None) -> tuple[Array, Array, Array]:
        """With the statistics of the real rows, of a sequence those of its real steps."""
        mask, axes = cx.mask_of(x), ops.others(self.axis, x.ndim)
        if mask is None or axes[:2] != (0, 1):
            return ops.normalize(x, axes, gamma, beta, self.epsilon, cx.rows)
        real = mask.astype(x.dtype) if cx.rows is None else jnp.where(mask, cx.rows[:, None], 0)
        scale, shift = (None if a is None else a[0] for a in (gamma, beta))
        steps = x.reshape(-1, *x.shape[2:])  # [batch time, ...]
        axes = (0, *(a - 1 for a in axes[2:]))
        y, mu, var = ops.normalize(steps, axes, scale, shift, self.epsilon, real.reshape(-1))
        return y.reshape(x.shape), mu, var

    def _moved(self, old: Array, new: Array) -> Array:
        return self.momentum * old + (1 - self.momentum) * new.reshape(old.shape).astype(old.dtype)


class LayerNormalization(Module):
    """y = gamma (x - mu) / sqrt(var + epsilon) + beta, with mu and var of each row over `axis`.

    gamma, beta: the shape of x along `axis`.

    Args:
        axis: one axis or several.
        epsilon: keeps the division finite.
        center: whether beta is there.
        scale: whether gamma is there.
        beta_initializer: of beta.
        gamma_initializer: of gamma.
        beta_regularizer: of beta.
        gamma_regularizer: of gamma.
        beta_constraint: of beta.
        gamma_constraint: of gamma.

    Ba et al. 2016, arXiv:1607.06450.
    """

    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Initializer = "zeros"
    gamma_initializer: Initializer = "ones"
    beta_regularizer: Regularizer = None
    gamma_regularizer: Regularizer = None
    beta_constraint: Constraint = None
    gamma_constraint: Constraint = None

    casts: ClassVar[bool] = True
    limits: ClassVar = {"epsilon": NONNEGATIVE}

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        return ops.layer_norm(x, *self._scales(cx, x), self.axis, self.epsilon)

    def beside(self, cx: Context, x: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """The layer on `x`, and x for a shortcut around what follows: see `ops.layer_norm_beside`."""
        return ops.layer_norm_beside(x, *self._scales(cx, x), self.axis, self.epsilon)

    def _scales(self, cx: Context, x: Array) -> tuple[Array | None, Array | None]:
        return _scale_and_shift(cx, tuple(x.shape[a] for a in ops.positive(self.axis, x.ndim)))


class GroupNormalization(Module):
    """y = gamma (x - mu) / sqrt(var + epsilon) + beta, with mu and var of each row and each group of channels.

    gamma, beta: [channels].

    Args:
        groups: how many; they must divide the channels. -1 makes one per channel: instance normalisation.
        axis: of the channels.
        epsilon: keeps the division finite.
        center: whether beta is there.
        scale: whether gamma is there.
        beta_initializer: of beta.
        gamma_initializer: of gamma.
        beta_regularizer: of beta.
        gamma_regularizer: of gamma.
        beta_constraint: of beta.
        gamma_constraint: of gamma.

    Wu and He 2018, arXiv:1803.08494.
    """

    groups: int = 32
    axis: int = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Initializer = "zeros"
    gamma_initializer: Initializer = "ones"
    beta_regularizer: Regularizer = None
    gamma_regularizer: Regularizer = None
    beta_constraint: Constraint = None
    gamma_constraint: Constraint = None

    casts: ClassVar[bool] = True
    limits: ClassVar = {"epsilon": NONNEGATIVE}

    def __call__(self, cx: Context, x: Float[Array, "batch ..."]) -> Float[Array, "batch ..."]:
        """The layer on `x`."""
        (axis,) = ops.positive(self.axis, x.ndim)
        gamma, beta = _scale_and_shift(cx, (x.shape[axis],))
        return ops.group_norm(x, self.groups, gamma, beta, axis, self.epsilon)


class RMSNormalization(Module):
    """y = scale x / sqrt(mean(x^2) + epsilon), with the mean of each row over `axis`; scale starts at 1.

    scale: the shape of x along `axis`.

    Args:
        axis: one axis or several.
        epsilon: keeps the division finite.

    Zhang and Sennrich 2019, arXiv:1910.07467.
    """

    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-6

    casts: ClassVar[bool] = True
    limits: ClassVar = {"epsilon": NONNEGATIVE}

    def __call__(self, cx: Context, x: Float[Array, "..."]) -> Float[Array, "..."]:
        """The layer on `x`."""
        shape = tuple(x.shape[a] for a in ops.positive(self.axis, x.ndim))
        return ops.rms_norm(x, cx.param("scale", initializer("ones"), shape), self.axis, self.epsilon)
