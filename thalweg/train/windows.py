"""Windows: how rows reach a program that trains. All kinds of feeds give windows of steps; the program is the same.

`Resident` data lies on the device once and is gathered by index: one window an epoch. `Streamed` data is larger than
memory: windows of stacked batches, read ahead in a background thread. `Bucketed` data has several lengths.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import jax.numpy as jnp
import numpy as np

from thalweg import data
from thalweg.data import Chunk, Source, chunks, row_bytes
from thalweg.types import Array, Spec, Tree

Hold: TypeAlias = Callable[[Chunk], Chunk]
"""Holds the contract against rows of a source; gives them with their targets in the dtype of the loss."""

WINDOW_BYTES = 64 * 2**20  # of a streamed window; two are alive at once


class Window(NamedTuple):
    """Steps that can run without the host: rows `first` to `last` of `order` index into `data`."""

    data: tuple[Tree, Tree, Array | None]
    order: Array
    first: int
    last: int
    offset: int  # the epoch's step that row 0 of `order` is


@runtime_checkable
class Feed(Protocol):
    """Rows for a program: which there are, and windows over an order of them."""

    @property
    def rows(self) -> np.ndarray:
        """The numbers of its rows."""
        ...

    @property
    def spec(self) -> Spec:
        """A row of its inputs, the longest where they differ."""
        ...

    def order(
        self, batch_size: int, *, seed: int = 0, epoch: int = 0, shuffle: bool = True, steps: int | None = None
    ) -> np.ndarray:
        """The rows of each batch of an epoch of so many `steps` at most: see `data.order`."""
        ...

    def windows(self, order: np.ndarray, first: int) -> Iterator[Window]:
        """The steps `first` and on of an epoch's `order` [steps, batch]."""
        ...


def unpadded(windows: Iterable[Window]) -> Iterator[Window]:
    """The same steps, each batch that is filled up as a window of its own, without what fills it.

    What is computed of a whole batch then sees its own rows alone, in a program compiled for so many.
    """
    for window in windows:
        counts = np.sum(np.asarray(window.order) >= 0, axis=1)
        first, size = window.first, window.order.shape[1]
        for i in range(first, window.last):
            if counts[i] < size:
                if first < i:
                    yield window._replace(first=first, last=i)
                yield Window(window.data, window.order[i : i + 1, : counts[i]], 0, 1, window.offset + i)
                first = i + 1
        if first < window.last:
            yield window._replace(first=first)


@dataclasses.dataclass(frozen=True)
class Resident:
    """Arrays on the device; `rows` are the row numbers that belong to this feed (a split takes no copy)."""

    data: tuple[Tree, Tree, Any]
    rows: np.ndarray
    spec: Spec

    def order(self, batch_size: int, **settings: Any) -> np.ndarray:
        """See `Feed`."""
        return data.order(self.rows, batch_size, **settings)

    def windows(self, order: np.ndarray, first: int) -> Iterator[Window]:
        """The whole epoch is one window."""
        yield Window(self.data, jnp.asarray(order), first, len(order), 0)


@dataclasses.dataclass(frozen=True)
class Streamed:
    """A source read window by window, each held against the contract before it is used."""

    source: Source
    rows: np.ndarray
    hold: Hold
    spec: Spec

    def order(self, batch_size: int, **settings: Any) -> np.ndarray:
        """See `Feed`."""
        return data.order(self.rows, batch_size, **settings)

    def windows(self, order: np.ndarray, first: int) -> Iterator[Window]:
        """Windows of as many whole batches as fit the bound, in step order."""
        steps = max(1, min(len(order), WINDOW_BYTES // max(1, row_bytes(self.source) * order.shape[1])))
        begin = first // steps * steps
        pieces = map(self.hold, chunks(self.source, order[begin:], steps))
        for offset, chunk in zip(range(begin, len(order), steps), pieces, strict=True):
            place = np.arange(chunk.rows.size, dtype=np.int32).reshape(chunk.rows.shape)
            window = jnp.asarray(np.where(chunk.rows >= 0, place, -1))
            last = min(steps, len(order) - offset)
            yield Window((chunk.x, chunk.y, chunk.weight), window, max(first - offset, 0), last, offset)
