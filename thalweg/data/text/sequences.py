"""Sequences of unequal length as one array: filled up with padding, cut where that is asked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.data.arrays import aligned
from thalweg.data.text.vocabulary import PADDING
from thalweg.errors import ConfigError, ContractError, DataError
from thalweg.types import Dtype

SIDES = ("left", "right")
ENDS = ("pre", "post")  # Keras's words for them


def pad(
    ids: Sequence[Any], length: int | None = None, *, side: str = "right", truncate: str | None = None
) -> np.ndarray:
    """Rows of indices as one array, int32 [rows, length], filled up with 0.

    Args:
        ids: the indices of each text, as a tokenizer gives them.
        length: of a row; by default that of the longest.
        side: "right" puts the padding after the tokens, "left" before them.
        truncate: which end of a sequence that is too long is cut off: "right" keeps its beginning, "left" its end. By
            default such a sequence is an error, so that nothing is lost unsaid.

    Raises:
        ContractError: a sequence is longer than `length` and `truncate` is not given.
        DataError: there is no sequence, or one holds something else than integers.

    >>> pad([[5, 6, 7], [8]], 4)
    array([[5, 6, 7, 0],
           [8, 0, 0, 0]], dtype=int32)
    >>> pad([[5, 6, 7], [8]], 2, side="left", truncate="right")
    array([[5, 6],
           [0, 8]], dtype=int32)
    """
    _check(side, SIDES, "side")
    if truncate is not None:
        _check(truncate, SIDES, "truncate")
    rows = [_integers(row, n) for n, row in enumerate(ids)]
    if not rows:
        raise DataError("ids holds no sequence.\n  Look at how the texts were read.")
    longest = max(len(row) for row in rows)
    width = longest if length is None else length
    if width < longest and truncate is None:
        n = next(n for n, row in enumerate(rows) if len(row) > width)
        raise ContractError(
            f"ids: sequence {n} has {len(rows[n])} tokens; length={width} holds fewer, and {truncate=}.\n"
            f"  Write truncate='right' to cut off the end, or length={longest}."
        )
    return _filled(rows, width, np.int32, side == "right", truncate != "left", PADDING)


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Dtype = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float = 0.0,
) -> np.ndarray:
    """Keras's `pad_sequences`: rows of unequal length as one array, [rows, maxlen, ...].

    It pads and cuts at the beginning by default, as Keras does; `pad` does so at the end, and cuts only when told to.

    Args:
        sequences: the rows: lists of numbers, or of arrays of one shape.
        maxlen: the length of a row; by default that of the longest.
        dtype: of the array.
        padding: "pre" fills up before the sequence, "post" after it.
        truncating: "pre" cuts off the beginning of a sequence that is too long, "post" its end.
        value: what fills up.

    Raises:
        ConfigError: `padding` or `truncating` is something else.
        DataError: a sequence is none, or its steps have another shape than those of the others.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    _check(padding, ENDS, "padding")
    _check(truncating, ENDS, "truncating")
    for n, row in enumerate(sequences):
        if not hasattr(row, "__len__"):
            raise DataError(f"sequences: row {n} is {row!r}, which has no length.\n  Write a list of lists.")
    rows = [np.asarray(row, dtype) for row in sequences]
    longest = max((len(row) for row in rows), default=0)
    width = longest if maxlen is None else maxlen
    return _filled(rows, width, dtype, padding == "post", truncating == "post", value)


def covering(ids: Sequence[Any], share: float = 0.95) -> int:
    """The length that holds at least that share of the sequences whole: what to cut at when a few are very long.

    >>> covering([[1]] * 90 + [[1, 2]] * 9 + [[1] * 500], 0.95)
    2
    """
    if not 0 < share <= 1 or not len(ids):
        raise ConfigError(f"share={share} of {len(ids)} sequences.\n  Write a share such as 0.95, of some sequences.")
    lengths = np.sort([len(row) for row in ids])
    return int(lengths[max(0, int(np.ceil(share * len(lengths))) - 1)])


def _check(value: str, known: tuple[str, ...], name: str) -> None:
    if value not in known:
        raise ConfigError(f"{name}={value!r} is unknown.\n  Write {name}={known[0]!r} or {name}={known[1]!r}.")


def _integers(row: Any, n: int) -> np.ndarray:
    array = np.asarray(row)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise DataError(
            f"ids: sequence {n} is {array.dtype} of shape {array.shape}; integers [tokens] were expected.\n"
            "  Write pad(tokenizer(texts)); pad_sequences pads sequences of other numbers."
        )
    return array


def _filled(rows: list[np.ndarray], width: int, dtype: Dtype, right: bool, begin: bool, value: float) -> np.ndarray:
    inner = next((row.shape[1:] for row in rows if len(row)), ())
    out = aligned((len(rows), width, *inner), dtype)
    out[...] = value
    for n, row in enumerate(rows):
        if len(row) and row.shape[1:] != inner:
            raise DataError(
                f"sequences: the steps of row {n} have shape {row.shape[1:]}, those before {inner}.\n"
                "  Give every step of every row as many numbers."
            )
        kept = row[:width] if begin else row[max(0, len(row) - width) :]
        if len(kept):
            out[n, slice(0, len(kept)) if right else slice(width - len(kept), width)] = kept
    return out
