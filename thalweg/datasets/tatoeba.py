"""Tatoeba: 26,388 short sentences in English and Chinese (tatoeba.org, by way of manythings.org/anki; CC BY 2.0)."""

from thalweg.datasets.catalog.texts import TATOEBA
from thalweg.datasets.store import Folder
from thalweg.datasets.texts import lines


def load_data(data: Folder = None) -> tuple[list[str], list[str]]:
    """`english, chinese`: the sentences of each pair, shortest first; an English one comes with each translation.

    There is no published split. Split by English sentence, or the test part holds sentences of the training part.

    Args:
        data: the folder that has the file; by default `THALWEG_DATA`, then the cache.

    Raises:
        DataError: the file is nowhere to be had, or is damaged.
    """
    pairs = [line.split("\t")[:2] for line in lines(TATOEBA, "cmn.txt", data)]
    return [a for a, _ in pairs], [b for _, b in pairs]
