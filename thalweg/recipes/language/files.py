"""corpus: texts for language models: a person's own files, and parts cut from a whole in its order.

    FILE.txt        one text
    FOLDER/         its .txt files one after another, by name, sub-folders among them
    FOLDER/         parts set apart: `train...`, `test...`, perhaps `valid...` or `dev...`

Where no test part is set apart, the last tenth tests, and the part before it validates: what is judged comes after
what was learned, so that no sentence stands half in one and half in the other. A name may end in `.gz`.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import data
from thalweg.errors import DataError

TENTH = 0.1
ENDINGS = (".txt", ".txt.gz")

Parts = dict[str, Any]
"""Texts by part: "train", "validation", "test"."""


def text(path: Path) -> str:
    """The text in a file, or in all .txt files of a folder.

    Raises:
        DataError: it is missing, empty, in another encoding, or no text.
    """
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file() and p.name.lower().endswith(ENDINGS))
        if not found:
            raise DataError(f"{path} holds no .txt file.\n  Write the path of a .txt file, or of a folder of them.")
        return "\n".join(data.read_text(p) for p in found)
    if not path.is_file():
        raise DataError(f"{path} is no file.\n  Write the path of a .txt file, or of a folder of them.")
    if not path.name.lower().endswith((*ENDINGS, ".tokens")):
        raise DataError(f"{path} is no .txt file.\n  Save the text as UTF-8 in a file whose name ends in .txt.")
    return data.read_text(path)


def in_order(whole: Any, validation: float) -> Parts:
    """A text (or a list of tokens) as three parts in its order: the last tenth tests, a share of the rest validates.

    >>> in_order("abcdefghijklmnopqrst", 0.25)
    {'train': 'abcdefghijklmn', 'validation': 'opqr', 'test': 'st'}
    """
    last = len(whole) - int(len(whole) * TENTH)
    return before(whole[:last], validation) | {"test": whole[last:]}


def before(whole: Any, validation: float) -> Parts:
    """A text as two parts: its last share validates."""
    first = len(whole) - int(len(whole) * validation)
    return {"train": whole[:first], "validation": whole[first:]}


def shuffled(texts: list[str], share: float, names: tuple[str, str], seed: int) -> Parts:
    """Texts that know no order as two parts, `share` of them the second."""
    if len(texts) < 2:
        raise DataError(f"{len(texts)} texts cannot be parted.\n  Give more, a line each.")
    rows = data.split(len(texts), validation=share, seed=seed)
    return {name: [texts[i] for i in part] for name, part in zip(names, (rows.train, rows.validation), strict=True)}


@dataclasses.dataclass(frozen=True, eq=False)
class Everywhere:
    """A source of all windows of a text: row i begins at token i, and its target is the same moved on by one."""

    ids: np.ndarray
    context: int

    def __len__(self) -> int:
        return len(self.ids) - self.context

    def __getitem__(self, rows: np.ndarray, /) -> tuple[np.ndarray, np.ndarray]:
        taken = self.ids[np.asarray(rows)[:, None] + np.arange(self.context + 1)]  # [rows, context + 1]
        return taken[:, :-1], taken[:, 1:]
