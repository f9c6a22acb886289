"""One step of an optimizer, native: all parameters in one pass that reads and writes each number once.

    update, slots = step(scale g, slots, numbers)        w = w + (update - decay w)

XLA makes a loop of its own for each slot and each parameter, and reads what the others have written. The formulas are
here; `optim/` says where their numbers come from.
"""

import dataclasses
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


@dataclasses.dataclass(frozen=True)
class Rule:
    """An elementwise rule: the native function, and its formula `step(g, slots, numbers) -> (update, *slots)`."""

    name: str
    step: Step


def _adam(g: Array, slots: Sequence[Array], numbers: Sequence[Array]) -> tuple[Array, ...]:
    (m, v), (alpha, a, b, epsilon) = slots, numbers
    m, v = m + a * (g - m), v + b * (g * g - v)
    return -alpha * m / (jnp.sqrt(v) + epsilon), m, v


def _amsgrad(g: Array, slots: Sequence[Array], numbers: Sequence[Array]) -> tuple[Array, ...]:
    (m, v, top), (alpha, a, b, epsilon) = slots, numbers
    m, v = m + a * (g - m), v + b * (g * g - v)
    top = jnp.maximum(top, v)
    return -alpha * m / (jnp.sqrt(top) + epsilon), m, v, top


def _momentum(g: Array, slots: Sequence[Array], numbers: Sequence[Array]) -> tuple[Array, ...]:
    (m,), (lr, mu) = slots, numbers
    m = mu * m - lr * g
    return m, m


def _nesterov(g: Array, slots: Sequence[Array], numbers: Sequence[Array]) -> tuple[Array, ...]:
    (m,), (lr, mu) = slots, numbers
    m = mu * m - lr * g
    return mu * m - lr * g, m


def _rmsprop(g: Array, slots: Sequence[Array], numbers: Sequence[Array]) -> tuple[Array, ...]:
    (v,), (lr, rho, rest, epsilon) = slots, numbers
    v = rho * v + rest * (g * g)
    return -lr * (g / jnp.sqrt(v + epsilon)), v


def _adagrad(g: Array, slots: Sequence[Array], numbers: Sequence[Array]) -> tuple[Array, ...]:
    (s,), (lr, epsilon) = slots, numbers
    s = s + g * g
    return jnp.where(s <= 0, 0.0, -lr * (g / jnp.sqrt(s + epsilon))), s


def _adadelta(g: Array, slots: Sequence[Array], numbers: Sequence[Array]) -> tuple[Array, ...]:
    (s, x), (lr, rho, rest, epsilon) = slots, numbers
    s = rho * s + rest * (g * g)
    d = jnp.sqrt(x + epsilon) / jnp.sqrt(s + epsilon) * g
    return -lr * d, s, rho * x + rest * (d * d)


ADAM, AMSGRAD = Rule("adam", _adam), Rule("amsgrad", _amsgrad)
MOMENTUM, NESTEROV = Rule("momentum", _momentum), Rule("nesterov", _nesterov)
RMSPROP, ADAGRAD, ADADELTA = Rule("rmsprop", _rmsprop), Rule("adagrad", _adagrad), Rule("adadelta", _adadelta)


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
    rule: Rule, numbers: Sequence[Array], decay: Array, scale: Array, params: Tree, gradient: Tree, slots: Any
) -> Any:
    """The parameters and the slots after the step; where nobody else needs the old ones, in their place."""
    ws, structure = jax.tree.flatten(params)
    groups = list(zip(ws, jax.tree.leaves(gradient), *map(jax.tree.leaves, slots), strict=True))
    kept, given = 1 + len(slots), 2 + len(slots)
    results = [ShapeDtype(w.shape, w.dtype) for w in ws for _ in range(kept)]
    aliases = {1 + given * i + (0 if k == 0 else k + 1): kept * i + k for i in range(len(ws)) for k in range(kept)}
    flat = jnp.stack([jnp.asarray(n, jnp.float32) for n in (*numbers, decay, scale)])
    out = library.call(rule.name, results, flat, *(a for group in groups for a in group), aliases=aliases)
    new, *after = (structure.unflatten(out[k::kept]) for k in range(kept))
    return new, tuple(after)


def formula(
    rule: Rule, numbers: Sequence[Array], decay: Array, scale: Array, params: Tree, gradient: Tree, slots: Any
) -> Any:
    """The same by the formula."""
    update, after = updated(rule, numbers, jax.tree.map(lambda g: scale * g, gradient), slots)
    return jax.tree.map(lambda w, u: w + (u - decay * w), params, update), after


def updated(rule: Rule, numbers: Sequence[Array], gradient: Tree, slots: Any) -> Any:
    """What the formula moves the parameters by, and the slots after it."""
    gs, structure = jax.tree.flatten(gradient)
    columns = zip(gs, *map(jax.tree.leaves, slots), strict=True)
    out = [rule.step(g, values, numbers) for g, *values in columns]
    update, *after = (structure.unflatten(column) for column in zip(*out, strict=True))
    return update, tuple(after)
