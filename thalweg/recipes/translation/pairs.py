"""pairs: texts and their translations, and a split that keeps every sentence in one part."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from thalweg import data
from thalweg.errors import DataError

LEAST = 10  # groups of sentences that a split needs


class Pairs(NamedTuple):
    """Texts, and what each says in another language."""

    sources: list[str]
    targets: list[str]

    def at(self, rows: Sequence[int]) -> "Pairs":
        """Some of the rows."""
        return Pairs([self.sources[row] for row in rows], [self.targets[row] for row in rows])

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(self.sources)


def split(pairs: Pairs, share: float, seed: int, path: Path | str) -> tuple[Pairs, Pairs]:
    """`pairs` without about that share of them, and that share.

    Pairs that have a side in common, and those that these have one in common with, stay together: otherwise what is
    asked in the test would have been read in training.

    Args:
        pairs: what to split.
        share: the share of the groups that is set apart.
        seed: the split is a function of it.
        path: where they are from, for the error.

    Raises:
        DataError: there are too few that differ.
    """
    sides = [np.unique([text.strip() for text in side], return_inverse=True)[1] for side in pairs]
    n = len(pairs)
    places = np.arange(n), sides[0].reshape(-1) + n, sides[1].reshape(-1) + n + n
    pairs_of_nodes, nodes = np.concatenate([places[0]] * 2), np.concatenate(places[1:])
    groups = connected_components(coo_array((np.ones(2 * n), (pairs_of_nodes, nodes)), shape=(3 * n, 3 * n)))[1][:n]
    kinds, group = np.unique(groups, return_inverse=True)
    if len(kinds) < LEAST:
        raise DataError(
            f"{path} has {n} pairs in {len(kinds)} groups that share no sentence; a split needs {LEAST}.\n"
            "  Give more pairs, or set a test part apart: a folder with train.tsv, valid.tsv and test.tsv."
        )
    rows = data.split(len(kinds), validation=share, seed=seed)
    inside = np.isin(group, rows.validation)
    return pairs.at(np.flatnonzero(~inside).tolist()), pairs.at(np.flatnonzero(inside).tolist())
