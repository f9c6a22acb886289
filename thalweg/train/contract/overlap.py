"""Validation rows that are also training rows: counted, and warned of where they are more than chance would have it."""

import warnings

import jax
import numpy as np

from thalweg.train.contract.scan import CHUNK, flat
from thalweg.types import Tree

SKETCH = 256  # bytes from the middle of a row: enough to tell almost any two rows apart
SMALL_TABLE = 64  # rows up to which a table of two values is a truth table, there to be learned by heart
MIX = np.int64(0x5851F42D4C957F2D)  # odd: joins the numbers of several arrays without loss


class LeakWarning(UserWarning):
    """Validation rows that are also training rows."""


def check_overlap(training: tuple[Tree, np.ndarray], validation: tuple[Tree, np.ndarray]) -> None:
    """Warn of validation rows that are training rows too, beyond what the training rows repeat among themselves.

    Args:
        training: arrays with rows first, and the numbers of the rows that train.
        validation: the same for those that validate.
    """
    count, expected = shared(*training, *validation)
    if count > expected:
        warnings.warn(
            f"{count} of the {len(validation[1])} validation rows are also training rows, so the validation numbers "
            "will look better than new data would.\n  Take copies out before splitting: np.unique(x, axis=0).",
            LeakWarning,
            stacklevel=5,
        )


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
        rows, dtype = flat(leaf), np.dtype(model.dtype)
        width = rows.shape[1] if limit is None else min(rows.shape[1], max(1, limit // dtype.itemsize))
        middle = rows[:, (rows.shape[1] - width) // 2 :][:, :width]
        step, size = max(1, CHUNK // max(1, width)), width * dtype.itemsize
        for start in range(0, len(chosen), step):
            data = middle[chosen[start : start + step]].astype(dtype, copy=False).tobytes()
            numbers = np.fromiter((hash(data[i : i + size]) for i in range(0, len(data), max(1, size))), np.int64)
            out[start : start + step] = MIX * out[start : start + step] + numbers
    return out
