"""The order of an epoch: a function of (seed, epoch) alone, so that a run resumed in the middle goes on as it was.

The words come from Philox4x64 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") with (seed, number)
as its key and the purpose in its counter: nothing is shared and nothing advances. Raw words, not a generator's
`permutation`, because NumPy promises the words for ever and the permutation only within a version.
"""

import zlib

import numpy as np

from thalweg.errors import ConfigError
from thalweg.ranges import flag

PADDING = -1  # the row number that stands for no row, in the last ragged batch
WORD = 2**64


def permutation(n: int, seed: int, purpose: str, number: int = 0, first: int | None = None) -> np.ndarray:
    """The rows 0 to n - 1 in an order that depends on the arguments alone, or the `first` of them.

    Each row gets a random word with the row's number in its low bits; sorted, the low bits are the order. Of which only
    some are asked for, only those are sorted.

    >>> permutation(5, seed=0, purpose="doc").tolist(), permutation(5, seed=0, purpose="doc", first=2).tolist()
    ([3, 1, 4, 0, 2], [3, 1])
    """
    width = np.uint64(max(1, int(n).bit_length()))
    counter = np.array([0, 0, 0, zlib.crc32(purpose.encode())], np.uint64)
    key = np.array([seed % WORD, number % WORD], np.uint64)
    words = np.random.Philox(counter=counter, key=key).random_raw(n)
    words <<= width
    words |= np.arange(n, dtype=np.uint64)
    if first is not None and 0 < first < n:
        words = np.partition(words, first - 1)
    ranked = np.sort(words[:first])
    return (ranked & ((np.uint64(1) << width) - np.uint64(1))).astype(np.int64)


def order(
    rows: int | np.ndarray,
    batch_size: int,
    *,
    seed: int = 0,
    epoch: int = 0,
    shuffle: bool = True,
    steps: int | None = None,
) -> np.ndarray:
    """Which rows make up each batch of an epoch: int32 [steps, batch_size], the last batch filled up with -1.

    Args:
        rows: how many rows there are, or the numbers of those to use (the training part of a split).
        batch_size: rows a step.
        seed: the run's seed.
        epoch: the epoch's number, from 0.
        shuffle: False keeps the order given.
        steps: how many batches at most; all unless said.

    Raises:
        ConfigError: no rows, a batch size below 1, or a `shuffle` that is neither True nor False.

    >>> order(5, 2, shuffle=False)
    array([[ 0,  1],
           [ 2,  3],
           [ 4, -1]], dtype=int32)
    """
    chosen = np.arange(rows) if isinstance(rows, int) else np.asarray(rows)
    if batch_size < 1 or not len(chosen):
        raise ConfigError(
            f"batch_size={batch_size} over {len(chosen)} rows; both must be at least 1.\n"
            "  Write, for example, batch_size=32, and give some rows."
        )
    first = None if steps is None else steps * batch_size
    shuffle = flag("shuffle", shuffle)
    chosen = chosen[permutation(len(chosen), seed, "epoch", epoch, first)] if shuffle else chosen[:first]
    out = np.full(-(-len(chosen) // batch_size) * batch_size, PADDING, np.int32)
    out[: len(chosen)] = chosen
    return out.reshape(-1, batch_size)
