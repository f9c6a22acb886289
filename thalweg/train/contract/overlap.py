"""Rows of one part that are also rows of another: counted, and warned of where they are more than chance would have it.

A row's print is two 64-bit numbers, of its even columns and of its odd ones: equal for equal rows, and for no others.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from thalweg.train.contract.scan import CHUNK, flat
from thalweg.types import Tree

SKETCH = 256  # bytes from the middle of a row: enough to tell almost any two rows apart
SMALL_TABLE = 64  # rows up to which a table of two values is a truth table, there to be learned by heart
SAMPLE, SAMPLE_BYTES = 4096, 2**25  # rows, and about how much memory, that tell what kind of table it is
MIX = np.int64(0x5851F42D4C957F2D)  # odd: joins the numbers of several arrays without loss
REMEDY = "Take copies out before splitting: np.unique(x, axis=0); or keep them in one part: "
REMEDY += "data.split(len(x), 0.2, groups=data.equal_rows(x))."


class LeakWarning(UserWarning):
    """Validation or test rows that are also training rows."""


class Copies(NamedTuple):
    """How many rows are in the other part too, how many chance may repeat, and one of them beside its twin."""

    number: int = 0
    expected: float = 0.0
    example: tuple[Any, Any] = (-1, -1)

    def at(self, others: Sequence[Any] | np.ndarray, rows: Sequence[Any] | np.ndarray) -> "Copies":
        """The same, the example by these numbers or names of rows in the place of 0, 1, ..."""
        a, b = self.example
        return self._replace(example=(others[a], rows[b])) if self.number else self


def check_overlap(
    training: tuple[Tree, np.ndarray], validation: tuple[Tree, np.ndarray], name: str = "validation"
) -> None:
    """Warn of validation rows that are training rows too, beyond what chance repeats.

    Args:
        training: arrays with rows first, and the numbers of the rows that train.
        validation: the same for those that validate.
        name: what the other rows are called.
    """
    warn(shared(*training, *validation), len(validation[1]), name, stacklevel=6)


def warn(found: Copies, rows: int, name: str, remedy: str = REMEDY, *, stacklevel: int = 2) -> None:
    """Say so where more of the `rows` called `name` are copies than chance repeats."""
    if found.number > found.expected:
        a, b = found.example
        warnings.warn(
            f"{found.number} of the {rows} {name} rows are also training rows ({name} row {a} is training row {b}), so "
            f"the {name} numbers will look better than new data would.\n  {remedy}",
            LeakWarning,
            stacklevel=stacklevel,
        )


def shared(x: Tree, chosen: np.ndarray, other: Tree, others: np.ndarray) -> Copies:
    """How many of the `others` rows are among the `chosen` ones, and how many that could be without a copy.

    Rows are told apart by a few bytes of their middle first, and where those agree by all of them. Where one of the two
    is longer, rows of it that end (or begin) with zeros are compared without them, as they were padded.

    Args:
        x: arrays with rows first.
        chosen: row numbers of `x`.
        other: arrays like those of `x`; of other shapes, no row is shared.
        others: row numbers of `other`.
    """
    parts = _of_one_length(x, chosen, other, others)
    if parts is None:
        return Copies()
    x, mine, other, theirs = parts
    dtypes = common_dtypes(x, other)
    a, b = _hashes(x, mine, dtypes, SKETCH), _hashes(other, theirs, dtypes, SKETCH)
    alike = np.isin(b, a)
    if not alike.any():
        return Copies()
    a, b = mine[np.isin(a, b[alike])], theirs[alike]
    if not compare(prints(x, a, dtypes), prints(other, b, dtypes)).number:
        return Copies()
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(x)]
    pair = prints(x, mine, dtypes), prints(other, theirs, dtypes)
    return compare(*pair, lambda rows: [leaf[mine[rows]] for leaf in leaves]).at(theirs, mine)


def _of_one_length(x: Tree, mine: np.ndarray, other: Tree, theirs: np.ndarray) -> Any:
    """Both with rows of one shape, and the numbers of the rows that fit it; None where the shapes differ otherwise."""
    ours, others = jax.tree.leaves(x), jax.tree.leaves(other)
    if [(a.ndim, a.shape[2:]) for a in ours] != [(b.ndim, b.shape[2:]) for b in others]:
        return None
    for i, (a, b) in enumerate(zip(ours, others, strict=True)):
        if a.shape[1:] != b.shape[1:]:
            length = min(a.shape[1], b.shape[1])
            ours[i], mine = _trimmed(np.asarray(a), mine, length)
            others[i], theirs = _trimmed(np.asarray(b), theirs, length)
    return ours, mine, others, theirs


def _trimmed(array: np.ndarray, rows: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """`array` cut to that length on the side where most rows hold only zeros, and the rows that lose nothing."""
    cut = array.shape[1] - length
    sides = ((array[:, :length], array[:, length:]), (array[:, cut:], array[:, :cut]))
    (kept, lost) = max(sides, key=lambda side: int((flat(side[1])[rows] == 0).all(axis=1).sum()))
    return kept, rows[(flat(lost)[rows] == 0).all(axis=1)]


def common_dtypes(x: Tree, other: Tree) -> list[np.dtype]:
    """Those in which numbers of both are compared: a 1.5 is no copy of a 1."""
    return [_common(a.dtype, b.dtype) for a, b in zip(jax.tree.leaves(x), jax.tree.leaves(other), strict=True)]


def _common(a: np.dtype, b: np.dtype) -> np.dtype:
    try:
        return a if a == b else np.promote_types(a, b)
    except TypeError:  # bfloat16 and an integer
        return np.dtype(np.float64)


def prints(x: Tree, chosen: np.ndarray, dtypes: list[np.dtype]) -> np.ndarray:
    """int64 [chosen, 2]: a number for the even and one for the odd columns of each chosen row, all bytes of them."""
    return np.stack([_hashes(*_half(x, dtypes, parity, chosen)) for parity in (0, 1)], axis=1)


def prints_of(rows: Iterable[Any]) -> np.ndarray:
    """The same of rows of unequal length: a number for every other item of each, and one for the rest.

    Args:
        rows: arrays, or tuples of words.
    """
    halves = [[hash(h.tobytes() if isinstance(h, np.ndarray) else h) for h in (row[::2], row[1::2])] for row in rows]
    return np.array(halves, np.int64).reshape(-1, 2)


def compare(
    mine: np.ndarray, theirs: np.ndarray, rows: Callable[[np.ndarray], list[np.ndarray]] | None = None
) -> Copies:
    """How many of `theirs` are among `mine`, two lists of prints, beside how many chance repeats.

    A table of few values repeats whole rows by chance: as often as its two halves, even and odd columns, do apart,

        P(a row is among n) = 1 - exp(-2 n p_even p_odd)

    (twice, because halves are not independent; without the row itself, where one column is not all) and within three
    standard deviations. Copies repeat whole rows where the halves alone would not meet again. One
    column of whole numbers has no halves: what the chosen rows repeat among themselves is expected of the others. A
    small table of two values (a truth table, one-hot rows) is expected to be its own test.

    Args:
        mine: [n, 2].
        theirs: [m, 2].
        rows: gives these rows of `mine`, as arrays; None where they are no table.
    """
    if not len(mine) or not len(theirs):
        return Copies()
    kinds, first, counts = np.unique(_whole(mine), return_index=True, return_counts=True)
    place = np.searchsorted(kinds, _whole(theirs)).clip(0, len(kinds) - 1)
    same = (mine[first[place]] == theirs).all(axis=1)
    if not same.any():
        return Copies()
    at, m = int(np.argmax(same)), len(theirs)
    p = _chance(mine, theirs, counts, [] if rows is None else rows(first[: _sampled(rows, first)]))
    return Copies(int(same.sum()), float(m * p + 3 * np.sqrt(m * p * (1 - p))), (at, int(first[place[at]])))


def _whole(halves: np.ndarray) -> np.ndarray:
    return MIX * halves[:, 0] + halves[:, 1]


def _sampled(rows: Callable[[np.ndarray], list[np.ndarray]], first: np.ndarray) -> int:
    size = sum(leaf.nbytes for leaf in rows(first[:1]))
    return int(np.clip(SAMPLE_BYTES // max(1, size), SMALL_TABLE + 1, SAMPLE))


def _chance(mine: np.ndarray, theirs: np.ndarray, counts: np.ndarray, sample: list[np.ndarray]) -> float:
    columns = [flat(leaf) for leaf in sample]
    if columns and len(counts) <= SMALL_TABLE and all(np.unique(leaf).size <= 2 for leaf in columns):
        return 1.0
    if sum(int((leaf != leaf[:1]).any(axis=0).sum()) for leaf in columns) == 1 and _are_whole(columns):
        return float(counts[counts > 1].sum() / len(mine))
    wide = not columns or sum(leaf.shape[1] for leaf in columns) > 1
    even, odd = (_counts(mine[:, parity], theirs[:, parity]) for parity in (0, 1))
    together = (1 + wide) * (even - wide).clip(0) * (odd - wide).clip(0) / len(mine)
    return float(np.mean(-np.expm1(-together)))


def _are_whole(leaves: list[np.ndarray]) -> bool:
    return all(bool((leaf == np.rint(leaf)).all()) for leaf in leaves)


def _counts(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """How many of `mine` are each of `theirs`."""
    kinds, counts = np.unique(mine, return_counts=True)
    place = np.searchsorted(kinds, theirs).clip(0, len(kinds) - 1)
    return np.where(kinds[place] == theirs, counts[place], 0)


def _half(x: Tree, dtypes: list[np.dtype], parity: int, chosen: np.ndarray) -> Any:
    rows = [flat(leaf) for leaf in jax.tree.leaves(x)]
    before = np.cumsum([0, *(part.shape[1] for part in rows)])
    halves = [part[:, (parity + start) % 2 :: 2] for part, start in zip(rows, before, strict=False)]
    kept = [(half, dtype) for half, dtype in zip(halves, dtypes, strict=True) if half.shape[1]]
    return [half for half, _ in kept], chosen, [dtype for _, dtype in kept]


def _hashes(x: Tree, chosen: np.ndarray, dtypes: list[np.dtype], limit: int | None = None) -> np.ndarray:
    """A 64-bit number for each chosen row, equal for equal rows: of all its bytes or of `limit` from its middle."""
    out = np.zeros(len(chosen), np.int64)
    for leaf, dtype in zip(jax.tree.leaves(x), dtypes, strict=True):
        rows = flat(leaf)
        width = rows.shape[1] if limit is None else min(rows.shape[1], max(1, limit // dtype.itemsize))
        middle = rows[:, (rows.shape[1] - width) // 2 :][:, :width]
        step, size = max(1, CHUNK // max(1, width)), width * dtype.itemsize
        for start in range(0, len(chosen), step):
            data = middle[chosen[start : start + step]].astype(dtype, copy=False).tobytes()
            numbers = np.fromiter((hash(data[i : i + size]) for i in range(0, len(data), max(1, size))), np.int64)
            out[start : start + step] = MIX * out[start : start + step] + numbers
    return out
