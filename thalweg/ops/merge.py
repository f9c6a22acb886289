"""Several arrays into one. Shapes are equal, or have a 1 where one array stretches along the others."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

from thalweg.ops.precision import widen
from thalweg.record import resolve
from thalweg.types import Array

Arrays = Sequence[Array]


def add(arrays: Arrays) -> Array:
    """The sum x_1 + x_2 + ..."""
    return _reduced(jnp.add, arrays)


def average(arrays: Arrays) -> Array:
    """The mean (x_1 + ... + x_n) / n."""
    return add(arrays) / len(arrays)


def concatenate(arrays: Arrays, axis: int = -1) -> Array:
    """The arrays one behind the other along `axis`; along the others their shapes agree."""
    others = {_without(a.shape, axis) for a in arrays}
    if len(others) > 1:
        raise _unlike(arrays, f"agree but along axis {axis}")
    return jnp.concatenate(list(arrays), axis)


def maximum(arrays: Arrays) -> Array:
    """The largest at each place."""
    return _reduced(jnp.maximum, arrays)


def multiply(arrays: Arrays) -> Array:
    """The product x_1 x_2 ... at each place."""
    return _reduced(jnp.multiply, arrays)


def subtract(arrays: Arrays) -> Array:
    """The difference x_1 - x_2.

    >>> subtract([jnp.ones(2), jnp.ones(2)]).tolist()
    [0.0, 0.0]
    """
    if len(arrays) != 2:
        raise ValueError(f"a difference takes two inputs, not {len(arrays)}.\n  Give [a, b].")
    return _reduced(jnp.subtract, arrays)


FUNCTIONS = {
    "add": add,
    "average": average,
    "concatenate": concatenate,
    "maximum": maximum,
    "multiply": multiply,
}
_TABLE = {name: lambda function=function: function for name, function in FUNCTIONS.items()}


def merging(value: Any) -> Callable[[Arrays], Array]:
    """The function of a name ("add", "concatenate", ...) or of a function (itself)."""
    return resolve(value, _TABLE, "merge")


def _reduced(function: Callable[[Array, Array], Array], arrays: Arrays) -> Array:
    floats = [a if jnp.issubdtype(a.dtype, jnp.floating) else a.astype(float) for a in _alike(arrays)]  # pixels wrap
    return functools.reduce(function, map(widen, floats)).astype(jnp.result_type(*floats))


def _alike(arrays: Arrays) -> Arrays:
    lengths = zip(*(a.shape for a in arrays), strict=False)
    if len({a.ndim for a in arrays}) != 1 or any(len(set(n) - {1}) > 1 for n in lengths):
        raise _unlike(arrays, "be equal, but for axes of length 1")
    return arrays


def _unlike(arrays: Arrays, rule: str) -> ValueError:
    shapes = " and ".join(str(tuple(a.shape)) for a in arrays) or "none"
    return ValueError(
        f"the shapes to merge must {rule}; they are {shapes}.\n"
        "  Bring the branches to one shape: with a Dense layer, a convolution of one pixel, or a Reshape."
    )


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    i = axis % len(shape)
    return shape[:i] + shape[i + 1 :]
