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


def check_overlap(
    training: tuple[Tree, np.ndarray], validation: tuple[Tree, np.ndarray], name: str = "validation"
) -> None:
    """Warn of validation rows that are training rows too, beyond what chance repeats.

    Args:
        training: arrays with rows first, and the numbers of the rows that train.
        validation: the same for those that validate.
        name: what the other rows are called.
    """
    count, expected = shared(*training, *validation)
    if count > expected:
        warnings.warn(
            f"{count} of the {len(validation[1])} {name} rows are also training rows, so the {name} numbers "
            "will look better than new data would.\n  Take copies out before splitting: np.unique(x, axis=0); or keep"
            " them in one part: data.split(len(x), 0.2, groups=data.equal_rows(x)).",
            LeakWarning,
            stacklevel=5,
        )


def shared(x: Tree, chosen: np.ndarray, other: Tree, others: np.ndarray) -> tuple[int, float]:
    """How many of the `others` rows are among the `chosen` ones, and how many that could be without a copy.

    Rows are told apart by a few bytes of their middle first, and where those agree by all of them. A table of few
    values repeats whole rows by chance: as often as its two halves, even and odd columns, do apart,

        P(a row is among n) = 1 - exp(-2 n p_even p_odd)

    (twice, because halves are not independent; without the row itself, where one column is not all) and within three
    standard deviations. Copies repeat whole rows where the halves alone would not meet again. One
    column of whole numbers has no halves: what the chosen rows repeat among themselves is expected of the others. A
    small table of two values (a truth table, one-hot rows) is expected to be its own test.

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
    return len(theirs), _expected(x, chosen, other, others)


def _expected(x: Tree, chosen: np.ndarray, other: Tree, others: np.ndarray) -> float:
    n, leaves = len(others), [np.asarray(leaf)[chosen] for leaf in jax.tree.leaves(x)]
    kinds, counts = np.unique(_hashes(x, chosen, None), return_counts=True)
    if len(kinds) <= SMALL_TABLE and all(np.unique(leaf).size <= 2 for leaf in leaves):
        return float(n)
    if sum(int((flat(leaf) != flat(leaf)[:1]).any(axis=0).sum()) for leaf in leaves) == 1 and _are_whole(leaves):
        p = counts[counts > 1].sum() / len(chosen)
    else:
        even, odd = (_counts(x, chosen, other, others, parity) for parity in (0, 1))
        wide = bool(_half(x, 1))
        together = (1 + wide) * (even - wide).clip(0) * (odd - wide).clip(0) / len(chosen)
        p = float(np.mean(-np.expm1(-together)))
    return float(n * p + 3 * np.sqrt(n * p * (1 - p)))


def _are_whole(leaves: list[np.ndarray]) -> bool:
    return all(bool((leaf == np.rint(leaf)).all()) for leaf in leaves)


def _counts(x: Tree, chosen: np.ndarray, other: Tree, others: np.ndarray, parity: int) -> np.ndarray:
    """How many of the chosen rows have the even (or odd) columns of each of the others."""
    kinds, counts = np.unique(_hashes(_half(x, parity), chosen, None), return_counts=True)
    asked = _hashes(_half(other, parity), others, None, like=_half(x, parity))
    place = np.searchsorted(kinds, asked).clip(0, len(kinds) - 1)
    return np.where(kinds[place] == asked, counts[place], 0)


def _half(x: Tree, parity: int) -> list[np.ndarray]:
    rows = [flat(leaf) for leaf in jax.tree.leaves(x)]
    before = np.cumsum([0, *(part.shape[1] for part in rows)])
    halves = [part[:, (parity + start) % 2 :: 2] for part, start in zip(rows, before, strict=False)]
    return [half for half in halves if half.shape[1]]


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
