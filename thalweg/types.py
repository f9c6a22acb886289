"""The aliases that signatures share."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
from jaxtyping import Array, Bool, Float, Int, Key, PyTree, Shaped, UInt32

Tree: TypeAlias = Any
"""A tree of arrays: nested dicts, tuples or lists with arrays at the leaves."""

Spec: TypeAlias = Any
"""A tree of `jax.ShapeDtypeStruct`: what an array looks like without its numbers."""

Dtype: TypeAlias = Any
"""What `jnp.dtype` accepts."""

ShapeDtype = jax.ShapeDtypeStruct

UNKNOWN = 32
"""Stands for a None of a stated shape where a length is needed before there is data."""


def row_spec(shape: Sequence[int | None], dtype: Dtype = "float32") -> Spec:
    """One row of inputs of `shape`, with the batch axis in front."""
    lengths = (UNKNOWN if n is None else int(n) for n in shape)
    return jax.ShapeDtypeStruct((1, *lengths), jax.dtypes.canonicalize_dtype(dtype))


__all__ = [
    "Array", "Bool", "Dtype", "Float", "Int", "Key", "PyTree", "ShapeDtype", "Shaped", "Spec", "Tree", "UInt32",
    "row_spec",
]  # fmt: skip
