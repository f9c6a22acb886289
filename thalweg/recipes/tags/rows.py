"""rows: sentences as arrays, each word as its index and as the letters that it is spelled with; and their tags.

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
from thalweg.metrics.entities import tag_names
from thalweg.model import Model
from thalweg.ops.crf import PADDING, viterbi

Row = TypeVar("Row", bound=list)
ROWS = 1024  # whose potentials are held at once
BUCKETS, EACH = 4, 500  # lengths that are compiled, at most; rows that are worth one more


def encode(
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
    x = words, spell(rows, records["letters"], width, words.shape[1])
    number = {tag: k for k, tag in enumerate(records["tags"].classes)}
    numbers = None if tags is None else [[number[tag] for tag in row] for row in pieces(tags, length)]
    y = None if numbers is None else pad(numbers, words.shape[1])
    count = min(BUCKETS, 1 + len(rows) // EACH)
    return bucketed(x, y, number=count, per_position=tags is not None, multiple=1)


def spell(rows: Sequence[list[str]], letters: Characters, width: int, time: int) -> np.ndarray:
    """The letters of each word, int32 [rows, time x width]; a word longer than `width` keeps its two ends.

    >>> spell([["ab", "c"], ["abcd"]], Characters("abcd"), 3, 2).tolist()
    [[0, 2, 3, 0, 0, 4], [2, 4, 5, 0, 0, 0]]
    """
    words = sorted({word for row in rows for word in row})
    place = {word: n for n, word in enumerate(words, start=1)}
    table = np.zeros((len(words) + 1, width), np.int32)
    for n, ids in enumerate(letters([_ends(word, width) or " " for word in words]), start=1):
        last = ids[-width:]
        table[n, width - len(last) :] = last
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


def rejoin(parts: Iterable[list[str]], rows: Iterable[list], length: int) -> list[list[str]]:
    """The `parts`, one for each of `pieces(rows, length)`, as long as the rows again.

    >>> rejoin([["a", "b"], ["c"], ["d"]], [[1, 2, 3], [4]], 2)
    [['a', 'b', 'c'], ['d']]
    """
    following = iter(parts)
    return [[tag for _ in range(0, len(row), length) for tag in next(following)] for row in rows]


def tags_of(model: Model, source: BucketSource, names: Sequence[str]) -> list[list[str]]:
    """The tags of each row of `source`: the best path of a network that ends in a CRF, else the likeliest of each word.

    Args:
        model: the tagger.
        source: see `encode`.
        names: of the tags, in the order of their numbers.
    """
    tags: list[list[str]] = [[] for _ in range(len(source))]
    for k in range(source.count):
        rows, (words, letters) = np.flatnonzero(source.bucket == k), source.part(k)[0]
        for first in range(0, len(rows), ROWS):
            part = slice(first, first + ROWS)
            output = np.asarray(model.predict((words[part], letters[part])))
            path = viterbi(output) if output.ndim == 4 else np.where(words[part] > 0, output.argmax(-1), PADDING)
            for row, row_tags in zip(rows[part], tag_names(np.asarray(path), names), strict=True):
                tags[row] = row_tags
    return tags
