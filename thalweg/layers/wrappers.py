"""Layers around a layer of sequences: both directions, or one layer at every step."""

import dataclasses
import math
from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg.core import Context, Module
from thalweg.errors import ConfigError
from thalweg.layers.mask import where_real
from thalweg.types import Array, Shaped

MERGES = {
    "concat": lambda a, b: jnp.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
}


class Bidirectional(Module):
    """y_t = merge(forward(x)_t, backward(x)_t): a recurrent layer over time, and another one back over it.

    With a mask, each direction begins at its own first real step, and y is 0 at the others.

    Args:
        layer: LSTM, GRU, SimpleRNN or RNN.
        merge_mode: "concat" (along the features), "sum", "mul", "ave", or None for a tuple of both.
        backward_layer: the way back, with go_backwards=True; None for a copy of `layer`.

    With `return_state` the states come behind y: those of `layer`, then those of `backward_layer`; `initial_state`
    takes them in this order.

    Schuster and Paliwal 1997, "Bidirectional recurrent neural networks".
    """

    layer: Module
    merge_mode: str | None = "concat"
    backward_layer: Module | None = None

    axes: ClassVar[str] = "batch time ..."
    keeps_mask: ClassVar[bool] = False

    def __post_init__(self) -> None:
        layer: Any = self.layer
        if self.merge_mode is not None and self.merge_mode not in MERGES:
            raise ConfigError(
                f"Bidirectional: unknown merge_mode {self.merge_mode!r}.\n  Write {', '.join(MERGES)} or None."
            )
        if self.backward_layer is None and hasattr(layer, "go_backwards"):
            object.__setattr__(self, "backward_layer", dataclasses.replace(layer, go_backwards=not layer.go_backwards))
        for name in ("return_sequences", "return_state"):
            if getattr(layer, name, None) != getattr(self.backward_layer, name, None) or not hasattr(layer, name):
                raise ConfigError(
                    f"Bidirectional: both layers need the same {name}.\n  Write it in both, or leave one out."
                )
        if layer.go_backwards == self.backward_layer.go_backwards:  # type: ignore[union-attr]
            raise ConfigError("Bidirectional: both layers run one way.\n  Write go_backwards=True in backward_layer.")
        Module.__post_init__(self)

    def inlet(self) -> tuple[str, ...]:
        """The layer forwards."""
        return ("layer",)

    def __call__(self, cx: Context, x: Shaped[Array, "batch time ..."], initial_state: Any = None) -> Any:
        """The layer on `x`."""
        layer: Any = self.layer
        assert self.backward_layer is not None
        given = tuple(initial_state or ())
        half = len(given) // 2
        starts = ((given[:half],), (given[half:],)) if given else ((), ())
        y, back = layer(cx, x, *starts[0]), self.backward_layer(cx, x, *starts[1])
        (y, *states), (back, *others) = (v if layer.return_state else (v,) for v in (y, back))
        if layer.return_sequences:
            y, back = (y[:, ::-1], back) if layer.go_backwards else (y, back[:, ::-1])
        parts = (y, back) if self.merge_mode is None else (MERGES[self.merge_mode](y, back),)
        if layer.return_sequences:
            mask = cx.mask_of(x)
            parts = tuple(cx.masked(where_real(part, mask), mask) for part in parts)
        return parts[0] if len(parts) == 1 and not layer.return_state else (*parts, *states, *others)


class TimeDistributed(Module):
    """y_t = layer(x_t), the same layer at every step: [batch, time, ...] -> [batch, time, ...].

    The steps are rows of one batch to the layer; to batch statistics only real ones count.

    Args:
        layer: what computes a step.

    >>> import jax.numpy as jnp
    >>> from thalweg import core, layers, random
    >>> layer = TimeDistributed(layers.Conv2D(2, 3))
    >>> x = jnp.ones((1, 5, 8, 8, 1))
    >>> core.apply(layer, *core.init(layer, random.key(0), x), x)[0].shape
    (1, 5, 6, 6, 2)
    """

    layer: Module

    axes: ClassVar[str] = "batch time ..."

    def outlet(self) -> tuple[str, ...]:
        """The layer inside."""
        return ("layer",)

    def __call__(self, cx: Context, x: Shaped[Array, "batch time ..."]) -> Shaped[Array, "batch time ..."]:
        """The layer on `x`."""
        rows, mask, (batch, time) = cx.rows, cx.mask_of(x), x.shape[:2]
        real = None if rows is None else jnp.repeat(rows, time)
        if mask is not None:
            real = mask.reshape(-1).astype(jnp.float32) * (1 if real is None else real)
        cx.call.rows = real  # the layer's rows are all steps
        try:
            y = self.layer(cx, x.reshape(math.prod((batch, time)), *x.shape[2:]))
        finally:
            cx.call.rows = rows
        return y.reshape(batch, time, *y.shape[1:])
