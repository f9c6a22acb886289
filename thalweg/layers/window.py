"""A window of a series, measured by itself: its last value is the zero, its spread the unit, for a network inside."""

from collections.abc import Sequence
from dataclasses import field
from typing import ClassVar

from thalweg.core import Context, Module
from thalweg.errors import ContractError
from thalweg.ops.normalization import reciprocal
from thalweg.ops.precision import widen
from thalweg.ranges import POSITIVE
from thalweg.types import Array, Float


class WindowNormalization(Module):
    """y = x_T + s f((x - x_T) / s), for x_T the last step of each variable and s its spread within the window.

        s_v^2 = mean_t (x_tv - mean_t x_tv)^2 + epsilon

    So a level that wanders, or a spread that grows, is nothing new to f, and f = 0 forecasts the last value. Taking the
    last value away is NLinear's way (Zeng et al. 2023, arXiv:2205.13504), the spread is RevIN's (Kim et al. 2022,
    "Reversible instance normalization", ICLR), which takes the mean away and learns a scale and a shift besides.

    x: [batch, time, variables]; f's output and y: [batch, horizon, targets].

    Args:
        body: f.
        targets: which variables f forecasts, by place; None for all.
        epsilon: keeps the division finite where nothing moves.

    >>> import jax.numpy as jnp
    >>> from thalweg import core, layers, random
    >>> layer = WindowNormalization(layers.Cropping1D((1, 0)))
    >>> x = jnp.array([[[1.0], [3.0], [5.0]]])
    >>> core.apply(layer, *core.init(layer, random.key(0), x), x)[0].ravel().tolist()
    [3.0, 5.0]
    """

    body: Module
    targets: Sequence[int] | None = None
    epsilon: float = field(default=1e-5, kw_only=True)

    axes: ClassVar[str] = "batch time variables"
    casts: ClassVar[bool] = True
    keeps_mask: ClassVar[bool] = False
    limits: ClassVar = {"epsilon": POSITIVE}

    def inlet(self) -> tuple[str, ...]:
        """The body: what it reads has the shape of the inputs."""
        return ("body",)

    def __call__(self, cx: Context, x: Float[Array, "batch time variables"]) -> Float[Array, "batch horizon targets"]:
        """The layer on `x`."""
        wide = widen(x)
        last, rstd = wide[:, -1:], reciprocal(wide - wide.mean(1, keepdims=True), (1,), self.epsilon)
        spread = 1 / rstd  # [batch, 1, variables]
        y = self.body(cx, ((wide - last) * rstd).astype(x.dtype))
        if self.targets is not None:
            last, spread = last[..., list(self.targets)], spread[..., list(self.targets)]
        if y.ndim != 3 or y.shape[-1] != last.shape[-1]:
            raise ContractError(
                f"{cx.name} WindowNormalization needs a body that gives [batch, horizon, {last.shape[-1]}]; it gave "
                f"{list(y.shape)}.\n  End the body with Reshape((horizon, {last.shape[-1]}))."
            )
        return (last + spread * widen(y)).astype(x.dtype)
