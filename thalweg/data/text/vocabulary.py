"""Vocabularies: from tokens to indices and back. What all tokenizers share.

    index 0  padding: no token
    index 1  unknown: a token that the training texts did not have, or had too seldom
    index 2  start, index 3  end: only where `ends=True` asks for them

An unknown token is never an error: at `predict` it becomes index 1. A special token has a name to be shown by, and no
text can write it: "<end>" in a text is a text.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from thalweg.errors import ConfigError, DataError
from thalweg.ranges import flag

PADDING, UNKNOWN, START, END = range(4)
SPECIAL = ("<pad>", "<unk>", "<start>", "<end>")
Ids = np.ndarray | list[np.ndarray]
"""The indices of a text, int32 [tokens], or of several texts."""


def special(ends: bool) -> tuple[str, ...]:
    """The names of the special tokens, in the order of their indices."""
    return SPECIAL if flag("ends", ends) else SPECIAL[:2]


def rows_of(texts: Any, kinds: type | tuple[type, ...] = str) -> list[Any]:
    """`texts` as a list of texts; one text alone is a list of one.

    Raises:
        DataError: a row is none of `kinds` (a missing value, a number, bytes).
    """
    if isinstance(texts, str):
        return [texts]
    if texts is None or isinstance(texts, bytes) or not hasattr(texts, "__iter__"):
        raise DataError(f"texts is {type(texts).__name__}; texts are a list of str.\n  Write [text, ...].")
    rows = list(texts)
    for n, row in enumerate(rows):
        if not isinstance(row, kinds):
            raise DataError(f"texts: row {n} holds {row!r}, which is no text.\n  Fill it or leave the row out.")
    return rows


def encoded(texts: Any, encode: Callable[[Any], np.ndarray], kinds: type | tuple[type, ...] = str) -> Ids:
    """`encode` of one text, or of each of several."""
    rows = rows_of(texts, kinds)
    return encode(rows[0]) if isinstance(texts, str) else [encode(row) for row in rows]


def decoded(ids: Any, decode: Callable[[np.ndarray], Any], size: int) -> Any:
    """`decode` of the indices of one text, or of each of several; padding, start, and what follows the end left out."""
    if isinstance(ids, list | tuple) and (not ids or np.ndim(ids[0]) > 0):
        return [decoded(row, decode, size) for row in ids]
    array = np.asarray(ids)
    if array.ndim > 1:
        return [decoded(row, decode, size) for row in array]
    if array.size and array.dtype.kind not in "iu":
        raise DataError(f"ids are {array.dtype}; tokens are looked up by integers.\n  Write ids.argmax(-1) for scores.")
    wrong = np.flatnonzero((array < 0) | (array >= size))
    if wrong.size:
        raise DataError(
            f"ids: place {wrong[0]} holds {array[wrong[0]]}; the vocabulary has 0 to {size - 1}.\n"
            "  Decode with the tokenizer that encoded, and give the network its `size` as units."
        )
    return decode(array)


def inner(ids: np.ndarray, ends: bool) -> np.ndarray:
    """`ids` without padding, and where texts have `ends` without the start, up to the first end."""
    if ends:
        stop = np.flatnonzero(ids == END)
        ids = ids[: stop[0]] if stop.size else ids
        ids = ids[ids != START]
    return ids[ids != PADDING]


def outer(ids: np.ndarray, ends: bool) -> np.ndarray:
    """`ids` as int32, between start and end where `ends`."""
    return np.concatenate([[START], ids, [END]], dtype=np.int32) if ends else np.asarray(ids, np.int32)


def counted(rows: Iterable[Iterable[str]]) -> Counter[str]:
    """How often each token stands in `rows`.

    Raises:
        DataError: there is none.
    """
    counts = Counter(token for row in rows for token in row)
    if not counts:
        raise DataError("the texts hold no token to learn from.\n  Look at how they were read.")
    return counts


def commonest(counts: Counter[str], size: int | None, least: int, ends: bool) -> list[str]:
    """The tokens seen at least `least` times, commonest first; with the special ones at most `size`.

    Raises:
        ConfigError: `size` leaves no room, or no token is left.
    """
    room = None if size is None else size - len(special(ends))
    if room is not None and room < 1:
        raise ConfigError(f"size={size} leaves no room beside {len(special(ends))} special tokens.\n  Write more.")
    ranked = sorted((t for t, n in counts.items() if n >= least and t not in SPECIAL), key=lambda t: (-counts[t], t))
    if not ranked:
        most = max(counts.values())
        raise ConfigError(f"least={least}: no token is seen so often (at most {most} times).\n  Write least={most}.")
    return ranked[:room]


@lru_cache(16)
def places(tokens: tuple[str, ...], first: int) -> dict[str, int]:
    """The index of each token, counted from `first`."""
    return {token: first + i for i, token in enumerate(tokens)}
