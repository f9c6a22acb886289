"""Copies among rows that no one holds at once: prints are taken of a source's rows as they are read."""

import dataclasses
from typing import Any

import jax
import numpy as np

from thalweg import data
from thalweg.train.contract.overlap import common_dtypes, compare, prints, warn
from thalweg.types import Tree

REMEDY = "Take them out of one of the two, or put all copies of a row into one: data.equal_rows tells them."


class Passed:
    """Rows of a part, and the prints of those that have passed: 17 bytes a row.

    Args:
        x: the inputs, where they are arrays; else None.
        source: gives them where they are not.
        rows: the numbers of the rows that belong to the part.
        dtypes: those in which the parts are compared.
    """

    def __init__(self, x: Tree, source: Any, rows: np.ndarray, dtypes: list[np.dtype]) -> None:
        size = int(rows.max(initial=-1)) + 1
        self.x, self.source, self.rows, self.dtypes = x, source, rows, dtypes
        self.halves, self.seen = np.zeros((size, 2), np.int64), np.zeros(size, bool)
        if source is None:
            self.halves[rows], self.seen[rows] = prints(x, rows, dtypes), True

    def note(self, chunk: data.Chunk) -> None:
        """Take the prints of those rows that have not passed before."""
        numbers = chunk.rows.reshape(-1)
        new = np.flatnonzero(numbers >= 0)
        new = new[~self.seen[numbers[new]]]
        if new.size:
            self.halves[numbers[new]], self.seen[numbers[new]] = prints(chunk.x, new, self.dtypes), True

    @property
    def passed(self) -> np.ndarray:
        """The numbers of the rows that have passed."""
        return self.rows[self.seen[self.rows]]

    def read(self, rows: np.ndarray) -> list[np.ndarray]:
        """The inputs of some rows."""
        x = jax.tree.map(lambda a: a[rows], self.x) if self.source is None else data.take(self.source, rows)[0]
        return [np.asarray(leaf) for leaf in jax.tree.leaves(x)]


@dataclasses.dataclass
class Passing:
    """The part that trains and the one that validates, of which at least one is a source."""

    train: Passed
    validation: Passed
    done: bool = False

    def check(self) -> None:
        """Warn of copies, once; to be called after an epoch, until all rows have passed."""
        if self.done:
            return
        mine, theirs = self.train.passed, self.validation.passed
        a, b = self.train.halves[mine], self.validation.halves[theirs]
        found = compare(a, b, lambda rows: self.train.read(mine[rows])).at(theirs, mine)
        whole = all(len(part.passed) == len(part.rows) for part in (self.train, self.validation))
        self.done = whole or found.number > found.expected
        warn(found, len(theirs), "validation", REMEDY, stacklevel=8)


def passing(train: tuple[Any, np.ndarray], validation: tuple[Any, np.ndarray]) -> Passing | None:
    """What looks for copies as rows pass; None where rows of the two have different shapes.

    Args:
        train: what was given to train (`Given`), and the numbers of the rows that do.
        validation: the same for those that validate.
    """
    specs = [given.spec for given, _ in (train, validation)]
    shapes = [[leaf.shape for leaf in jax.tree.leaves(spec)] for spec in specs]
    if shapes[0] != shapes[1]:
        return None
    dtypes = common_dtypes(*specs)
    a, b = (Passed(given.x, given.source, rows, dtypes) for given, rows in (train, validation))
    return Passing(a, b)
