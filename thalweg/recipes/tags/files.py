"""files: sentences as their words, each with a tag where a person has tagged them; and sentences out of a text.

    a CoNLL file   a word a line, columns set apart by tabs or spaces, the tag last (`B-PER`, `I-PER`, `O`), an empty
                   line after each sentence
    FOLDER/        parts set apart: `train...`, `test...`, perhaps `valid...` or `dev...`, each such a file

A text is cut at spaces, and signs are set apart from words: "U.S.", "Mr.", "3.5", "mid-July" and "@name" stay whole,
"Obama's" becomes "Obama" and "'s", each Chinese character stands alone.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from thalweg import data
from thalweg.data.text import is_chinese
from thalweg.errors import ContractError, DataError
from thalweg.metrics.entities import spans
from thalweg.recipes import paths, textfiles

KINDS = (".conll", ".iob", ".iob2", ".bio", ".bioes", ".annotated")
"""What is read as CoNLL where texts are read too."""

OUTSIDE = "O"
"""The tag of a word that is part of no entity."""

PIECE = re.compile(
    r"https?://\S+|[@#]\w+"
    r"|(?:[^\W\d_]\.){2,}"  # U.S.
    r"|(?:Mr|Mrs|Ms|Dr|St|Prof|Gen|Col|Lt|Capt|Sgt|Sen|Rep|Gov|Rev|Jr|Sr|Inc|Corp|Co|Ltd)\."
    r"|'(?:s|m|d|re|ve|ll)\b"
    r"|\w+(?:[-.,:/&@]\w+)*"
    r"|\S"
)


class Sentences(NamedTuple):
    """The words of each sentence, and as many tags where they are known."""

    words: list[list[str]]
    tags: list[list[str]]

    def at(self, rows: Sequence[int]) -> "Sentences":
        """Some of the sentences."""
        return Sentences([self.words[row] for row in rows], [self.tags[row] for row in rows])

    def distinct(self) -> "Sentences":
        """Each sentence where it stands first: one that is repeated would be tested on what it was trained on."""
        first: dict[tuple[str, ...], int] = {}
        for row, words in enumerate(self.words):
            first.setdefault(tuple(words), row)
        return self.at(list(first.values()))


def read(path: Path) -> Sentences:
    """The sentences of a CoNLL file.

    Raises:
        DataError: it is missing, empty, in another encoding, has one column, a tag of no scheme, or no entity at all.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file.\n  Write the path of a CoNLL file: a word and its tag on each line.")
    words, tags = data.read_conll(path)
    if not words:
        raise DataError(f"{path} holds no sentence.\n  Write a word and its tag on each line.")
    if words == tags:
        raise DataError(f"{path} has one column, so no tags.\n  Write a word and its tag on each line: London B-LOC.")
    for n, row in enumerate(tags):
        _check(path, n, row)
    if all(tag == OUTSIDE for row in tags for tag in row):
        raise DataError(f"{path} has the tag O only: no entity to learn.\n  Tag some, such as B-PER, I-PER.")
    return Sentences(words, tags)


def parts(path: Path) -> dict[str, Sentences]:
    """The sentences of a file as `{"train": ...}`, or of a folder's parts by their names."""
    if not path.is_dir():
        return {"train": read(path)}
    return {part: read(place) for part, place in set_apart(path).items()}


def set_apart(path: Path) -> dict[str, Path]:
    """The files of a folder by part.

    Raises:
        DataError: it has none that trains, or none that tests.
    """
    places = paths.parts(path, (*KINDS, ".txt", ".tsv"))
    if not places:
        raise DataError(f"{path} has no files named train... and test... .\n  Name them so, or write one file's path.")
    return places


def untagged(path: Path) -> list[list[str]]:
    """The words of each sentence of a CoNLL file, with or without tags, or of each text that `textfiles` reads."""
    if path.suffix.lower() in KINDS:
        words = data.read_conll(path)[0]
        if not words:
            raise DataError(f"{path} holds no sentence.\n  Write a word on each line.")
        return words
    return [cut(text) for text in textfiles.read(path).texts]


def cut(text: str) -> list[str]:
    """The words and signs of a text.

    >>> cut("Obama's U.S. visit cost $3.5 million.")
    ['Obama', "'s", 'U.S.', 'visit', 'cost', '$', '3.5', 'million', '.']
    >>> cut("王小明在北京。")
    ['王', '小', '明', '在', '北', '京', '。']
    """
    return PIECE.findall("".join(f" {c} " if is_chinese(c) else c for c in text))


def _check(path: Path, row: int, tags: list[str]) -> None:
    try:
        spans(tags)
    except ContractError as error:
        raise DataError(
            f"{path}: sentence {row + 1}: {str(error).splitlines()[0]}\n  The tag is the last column of each line."
        ) from error
