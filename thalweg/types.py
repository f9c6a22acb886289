"""The aliases that signatures share."""

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

__all__ = ["Array", "Bool", "Dtype", "Float", "Int", "Key", "PyTree", "ShapeDtype", "Shaped", "Spec", "Tree", "UInt32"]
