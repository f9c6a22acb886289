"""Scanning rows a chunk at a time for those that fail a test. The data is never copied whole."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.types import Tree

CHUNK = 2**20  # numbers looked at together
SHOWN = 5  # values that a message names


class Failing(NamedTuple):
    """Rows that fail a test: the first, how many, and the first few of the values that made them fail."""

    first: int
    total: int
    values: tuple[float, ...]


def failing(array: Any, test: Callable[[np.ndarray], np.ndarray]) -> Failing | None:
    """The rows of which `test` is true, or None.

    Args:
        array: [rows, ...], NumPy or JAX.
        test: from a chunk [n, numbers of a row] to a mask of numbers, of the same shape, or of rows, [n].

    >>> failing(np.array([1, 7, 2, 9]), lambda part: part > 5)
    Failing(first=1, total=2, values=(7, 9))
    """
    first, total, values = None, 0, np.zeros(0)
    for start, part in parts(array):
        mask = test(part)
        rows = np.flatnonzero(mask if mask.ndim == 1 else mask.any(axis=1))
        if rows.size:
            first = start + int(rows[0]) if first is None else first
            total += rows.size
            if mask.ndim > 1 and len(values) < SHOWN:
                values = np.unique(np.append(values.astype(part.dtype), part[mask]))[:SHOWN]
    return None if first is None else Failing(first, total, tuple(values.tolist()))


def not_finite(value: Tree) -> Failing | None:
    """The rows that hold NaN or infinity; of several arrays, those of the first that has any."""
    floats = (leaf for leaf in jax.tree.leaves(value) if is_floating(leaf))
    return next((bad for leaf in floats if (bad := failing(leaf, lambda part: ~np.isfinite(part)))), None)


def is_floating(array: Any) -> bool:
    """Whether the array holds floats, of whatever width."""
    return jnp.issubdtype(array.dtype, jnp.floating)


def parts(array: Any) -> Iterator[tuple[int, np.ndarray]]:
    """Chunks of `array` as [n, numbers of a row], each with the number of its first row."""
    rows = flat(array)
    step = max(1, CHUNK // max(1, rows.shape[1]))
    for start in range(0, len(rows), step):
        yield start, rows[start : start + step]


def flat(array: Any) -> np.ndarray:
    """`array` as [rows, numbers of a row]."""
    array = np.asarray(array)
    return array.reshape(len(array), int(np.prod(array.shape[1:])))
