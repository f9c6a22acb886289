"""First names: 32,033 names of small children in the United States in 2018 (Karpathy 2022, makemore)."""

from thalweg.datasets.catalog.texts import NAMES
from thalweg.datasets.store import Folder
from thalweg.datasets.texts import lines


def load_data(data: Folder = None) -> list[str]:
    """The names in small letters, commonest first. There is no published split: shuffle before splitting.

    Args:
        data: the folder that has the file; by default `THALWEG_DATA`, the cache, then the public mirror.

    Raises:
        DataError: the file is nowhere to be had, or is damaged.
    """
    return lines(NAMES, "names.txt", data)
