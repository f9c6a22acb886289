"""One step of an optimizer, native: all parameters in one pass that reads and writes each number once.

    update, *slots = step(scale g, *slots, *numbers)        w = w + (update - decay w)

XLA makes a loop of its own for each slot and each parameter, and reads what the others have written. The equations, and
where their numbers come from, are in `optim/`, beside the optimizers that they are.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from thalweg import tree
from thalweg.kernels import library
from thalweg.types import Array, ShapeDtype, Tree

SMALLEST = 2**12
"""Numbers of all parameters below which XLA's loops are as fast."""

Step = Callable[..., tuple[Array, ...]]


def serves(params: Tree) -> bool:
    """Whether the native pass runs for these parameters."""
    leaves = jax.tree.leaves(params)
    return all(a.dtype == jnp.float32 for a in leaves) and tree.size(params) >= SMALLEST and library.serves()


def square_sum(gradient: Tree) -> Array:
    """The sum of the squares of all numbers."""
    leaves = jax.tree.leaves(gradient)
    if serves(gradient):
        return library.call("square_sum", ShapeDtype((), jnp.float32), *leaves)
    return sum((jnp.sum(g * g) for g in leaves), jnp.float32(0))


def native(
    name: str, numbers: Sequence[Array], decay: Array, scale: Array, params: Tree, gradient: Tree, slots: Any
) -> Any:
    """Parameters and slots after the step of the rule `name`; in the old ones' place, where nobody else needs those."""
    ws, structure = jax.tree.flatten(params)
    groups = list(zip(ws, jax.tree.leaves(gradient), *map(jax.tree.leaves, slots), strict=True))
    kept, given = 1 + len(slots), 2 + len(slots)
    results = [ShapeDtype(w.shape, w.dtype) for w in ws for _ in range(kept)]
    aliases = {1 + given * i + (0 if k == 0 else k + 1): kept * i + k for i in range(len(ws)) for k in range(kept)}
    flat = jnp.stack([jnp.asarray(n, jnp.float32) for n in (*numbers, decay, scale)])
    out = library.call(name, results, flat, *(a for group in groups for a in group), aliases=aliases)
    new, *after = (structure.unflatten(out[k::kept]) for k in range(kept))
    return new, tuple(after)


def formula(
    step: Step, numbers: Sequence[Array], decay: Array, scale: Array, params: Tree, gradient: Tree, slots: Any
) -> Any:
    """The same by the equation `step(g, *slots, *numbers) -> (update, *slots)`."""
    ws, structure = jax.tree.flatten(params)
    columns = zip(jax.tree.leaves(gradient), *map(jax.tree.leaves, slots), strict=True)
    out = [step(scale * g, *values, *numbers) for g, *values in columns]
    new = [w + (u - decay * w) for w, (u, *_) in zip(ws, out, strict=True)]
    _, *after = (structure.unflatten(column) for column in zip(*out, strict=True))
    return structure.unflatten(new), tuple(after)
