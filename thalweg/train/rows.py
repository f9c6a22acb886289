"""Looking at rows a chunk at a time: which fail a test, which stand in two sets. The data is never copied whole."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.types import Tree

CHUNK = 2**20  # numbers looked at together
SKETCH = 256  # bytes from the middle of a row: enough to tell almost any two rows apart
SHOWN = 5  # values that a message names
SMALL_TABLE = 64  # rows up to which a table of two values is a truth table, there to be learned by heart
MIX = np.int64(0x5851F42D4C957F2D)  # odd: joins the numbers of several arrays without loss


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
    return next((found for leaf in floats if (found := failing(leaf, lambda part: ~np.isfinite(part)))), None)


def is_floating(array: Any) -> bool:
    """Whether the array holds floats, of whatever width."""
    return jnp.issubdtype(array.dtype, jnp.floating)


def shared(x: Tree, chosen: np.ndarray, other: Tree, others: np.ndarray) -> tuple[int, float]:
    """How many of the `others` rows are among the `chosen` ones, and how many that could be without a leak.

    Rows are told apart by a few bytes of their middle first, and where those agree by all of them. A table of few
    distinct rows repeats itself: what the chosen rows repeat among themselves is expected of the others, within three
    standard deviations. A small table of two values (a truth table, one-hot rows) is expected to be its own test.

    Args:
        x: arrays with rows first.
        chosen: row numbers of `x`.
        other: arrays like those of `x`; of other shapes, no row is shared.
        others: row numbers of `other`.
    """
    if [a.shape[1:] for a in jax.tree.leaves(x)] != [a.shape[1:] for a in jax.tree.leaves(other)]:
        return 0, 0.0
    mine, theirs = chosen, others
    for limit in (SKETCH, None):
        a, b = _hashes(x, mine, limit), _hashes(other, theirs, limit, like=x)
        mine, theirs = mine[np.isin(a, b)], theirs[np.isin(b, a)]
        if not theirs.size:
            return 0, 0.0
    return len(theirs), _expected(x, chosen, len(others))


def parts(array: Any) -> Iterator[tuple[int, np.ndarray]]:
    """Chunks of `array` as [n, numbers of a row], each with the number of its first row."""
    flat = _flat(array)
    step = max(1, CHUNK // max(1, flat.shape[1]))
    for start in range(0, len(flat), step):
        yield start, flat[start : start + step]


def _expected(x: Tree, chosen: np.ndarray, n: int) -> float:
    if len(chosen) <= SMALL_TABLE and all(np.unique(np.asarray(a)[chosen]).size <= 2 for a in jax.tree.leaves(x)):
        return float(n)
    _, counts = np.unique(_hashes(x, chosen, None), return_counts=True)
    p = counts[counts > 1].sum() / len(chosen)
    return float(n * p + 3 * np.sqrt(n * p * (1 - p)))


def _hashes(x: Tree, chosen: np.ndarray, limit: int | None, like: Tree = None) -> np.ndarray:
    """A 64-bit number for each chosen row, equal for equal rows: of all its bytes or of `limit` from its middle."""
    out = np.zeros(len(chosen), np.int64)
    leaves = jax.tree.leaves(x)
    for leaf, model in zip(leaves, leaves if like is None else jax.tree.leaves(like), strict=True):
        flat, dtype = _flat(leaf), np.dtype(model.dtype)
        width = flat.shape[1] if limit is None else min(flat.shape[1], max(1, limit // dtype.itemsize))
        middle = flat[:, (flat.shape[1] - width) // 2 :][:, :width]
        step, size = max(1, CHUNK // max(1, width)), width * dtype.itemsize
        for start in range(0, len(chosen), step):
            data = middle[chosen[start : start + step]].astype(dtype, copy=False).tobytes()
            numbers = np.fromiter((hash(data[i : i + size]) for i in range(0, len(data), max(1, size))), np.int64)
            out[start : start + step] = MIX * out[start : start + step] + numbers
    return out


def _flat(array: Any) -> np.ndarray:
    array = np.asarray(array)
    return array.reshape(len(array), int(np.prod(array.shape[1:])))
