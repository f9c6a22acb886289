"""spelling: sentences as arrays, each word as its index and as the letters that it is spelled with.

    words    int32 [rows, time]           the index of each word, 0 where a sentence has ended, 1 for an unknown word
    letters  int32 [rows, time x width]   the letters of each word, in its last places; 0 before them

A word that training has not seen, or too seldom, is unknown to `words`; `letters` still tells "Obamas" from "running".
A sentence longer than `length` is read in pieces of that length, and nothing is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from thalweg.data import Characters, bucketed, pad
from thalweg.data.buckets import BucketSource

Row = TypeVar("Row", bound=list)
BUCKETS, EACH = 4, 500  # lengths that are compiled, at most; rows that are worth one more


def source(
    sentences: Sequence[list[str]],
    tags: Sequence[list[str]] | None,
    records: Mapping[str, Any],
    *,
    width: int,
    length: int,
    time: int | None = None,
) -> BucketSource:
    """Sentences as `fit` and `predict` take them, in buckets of like length; a row is a piece of a sentence.

    Args:
        sentences: the words of each.
        tags: the tag of each word, each one of `records["tags"].classes`; None where they are not known.
        records: "tokenizer", "letters" and "tags".
        width: letters of a word.
        length: words of a piece.
        time: words of a row, padding included; those of the longest piece where None.
    """
    rows = pieces(sentences, length)
    words = pad(records["tokenizer"](rows), time)
    x = words, spelled(rows, records["letters"], width, words.shape[1])
    number = {tag: k for k, tag in enumerate(records["tags"].classes)}
    known = (
        None if tags is None else pad([[number[tag] for tag in row] for row in pieces(tags, length)], words.shape[1])
    )
    count = min(BUCKETS, 1 + len(rows) // EACH)
    return bucketed(x, known, number=count, per_position=tags is not None, multiple=1)


def spelled(rows: Sequence[list[str]], letters: Characters, width: int, time: int) -> np.ndarray:
    """The letters of each word, int32 [rows, time x width]; a word longer than `width` keeps its two ends.

    >>> spelled([["ab", "c"], ["abcd"]], Characters("abcd"), 3, 2).tolist()
    [[0, 2, 3, 0, 0, 4], [2, 4, 5, 0, 0, 0]]
    """
    words = sorted({word for row in rows for word in row})
    place = {word: n for n, word in enumerate(words, start=1)}
    table = np.zeros((len(words) + 1, width), np.int32)
    for n, ids in enumerate(letters([_ends(word, width) or " " for word in words]), start=1):
        kept = ids[-width:]
        table[n, width - len(kept) :] = kept
    numbers = pad([[place[word] for word in row] for row in rows], time)
    return table[numbers].reshape(len(rows), -1)


def _ends(word: str, width: int) -> str:
    return word if len(word) <= width else word[: width // 2] + word[len(word) - (width - width // 2) :]


def pieces(rows: Iterable[Row], length: int) -> list[Row]:
    """Each row in pieces of at most `length`.

    >>> pieces([[1, 2, 3], [4]], 2)
    [[1, 2], [3], [4]]
    """
    return [row[i : i + length] for row in rows for i in range(0, len(row), length)]  # type: ignore[misc]


def joined(parts: Iterable[list[str]], rows: Iterable[list], length: int) -> list[list[str]]:
    """The `parts`, one for each of `pieces(rows, length)`, as long as the rows again.

    >>> joined([["a", "b"], ["c"], ["d"]], [[1, 2, 3], [4]], 2)
    [['a', 'b', 'c'], ['d']]
    """
    following = iter(parts)
    return [[tag for _ in range(0, len(row), length) for tag in next(following)] for row in rows]
