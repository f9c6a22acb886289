"""Digests: of a data set, what a run's manifest says it was trained on; of its rows, which of them are equal."""

import hashlib
from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

from thalweg.data.sources import ArraySource, Source, is_source, walk
from thalweg.types import Tree


def equal_rows(rows: Iterable[Any]) -> np.ndarray:
    """The group of each row, [rows]: rows that are equal, by their digest, have the number of the first of them.

    Args:
        rows: arrays, texts, or lists of texts; `split(..., groups=equal_rows(x))` keeps copies in one part.

    >>> equal_rows(["to be", "or not", "to be"]).tolist()
    [0, 1, 0]
    """
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(_digest(row), n) for n, row in enumerate(rows)], np.int64)


def _digest(row: Any) -> bytes:
    if hasattr(row, "__array__"):
        row = np.ascontiguousarray(row)
        return hashlib.sha256(f"{row.dtype}{row.shape}".encode() + row.tobytes()).digest()
    return hashlib.sha256(repr(row).encode("utf-8", "backslashreplace")).digest()


def digest(data: Source | Tree) -> str:
    """The SHA-256 of content, as hexadecimal digits.

    It covers the tree's names and every array's dtype, shape and numbers, read a chunk at a time: a source read from a
    file and the same arrays in memory agree.

    >>> digest(np.zeros(3, np.uint8))[:16]
    '031a635af36b7b6f'
    """
    source = data if is_source(data) else ArraySource(data)
    running: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    for _, parts in walk(source):
        for path, leaf in jax.tree.leaves_with_path(parts):
            name = jax.tree_util.keystr(path)
            kinds[name] = f"{leaf.dtype}{[len(source), *leaf.shape[1:]]}"
            content = np.ascontiguousarray(leaf).reshape(-1).view(np.uint8)
            running.setdefault(name, hashlib.sha256()).update(content.data)
    total = hashlib.sha256()
    for name in sorted(running):
        total.update(f"{name} {kinds[name]} {running[name].hexdigest()}\n".encode())
    return total.hexdigest()
