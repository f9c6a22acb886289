"""copies: test rows that are also training rows, counted as people have them, before anything is learned."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg.recipes.verdict import Verdict
from thalweg.train import contract

REMEDY = "Take them out of the test part; or give all rows as one part, which is then split with copies together."


class Counted(NamedTuple):
    """The copies among so many test rows, of rows that train or steer the training."""

    found: contract.Copies
    rows: int

    def warn(self) -> None:
        """Say so where there are more than chance repeats."""
        contract.warn(self.found, self.rows, "test", REMEDY, stacklevel=5)

    def told(self, verdict: Verdict) -> Verdict:
        """`verdict`, which says how many of its rows training has seen, where there are any."""
        n = self.found.number
        if not n:
            return verdict
        of = f"{n:,} of {self.rows:,}"
        return dataclasses.replace(
            verdict,
            scores={**verdict.scores, "copies": n},
            line=f"{verdict.line} Copies of training rows among the test rows: {of}.",
            facts={**verdict.facts, "copies of training rows": of},
        )


def in_arrays(train: Any, test: Any) -> Counted:
    """Copies among the rows of arrays."""
    return Counted(contract.shared(train, np.arange(len(train)), test, np.arange(len(test))), len(test))


def in_rows(train: Sequence[Any], test: Sequence[Any], cut: Callable[[Any], Any] = lambda row: row) -> Counted:
    """Copies among rows of unequal length.

    Args:
        train: the rows that train.
        test: those that test.
        cut: makes of a row an array, or a tuple of words.
    """
    mine, theirs = (contract.prints_of(map(cut, part)) for part in (train, test))
    return Counted(contract.compare(mine, theirs), len(test))


def words(text: str) -> tuple[str, ...]:
    """The words of a text, by which chance repeats a short one; the letters, where it is one word."""
    cut = tuple(text.split(" "))
    return cut if len(cut) > 1 else tuple(text)
