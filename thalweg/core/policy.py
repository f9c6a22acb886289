"""Precision: in which dtype parameters are kept, layers compute, and results come out.

Mixed precision after Micikevicius et al. 2018, with bfloat16, whose range needs no loss scaling.
"""

import contextlib

import jax
import jax.numpy as jnp

from thalweg.record import Record, resolve
from thalweg.types import Tree


class Policy(Record):
    """Names of dtypes: master parameters, computation, output."""

    param: str = "float32"
    compute: str = "float32"
    output: str = "float32"

    def scope(self) -> contextlib.AbstractContextManager[object]:
        """Where float64 is wanted JAX must allow it; elsewhere nothing changes."""
        return jax.enable_x64(True) if "float64" in (self.param, self.compute) else contextlib.nullcontext()


FLOAT32 = Policy()
BFLOAT16 = Policy(compute="bfloat16")
FLOAT64 = Policy("float64", "float64", "float64")

NAMES = {
    "float32": lambda: FLOAT32,
    "bfloat16": lambda: BFLOAT16,
    "mixed_bfloat16": lambda: BFLOAT16,
    "float64": lambda: FLOAT64,
}


def policy(value: str | Policy) -> Policy:
    """The policy of a name ("float32", "bfloat16", "float64")."""
    return resolve(value, NAMES, "precision")


def cast(tree: Tree, dtype: str) -> Tree:
    """Every floating leaf as `dtype`; integers, keys and booleans stay. NumPy arrays become arrays of the device."""
    target = jnp.dtype(dtype)
    return jax.tree.map(lambda a: jnp.asarray(a, target if jnp.issubdtype(a.dtype, jnp.floating) else None), tree)
