"""Tiny Shakespeare: 1,115,394 characters of plays (Karpathy 2015, "The unreasonable effectiveness of RNNs")."""

from thalweg.datasets.catalog.texts import TINYSHAKESPEARE
from thalweg.datasets.store import Folder
from thalweg.datasets.texts import text


def load_data(data: Folder = None) -> tuple[str, str]:
    """`train, validation`: the first nine tenths of the text (1,003,854 characters) and the rest (111,540).

    The split is that of nanoGPT, whose published losses are on it.

    Args:
        data: the folder that has the file; by default `THALWEG_DATA`, the cache, then the public mirror.

    Raises:
        DataError: the file is nowhere to be had, or is damaged.
    """
    whole = text(TINYSHAKESPEARE, "input.txt", data)
    first = int(0.9 * len(whole))
    return whole[:first], whole[first:]
