"""WNUT-17: entities that are new and rare, in posts of people (Derczynski, Nichols, van Erp, Limsopatham 2017)."""

from thalweg.datasets.catalog.texts import WNUT17
from thalweg.datasets.store import Folder
from thalweg.datasets.texts import Tagged, tagged

KINDS = WNUT17.classes


def load_data(data: Folder = None) -> tuple[Tagged, Tagged, Tagged]:
    """`(tokens, tags)` of the training, the validation and the test part: 3,394, 1,009 and 1,287 posts.

    Args:
        data: the folder that has the files; by default `THALWEG_DATA`, the cache, then the public mirror.

    Raises:
        DataError: the files are nowhere to be had, or damaged.
    """
    train, validation, test = (tagged(WNUT17, file.name, data) for file in WNUT17.files)
    return train, validation, test
