"""feeds: what was checked, as the programs take it. The last step of `calls`."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from thalweg import data
from thalweg.train.buckets import Bucketed
from thalweg.train.checked import Checked
from thalweg.train.given import Given
from thalweg.train.windows import Feed, Resident, Streamed
from thalweg.types import Tree

LARGEST = 256  # rows of a block, unless said


def feed(checked: Checked) -> Feed:
    """The rows for a program that trains or evaluates."""
    given = checked.given
    if given.source is not None:
        return Streamed(given.source, checked.rows, checked.hold, given.spec)
    if given.buckets is not None:
        source = dataclasses.replace(given.buckets, x=given.x, y=given.y, weight=given.weight)
        return Bucketed.of(source, checked.rows)
    arrays = (given.x, given.y, given.weight)
    return Resident(jax.device_put(arrays), checked.rows, given.spec)  # an aligned array is shared, not copied


def feeds(train: Checked, validation: Checked | None) -> tuple[Feed, Feed | None]:
    """The rows that train and those that validate; two parts of the same arrays lie on the device once."""
    one = feed(train)
    if validation is None:
        return one, None
    if validation.given is train.given and train.given.source is None:
        return one, dataclasses.replace(one, rows=validation.rows)  # type: ignore[type-var]
    if isinstance(one, Resident) and _same(validation.given, train.given):
        x, y, _ = one.data
        return one, Resident((x, y, jax.device_put(validation.given.weight)), validation.rows, one.spec)
    return one, feed(validation)


def _same(a: Given, b: Given) -> bool:
    return a.x is b.x and a.y is b.y


def blocks(checked: Checked, batch_size: int | None = None) -> Iterator[tuple[Tree, int]]:
    """The inputs in blocks of one shape, the last filled up with zeros; and how many rows of each are real.

    A source is read a block at a time. No block is larger than the next power of two above all rows.
    """
    rows = len(checked.given)
    size = min(batch_size or LARGEST, 1 << max(0, rows - 1).bit_length())
    for first in range(0, max(rows, 1), size):  # of no rows one block of none, so that the output has its shape
        last = min(first + size, rows)
        yield jax.tree.map(lambda a: _filled(a, size), _inputs(checked, first, last)), last - first


def _inputs(checked: Checked, first: int, last: int) -> Tree:
    given, rows = checked.given, np.arange(first, last)
    if given.source is not None:
        return checked.hold(data.Chunk(*data.take(given.source, rows), rows[None])).x
    return jax.tree.map(lambda a: a[first:last], given.x)


def _filled(a: Any, size: int) -> Any:
    if a.shape[0] == size:
        return a
    return np.concatenate([a, np.zeros((size - a.shape[0], *a.shape[1:]), a.dtype)])
