"""pairs: texts and their translations as people keep them, and a split that keeps every sentence in one part.

    FILE.tsv, FILE.txt    a pair a line: source TAB target
    FOLDER/               two files, such as news.en and news.de: line n of one translates line n of the other
    FOLDER/               parts set apart: `train...`, `test...`, perhaps `val...` or `dev...`, each as one of the above

Where parts are set apart and none is called test, the one called `dev` or `val` judges. A name may end in `.gz`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from thalweg import data
from thalweg.errors import DataError
from thalweg.recipes.textfiles import PARTS

TABLES = (".tsv", ".tab", ".txt")
SIGNS = PARTS | {"validation": ("val", "dev")}  # in the names of files, by part
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


def read(path: Path, languages: str | None) -> dict[str, Pairs]:
    """The parts that a file or folder holds, by name; where none are set apart, all of it is "train".

    Args:
        path: the file or folder.
        languages: the endings of two files that belong together, the source's first: "en-de".

    Raises:
        DataError: there is no such file, a line has no translation, or it is not known which files belong together.
    """
    if path.is_file():
        return {"train": _table(path)}
    if not path.is_dir():
        raise DataError(f"{path} is no file and no folder.\n  Write the path of a .tsv file, source TAB target.")
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    named = {part: [f for f in files if any(sign in f.name.lower() for sign in signs)] for part, signs in SIGNS.items()}
    if not (named["train"] and (named["test"] or named["validation"])):
        return {"train": _together(files, languages, path)}
    if not named["test"]:
        named = {"train": named["train"], "test": named["validation"]}
    return {part: _together(found, languages, path) for part, found in named.items() if found}


def _table(path: Path) -> Pairs:
    if _ending(path) not in TABLES:
        raise DataError(f"{path} is none of the kinds read here.\n  Write a .tsv file, source TAB target in each line.")
    return Pairs(*data.read_parallel(path))


def _together(files: Sequence[Path], languages: str | None, folder: Path) -> Pairs:
    """The pairs of one part: those of a table, or of two files with the languages' endings."""
    tables = [file for file in files if _ending(file) in TABLES]
    if len(tables) == 1:
        return _table(tables[0])
    endings = [f".{name}" for name in (languages or "").split("-")]
    two = [next((file for file in files if _ending(file) == ending), None) for ending in endings]
    if len(two) != 2 or None in two:
        names = ", ".join(file.name for file in files[:6]) or "nothing"
        wanted = f" Files that end in {' and '.join(endings)} were looked for." if languages else ""
        raise DataError(
            f"{folder}: which files belong together is not known; it holds {names}.{wanted}\n"
            "  Write --set languages=en-de for files that end in .en and .de, or give one .tsv file for each part."
        )
    return Pairs(*data.read_parallel(*filter(None, two)))


def _ending(path: Path) -> str:
    return next((suffix for suffix in reversed(path.suffixes) if suffix.lower() != ".gz"), "").lower()


def apart(pairs: Pairs, share: float, seed: int, path: Path | str) -> tuple[Pairs, Pairs]:
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
    rows, nodes = np.concatenate([places[0]] * 2), np.concatenate(places[1:])
    groups = connected_components(coo_array((np.ones(2 * n), (rows, nodes)), shape=(3 * n, 3 * n)))[1][:n]
    kinds, group = np.unique(groups, return_inverse=True)
    if len(kinds) < LEAST:
        raise DataError(
            f"{path} has {n} pairs in {len(kinds)} groups that share no sentence; a split needs {LEAST}.\n"
            "  Give more pairs, or set a test part apart: a folder with train.tsv, valid.tsv and test.tsv."
        )
    chosen = data.split(len(kinds), validation=share, seed=seed)
    inside = np.isin(group, chosen.validation)
    return pairs.at(np.flatnonzero(~inside).tolist()), pairs.at(np.flatnonzero(inside).tolist())
