"""Positions added to a sequence, or turned into its queries and keys. The mathematics is in `ops/position.py`.

`start` says at which position each row begins, [batch], for a sequence that is read in pieces; None for 0.
"""

from typing import ClassVar

import jax.numpy as jnp

from thalweg import ops
from thalweg.core import Context, Module
from thalweg.errors import ContractError
from thalweg.layers.common import Constraint, Initializer, Regularizer, weight
from thalweg.ops.position import WAVELENGTH
from thalweg.ranges import COUNT, POSITIVE
from thalweg.types import Array, Float, Int

Sequences = Float[Array, "batch time features"]
Start = Int[Array, " batch"] | None


def positions(time: int, start: Array | None) -> Int[Array, "#batch time"]:
    """The positions of `time` steps from `start` on, [batch or 1, time]."""
    steps = jnp.arange(time, dtype=jnp.int32)[None]
    return steps if start is None else start[:, None].astype(jnp.int32) + steps


class SinusoidalPosition(Module):
    """y_t = x_t + p_t, p_t a sine and a cosine of t for each of features / 2 wavelengths: `ops.sinusoid`.

    x, y: [batch, time, features]. Keras's `SinePositionEncoding` gives p alone; here the sum is the layer.

    Args:
        max_wavelength: the longest wavelength, over 2 pi.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
    """

    max_wavelength: float = WAVELENGTH

    axes: ClassVar[str] = "batch time features"
    casts: ClassVar[bool] = True
    limits: ClassVar = {"max_wavelength": POSITIVE}

    def __call__(self, cx: Context, x: Sequences, start: Start = None) -> Sequences:
        """The layer on `x`."""
        p = ops.sinusoid(positions(x.shape[1], start), x.shape[-1], float(self.max_wavelength), x.dtype)
        return x + p


class PositionEmbedding(Module):
    """y_t = x_t + E_t: a learned row for each position.

    x, y: [batch, time, features]; E: `embeddings`, [sequence_length, features].

    Args:
        sequence_length: how many positions there are; a longer sequence is an error.
        embeddings_initializer: of E.
        embeddings_regularizer: of E.
        embeddings_constraint: of E.

    Gehring et al. 2017, arXiv:1705.03122; Radford et al. 2018, "Improving language understanding by generative
    pre-training".
    """

    sequence_length: int
    embeddings_initializer: Initializer = "glorot_uniform"
    embeddings_regularizer: Regularizer = None
    embeddings_constraint: Constraint = None

    axes: ClassVar[str] = "batch time features"
    casts: ClassVar[bool] = True
    limits: ClassVar = {"sequence_length": COUNT}

    def __call__(self, cx: Context, x: Sequences, start: Start = None) -> Sequences:
        """The layer on `x`; positions from `start` on that lie past the last row take the last row."""
        time = x.shape[1]
        if time > self.sequence_length:
            raise ContractError(
                f"{cx.name} {self!r} has {self.sequence_length} positions; a sequence of {time} steps came.\n"
                f"  Cut the sequences to {self.sequence_length}, or write sequence_length={time} and train again."
            )
        table = weight(cx, "embeddings", (self.sequence_length, x.shape[-1]))
        if start is not None:
            return x + ops.embedding(table, positions(time, start))
        return ops.add_bias(x.reshape(x.shape[0], -1), table[:time].reshape(-1)).reshape(x.shape)


class RotaryEmbedding(Module):
    """Queries or keys turned by their positions, pair of features by pair: `ops.rotary`.

    x, y: [batch, time, heads, size], the size even. An attention layer takes it as `rotary=RotaryEmbedding()`.

    Args:
        max_wavelength: the longest wavelength, over 2 pi.

    Su et al. 2021, arXiv:2104.09864.
    """

    max_wavelength: float = WAVELENGTH

    axes: ClassVar[str] = "batch time heads size"
    casts: ClassVar[bool] = True
    limits: ClassVar = {"max_wavelength": POSITIVE}

    def __call__(
        self, cx: Context, x: Float[Array, "batch time heads size"], positions: Int[Array, "#batch time"] | None = None
    ) -> Float[Array, "batch time heads size"]:
        """The layer on `x`; `positions` count from 0 where None."""
        steps = jnp.arange(x.shape[1], dtype=jnp.int32)[None] if positions is None else positions
        return ops.rotary(x, steps, float(self.max_wavelength))
