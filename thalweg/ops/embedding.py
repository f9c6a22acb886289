"""Embedding: a row of a table for each index.

XLA's gather and the sum on the way back move whole rows at the speed of memory: a native kernel was no faster.
"""

import jax.numpy as jnp

from thalweg.ops.precision import rounded
from thalweg.types import Array, Float, Int


def embedding(table: Float[Array, "rows size"], indices: Int[Array, "..."]) -> Float[Array, "... size"]:
    """The rows of `table` that `indices` name: y[...] = table[indices[...]].

    An index out of range gives NaN, so that training stops there and says where, and its gradient goes nowhere.

    Args:
        table: [rows, size].
        indices: any shape.

    Returns:
        The rows, [..., size].

    >>> embedding(jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([1, 0, 7])).tolist()
    [[3.0, 4.0], [1.0, 2.0], [nan, nan]]
    """

    def rows(table: Array) -> Array:
        return table.at[indices].get(mode="fill", fill_value=jnp.nan, wrap_negative_indices=False)

    return rounded(rows, table)
