"""Sources: anything with a length that gives the rows you ask for."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np

from thalweg import tree
from thalweg.data.arrays import as_arrays
from thalweg.errors import ContractError, DataError
from thalweg.types import Dtype, Tree

CHUNK_BYTES = 2**25  # what is read at a time where a whole source is walked through
Rows = tuple[Tree, Tree, Tree]
"""Inputs, targets, weights of some rows; targets and weights may be None."""


@runtime_checkable
class Source(Protocol):
    """Data by row number. Rows asked for twice are the same; -1 is never asked for."""

    def __len__(self) -> int:
        """How many rows there are."""
        ...

    def __getitem__(self, indices: np.ndarray, /) -> tuple[Any, ...]:
        """`(x, y)` or `(x, y, weight)` of these rows: trees of arrays whose first axis follows `indices`."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class ArraySource:
    """Rows of arrays that have them all, in memory or mapped from files. `from_arrays` checks what goes in.

    >>> source = ArraySource(np.arange(6.0).reshape(3, 2), np.array([0, 1, 0]))
    >>> source[np.array([2])]
    (array([[4., 5.]]), array([0]))
    """

    x: Tree
    y: Tree = None
    weight: Tree = None

    def __len__(self) -> int:
        return len(jax.tree.leaves(self.x)[0])

    def __getitem__(self, indices: np.ndarray | slice, /) -> tuple[Tree, ...]:
        parts = (self.x, self.y) if self.weight is None else (self.x, self.y, self.weight)
        return jax.tree.map(lambda a: a[indices], parts)

    @property
    def mapped(self) -> bool:
        """Whether an array lies in a file rather than in memory."""
        return any(isinstance(leaf, np.memmap) for leaf in jax.tree.leaves((self.x, self.y, self.weight)))


@dataclasses.dataclass(frozen=True, eq=False)
class Converted:
    """A source whose rows are read as arrays of numbers, whatever it gives.

    Args:
        source: gives them.
        read: makes an `ArraySource` of `(x, y, weight)`.
    """

    source: Source
    read: Callable[[Any, Any, Any], ArraySource]

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, indices: np.ndarray, /) -> tuple[Tree, ...]:
        try:
            return self._read(indices)
        except DataError:
            for row in indices:
                try:
                    self._read(np.array([row]))
                except DataError as error:
                    raise DataError(f"row {row} of the source, read by itself: {error}") from None
            raise

    def _read(self, indices: np.ndarray) -> Rows:
        rows = self.read(*take(self.source, indices))
        parts = rows.x, rows.y, rows.weight
        for leaf in jax.tree.leaves(parts):
            if len(leaf) != len(indices):
                raise DataError(
                    f"{type(self.source).__name__} gave {len(leaf)} rows when asked for {len(indices)}.\n"
                    "  source[indices] must give one row for each index: look at its __getitem__."
                )
        return parts


def is_source(value: Any) -> bool:
    """Whether `value` gives rows by number, and is not an array, a sequence, a mapping or a table."""
    known = isinstance(value, list | tuple | dict | str | bytes | range)
    return not known and hasattr(value, "__len__") and hasattr(value, "__getitem__") and not _is_array(value)


def _is_array(value: Any) -> bool:
    return any(hasattr(value, sign) for sign in ("__array__", "__dlpack__", "columns", "toarray", "to_numpy", "dtype"))


def from_arrays(x: Any, y: Any = None, weight: Any = None, *, dtype: Dtype = np.float32) -> ArraySource:
    """A source of what `as_arrays` takes.

    Raises:
        DataError: something is no array of numbers.
        ContractError: the parts have different numbers of rows.

    >>> len(from_arrays([[1, 2], [3, 4]], [0, 1]))
    2
    """
    targets = as_arrays(y, dtype, name="y")
    known = jax.tree.leaves(targets)
    inputs = as_arrays(x, dtype, rows=len(known[0]) if known else None)
    source = ArraySource(inputs, targets, as_arrays(weight, dtype, name="weight"))
    lengths = {name: len(a) for name, a in named(whole(source)).items()}
    if len(set(lengths.values())) > 1:
        counted = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        raise ContractError(f"the arrays differ in their number of rows: {counted}.\n  Give each row its part in all.")
    return source


def as_source(x: Any, y: Any = None, weight: Any = None, *, dtype: Dtype = np.float32) -> Source:
    """`x` itself where it is a source, else `from_arrays(x, y, weight)`."""
    if not is_source(x):
        return from_arrays(x, y, weight, dtype=dtype)
    if y is not None or weight is not None:
        raise ContractError(f"{type(x).__name__} is a source and brings its own targets.\n  Leave y and weights out.")
    return x


def take(source: Source, indices: np.ndarray) -> Rows:
    """`(x, y, weight)` of these rows, whichever of them the source has."""
    rows = source[indices]
    if not isinstance(rows, tuple) or not 1 <= len(rows) <= 3:
        raise DataError(
            f"{type(source).__name__}[rows] gave {type(rows).__name__}.\n  A source gives (x, y) or (x, y, weight)."
        )
    x, y, weight = (*jax.tree.map(_native, rows), None, None)[:3]
    return x, y, weight


def _native(leaf: Any) -> Any:
    """A leaf in this machine's order of bytes: files have either."""
    foreign = isinstance(leaf, np.ndarray) and not leaf.dtype.isnative
    return leaf.astype(leaf.dtype.newbyteorder("=")) if foreign else leaf


def whole(source: Source) -> Rows:
    """All rows at once; the arrays themselves, not copies, where the source is made of arrays."""
    if isinstance(source, ArraySource):
        return source.x, source.y, source.weight
    return take(source, np.arange(len(source)))


def row_bytes(source: Source) -> int:
    """How many bytes one row takes."""
    return tree.nbytes(take(source, np.arange(1)))


def walk(source: Source, size: int | None = None) -> Iterator[tuple[int, Rows]]:
    """All rows in order as `(first row, (x, y, weight))`, `size` rows at a time (about 32 MB)."""
    step = size or max(1, CHUNK_BYTES // max(1, row_bytes(source)))
    for first in range(0, len(source), step):
        yield first, take(source, np.arange(first, min(first + step, len(source))))


def named(parts: Rows) -> dict[str, Any]:
    """The arrays of `(x, y, weight)` by dotted name: `{"x.left": ..., "y": ...}`."""
    paths = jax.tree.leaves_with_path(dict(zip(("x", "y", "weight"), parts, strict=True)))
    return {".".join(str(getattr(k, "key", getattr(k, "idx", k))) for k in path): leaf for path, leaf in paths}
