"""GMB: 47,959 sentences of news whose entities were tagged by machine (Bos et al. 2017, Groningen Meaning Bank)."""

from thalweg.datasets.catalog.texts import GMB_NER
from thalweg.datasets.store import Folder
from thalweg.datasets.texts import Tagged, tagged

KINDS = GMB_NER.classes


def load_data(data: Folder = None) -> Tagged:
    """`tokens, tags`: for each sentence its words, and their tags (`B-geo`, `I-geo`, ..., `O`).

    There is no published split. The same sentence stands there more than once: split what is distinct.

    Args:
        data: the folder that has the file; by default `THALWEG_DATA`, then the cache.

    Raises:
        DataError: the file is nowhere to be had, or is damaged.
    """
    return tagged(GMB_NER, "gmb.conll", data)
