"""Buckets: sequences of unequal length in a few groups, each padded to a length of its own instead of the longest.

A program is compiled for one shape. With one length for all, a short sequence costs as much as the longest; with a
length for each batch, there are as many programs as batches. A few lengths are enough: `lengths` chooses, of all ways
to have so many, the one with the fewest places to compute. Each is a program of its own.

    cost = sum over buckets of (rows in it) x (its length)
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from thalweg.data.sources import Rows, from_arrays
from thalweg.errors import ConfigError, ContractError
from thalweg.ranges import flag
from thalweg.types import Tree

MAX_CANDIDATES = 512  # lengths that are weighed against each other


@dataclasses.dataclass(frozen=True, eq=False)
class BucketSource:
    """Rows of padded arrays, and which bucket each row is in. `bucketed` makes one; `fit` and `evaluate` take it.

    As a source it gives its rows at full length. `part` gives a bucket's rows at the bucket's.

    Args:
        x: arrays, padded to full length.
        y: targets.
        weight: the weight of each row.
        bucket: of each row.
        extents: for an axis of that full length, how much of it each bucket keeps.
        right: whether the padding stands after the tokens.
        per_position: whether targets (and weights of two axes) have a place for each token.
    """

    x: Tree
    y: Tree
    weight: Tree
    bucket: np.ndarray
    extents: dict[int, tuple[int, ...]]
    right: bool = True
    per_position: bool = False

    def __len__(self) -> int:
        return len(self.bucket)

    def __getitem__(self, indices: np.ndarray, /) -> Rows:
        return jax.tree.map(lambda a: a[indices], (self.x, self.y, self.weight))

    @property
    def count(self) -> int:
        """How many buckets there are."""
        return int(self.bucket.max()) + 1

    def spec(self, k: int) -> Tree:
        """One row of the inputs of bucket `k`, as shapes and dtypes."""
        first = jax.tree.map(lambda a: self._cut(a[:1], k) if self._in_time(a) else a[:1], self.x)
        return jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, jax.dtypes.canonicalize_dtype(a.dtype)), first)

    def part(self, k: int) -> Rows:
        """`(x, y, weight)` of the rows of bucket `k`, in order, at its length."""
        rows = np.flatnonzero(self.bucket == k)
        x = jax.tree.map(lambda a: self._cut(a[rows], k) if self._in_time(a) else a[rows], self.x)
        follow = (lambda a: self._cut(a[rows], k)) if self.per_position else (lambda a: a[rows])
        y = jax.tree.map(follow, self.y)
        return x, y, jax.tree.map(lambda a: follow(a) if np.ndim(a) > 1 else a[rows], self.weight)

    @property
    def padding(self) -> float:
        """The share of places that hold no token or frame."""
        tokens = [a for a in jax.tree.leaves(self.x) if self._in_time(a)]
        filled = sum(np.count_nonzero(there(a)) for a in tokens)
        rows = np.bincount(self.bucket)
        places = sum(int(n) * self.extents[a.shape[1]][k] for a in tokens for k, n in enumerate(rows))
        return 1 - filled / places

    def _in_time(self, a: Any) -> bool:
        return in_time(self.x)(a)

    def _cut(self, a: Any, k: int) -> Any:
        full = a.shape[1] if np.ndim(a) > 1 else 0
        if full not in self.extents:
            return a
        kept = self.extents[full][k]
        return a[:, :kept] if self.right else a[:, full - kept :]


def bucketed(
    x: Any,
    y: Any = None,
    weight: Any = None,
    *,
    number: int = 4,
    side: str = "right",
    per_position: bool = False,
    multiple: int = 8,
) -> BucketSource:
    """A source whose rows are trained in buckets of like length: `model.fit(bucketed(pad(ids), y))`.

    Each batch comes from one bucket; which rows and which buckets come when is a function of the seed. The network must
    take any length and leave padding out (a mask, or a pooling over what is there); the result is then that of full
    length. Positions are those of axis 1 of integer arrays of two axes, in which 0 is padding; where `x` has none, of
    real arrays of three axes, in which a frame of zeros is, as `SoundEncoder` pads them.

    Args:
        x: padded indices, [rows, tokens], or several such arrays (a text and its translation); or padded features,
            [rows, frames, features].
        y: targets.
        weight: the weight of each row.
        number: how many buckets there are at most; each is compiled once.
        side: on which side of the tokens the padding stands, as in `pad`.
        per_position: whether `y` has a value for each token (tags, next words), to be cut like `x`.
        multiple: lengths are rounded up to a multiple of it.

    Raises:
        ContractError: no array of `x` holds indices or frames, or `y` has no axis of their length.

    >>> source = bucketed(np.array([[5, 0, 0, 0], [6, 7, 8, 9], [4, 0, 0, 0]]), number=2, multiple=1)
    >>> source.extents
    {4: (1, 4)}
    >>> source.part(0)[0].tolist()
    [[5], [4]]
    """
    if side not in ("left", "right") or number < 1 or multiple < 1:
        raise ConfigError(f"{side=}, {number=}, {multiple=}.\n  Write side='right' or 'left', and numbers from 1.")
    arrays, per_position = from_arrays(x, y, weight), flag("per_position", per_position)
    row_lengths = _row_lengths(list(filter(in_time(arrays.x), jax.tree.leaves(arrays.x))), right=side == "right")
    if not row_lengths:
        raise ContractError(
            "x holds no integer array [rows, tokens] and no real one [rows, frames, features].\n"
            "  Write bucketed(pad(tokenizer(texts)), y)."
        )
    for leaf in jax.tree.leaves(arrays.y) if per_position else ():
        if np.ndim(leaf) < 2 or leaf.shape[1] not in row_lengths:
            raise ContractError(
                f"y has shape {np.shape(leaf)}; with per_position=True its axis 1 follows x, of length"
                f" {', '.join(map(str, row_lengths))}.\n  Pad y to the length of x."
            )
    bucket, kept = lengths(np.stack(list(row_lengths.values()), 1), tuple(row_lengths), number, multiple)
    extents = {full: tuple(int(row[n]) for row in kept) for n, full in enumerate(row_lengths)}
    return BucketSource(arrays.x, arrays.y, arrays.weight, bucket, extents, side == "right", per_position)


def is_tokens(a: Any) -> bool:
    """Whether an array is one of indices, [rows, tokens]."""
    return np.ndim(a) == 2 and np.dtype(a.dtype).kind in "iu"


def is_frames(a: Any) -> bool:
    """Whether an array is one of features, [rows, frames, features]."""
    return np.ndim(a) == 3 and np.dtype(a.dtype).kind == "f"


def in_time(x: Tree) -> Callable[[Any], bool]:
    """Which arrays of `x` are sequences: those of indices, or where it has none, those of features."""
    return is_tokens if any(map(is_tokens, jax.tree.leaves(x))) else is_frames


def there(a: Any) -> np.ndarray:
    """Where a place holds a token, or a frame that is not all zeros, [rows, places]."""
    held = np.asarray(a) != 0
    return held if held.ndim == 2 else np.logical_or.reduce(held, axis=2)


def _row_lengths(arrays: list[Any], *, right: bool) -> dict[int, np.ndarray]:
    # of each row, by the full length of the axis: how far it reaches in any array of that length
    out: dict[int, np.ndarray] = {}
    for a in map(np.asarray, arrays):
        full = a.shape[1]
        held = there(a) if right else there(a)[:, ::-1]
        reach = np.where(held.any(1), full - held[:, ::-1].argmax(1), 0)
        out[full] = np.maximum(out.get(full, 0), reach)
    return out


def lengths(rows: np.ndarray, full: tuple[int, ...], number: int, multiple: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The bucket of each row and the lengths of each bucket, so that the fewest places are computed.

    Rows are sorted by their tokens; a bucket is a stretch of them. Dynamic programming over where stretches end finds
    the best: with one length a row, the optimum over all assignments.

    Args:
        rows: the lengths of each row, [rows, axes].
        full: the greatest length of each axis.
        number: how many buckets there are at most.
        multiple: lengths are rounded up to a multiple of it, at most to `full`.

    Returns:
        `(bucket, kept)`: int64 [rows] and [buckets, axes].

    >>> lengths(np.array([[1], [2], [9], [9]]), (9,), 2)
    (array([0, 0, 1, 1]), array([[2],
           [9]]))
    """
    while True:
        rounded = np.clip(-(-rows // multiple) * multiple, 1, np.array(full)[None])
        kinds, kind, counts = np.unique(rounded, axis=0, return_inverse=True, return_counts=True)
        if len(kinds) <= MAX_CANDIDATES:
            break
        multiple *= 2
    rank = np.lexsort((*kinds.T, kinds.sum(1)))
    ends = _best_ends(kinds[rank], counts[rank], number)
    starts = [0, *(end + 1 for end in ends[:-1])]
    kept = np.array([kinds[rank][a : b + 1].max(0) for a, b in zip(starts, ends, strict=True)])
    place = np.empty(len(rank), np.int64)
    place[rank] = np.arange(len(rank))
    return np.searchsorted(ends, place[kind.reshape(-1)]), kept


def _best_ends(kinds: np.ndarray, counts: np.ndarray, number: int) -> list[int]:
    # best[j]: the least cost of the kinds 0 to j, in a bucket more each round; came[j]: where the last bucket begins
    n = len(kinds)
    upto = np.cumsum(counts)
    cost = np.full((n, n), np.inf)  # [first, last] of a bucket
    for i in range(n):
        widths = np.maximum.accumulate(kinds[i:], axis=0).sum(1)
        cost[i, i:] = widths * (upto[i:] - (upto[i - 1] if i else 0))
    best, paths = cost[0], [np.zeros(n, np.int64)]
    for _ in range(1, min(number, n)):
        total = np.concatenate([[0], best[:-1]])[:, None] + cost  # buckets before `first`, then one from there on
        came = total.argmin(0)
        best = total[came, np.arange(n)]
        paths.append(came)
    ends, last = [], n - 1
    for came in reversed(paths):
        ends.append(last)
        last = int(came[last]) - 1
        if last < 0:
            break
    return ends[::-1]
