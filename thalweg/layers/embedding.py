"""Embedding: a learned row for each index."""

from typing import ClassVar

from thalweg import ops
from thalweg.core import Context, Module
from thalweg.layers.common import Initializer, weight
from thalweg.ranges import COUNT
from thalweg.types import Array, Float, Int


class Embedding(Module):
    """y = E[x]: the row of E that each index names.

    x: indices, [batch, time]; E: `embeddings`, [input_dim, output_dim]; y: [batch, time, output_dim].

    Args:
        input_dim: how many indices there are.
        output_dim: the size of a row.
        embeddings_initializer: of E.
        mask_zero: whether the index 0 is padding, which the layers above leave out.
    """

    input_dim: int
    output_dim: int
    embeddings_initializer: Initializer = "uniform"
    mask_zero: bool = False

    limits: ClassVar = {"input_dim": COUNT, "output_dim": COUNT}

    def __call__(self, cx: Context, x: Int[Array, "batch ..."]) -> Float[Array, "batch ... size"]:
        """The layer on `x`."""
        y = ops.embedding(weight(cx, "embeddings", (self.input_dim, self.output_dim)), x)
        return cx.masked(y, x != 0) if self.mask_zero else y
