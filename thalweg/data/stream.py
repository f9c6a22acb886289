"""Streaming: batches a chunk at a time, the next chunk read in the background while the program runs on this one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import jax
import numpy as np

from thalweg.data.epochs import PADDING
from thalweg.data.sources import Source, take
from thalweg.errors import ConfigError, DataError
from thalweg.types import Tree


class Chunk(NamedTuple):
    """The rows of some batches, one after the other: leaves are [steps * batch, ...], `rows` is [steps, batch].

    Where `rows` is -1 there is no row: a copy of the chunk's first row fills the place and is to be masked.
    """

    x: Tree
    y: Tree
    weight: Tree
    rows: np.ndarray


def chunks(source: Source, order: np.ndarray, steps: int) -> Iterator[Chunk]:
    """The batches of `order`, `steps` at a time; memory holds the chunk in use and the next one.

    All chunks have one shape, so that one compiled program serves: the last is filled up with -1. An error in the
    source arrives where its chunk would have. A consumer that stops early stops the reading.

    Args:
        source: where the rows are.
        order: row numbers [steps of the epoch, batch], -1 for none.
        steps: batches a chunk.

    >>> from thalweg.data import ArraySource, order
    >>> parts = list(chunks(ArraySource(np.arange(5)), order(5, 2, shuffle=False), steps=2))
    >>> [part.x.tolist() for part in parts]
    [[0, 1, 2, 3], [4, 4, 4, 4]]
    >>> parts[1].rows.tolist()
    [[4, -1], [-1, -1]]
    """
    if steps < 1:
        raise ConfigError(f"steps={steps}; a chunk has at least one batch.\n  Write steps=1 or more.")
    filled = np.full((-(-len(order) // steps) * steps, order.shape[1]), PADDING, order.dtype)
    filled[: len(order)] = order
    windows = filled.reshape(-1, steps, order.shape[1])
    with ThreadPoolExecutor(1, "thalweg-read") as reader:
        ahead = None
        for window in windows:
            chunk, ahead = ahead and ahead.result(), reader.submit(_read, source, window)
            if chunk is not None:
                yield chunk
            del chunk  # not held while the next is awaited
        if ahead is not None:
            yield ahead.result()


def _read(source: Source, rows: np.ndarray) -> Chunk:
    flat = rows.reshape(-1)
    parts = take(source, np.where(flat < 0, flat[0], flat))
    for leaf in jax.tree.leaves(parts):
        if len(leaf) != len(flat):
            raise DataError(
                f"{type(source).__name__} gave {len(leaf)} rows when asked for {len(flat)}.\n"
                "  source[indices] must give one row for each index: look at its __getitem__."
            )
    return Chunk(*parts, rows)
