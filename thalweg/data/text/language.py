"""A long text as rows for a language model: each row is `context` tokens, its target the same moved on by one.

x = ids[i : i + context],  y = ids[i + 1 : i + context + 1]
"""

from typing import Any

import numpy as np

from thalweg.data.arrays import aligned
from thalweg.data.epochs import permutation
from thalweg.errors import ConfigError, DataError

Pair = tuple[np.ndarray, np.ndarray]


def windows(ids: Any, context: int, *, stride: int | None = None, count: int | None = None, seed: int = 0) -> Pair:
    """Windows over a text, `(x, y)`, both int32 [windows, context].

    Args:
        ids: the text's indices, [tokens].
        context: tokens a window.
        stride: from the start of a window to that of the next; by default `context`: each token is a target once.
        count: take so many windows at random places instead, all different as long as there are enough.
        seed: the random places are a function of it.

    A rest shorter than a window is left out.

    Raises:
        DataError: the text has no window, or is no list of integers.
        ConfigError: both `stride` and `count` are given, or one is below 1.

    >>> x, y = windows([1, 2, 3, 4, 5, 6], 2)
    >>> x.tolist(), y.tolist()
    ([[1, 2], [3, 4]], [[2, 3], [4, 5]])
    """
    array = _text(ids)
    places = len(array) - context
    if stride is not None and count is not None:
        raise ConfigError(f"stride={stride} and count={count} were both given.\n  Give one of them.")
    step = context if stride is None else stride
    if min(context, step, 1 if count is None else count) < 1:
        raise ConfigError(f"{context=}, {stride=}, {count=}: none may be below 1.\n  Write, for example, context=64.")
    if places < 1:
        raise DataError(f"the text has {len(array)} tokens; context={context} needs {context + 1}.\n  Write fewer.")
    starts = np.arange(0, places, step) if count is None else _drawn(places, count, seed)
    return _rows(array, starts, context), _rows(array, starts + 1, context)


def packed(ids: Any, batch: int, context: int) -> Pair:
    """A text as `batch` streams side by side, for training whose state goes on from batch to batch.

    The text is cut into `batch` pieces of equal length. Batch k holds the k-th `context` tokens of each piece, so row b
    of a batch goes on where row b of the one before ended: truncated backpropagation through time with a stateful
    layer.
    Fit with `batch_size=batch, shuffle=False`.

        x[k batch + b] = piece_b[k context : (k + 1) context]

    Args:
        ids: the text's indices, [tokens].
        batch: rows a batch.
        context: tokens a row.

    Returns:
        `(x, y)`, both int32 [batches * batch, context], in the order of training. What does not fill the last batch is
        left out: fewer than batch * (context + 1) tokens.

    Raises:
        DataError: the text is too short for one batch.

    >>> x, y = packed(range(11), batch=2, context=2)
    >>> x.tolist(), y.tolist()
    ([[0, 1], [5, 6], [2, 3], [7, 8]], [[1, 2], [6, 7], [3, 4], [8, 9]])

    Source:
        Mikolov et al. 2010, "Recurrent neural network based language model"; the layout of PyTorch's example.
    """
    array = _text(ids)
    if min(batch, context) < 1:
        raise ConfigError(f"batch={batch}, context={context}: neither may be below 1.\n  Write batch=20, context=35.")
    length = len(array) // batch
    steps = (length - 1) // context
    if steps < 1:
        raise DataError(
            f"the text has {len(array)} tokens; {batch} streams of {context + 1} need {batch * (context + 1)}.\n"
            "  Write a smaller batch or a shorter context."
        )
    starts = (np.arange(batch) * length)[None] + (np.arange(steps) * context)[:, None]  # [steps, batch]
    return _rows(array, starts.reshape(-1), context), _rows(array, starts.reshape(-1) + 1, context)


def _text(ids: Any) -> np.ndarray:
    array = np.asarray(ids)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise DataError(
            f"ids are {array.dtype} of shape {array.shape}; one text's indices [tokens] were expected.\n"
            "  Write tokenizer(text), or np.concatenate(tokenizer(texts)) for several texts in a row."
        )
    return array.astype(np.int32, copy=False)


def _drawn(places: int, count: int, seed: int) -> np.ndarray:
    rounds = -(-count // places)
    return np.concatenate([permutation(places, seed, "windows", n) for n in range(rounds)])[:count]


def _rows(ids: np.ndarray, starts: np.ndarray, context: int) -> np.ndarray:
    out = aligned((len(starts), context), np.int32)
    np.take(np.lib.stride_tricks.sliding_window_view(ids, context), starts, axis=0, out=out, mode="clip")
    return out
