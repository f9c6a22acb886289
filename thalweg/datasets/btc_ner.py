"""Broad Twitter Corpus: 9,340 posts with people, places and organisations (Derczynski, Bontcheva, Roberts 2016)."""

from thalweg.datasets.catalog.texts import BTC_NER
from thalweg.datasets.store import Folder
from thalweg.datasets.texts import Tagged, tagged

KINDS = BTC_NER.classes


def load_data(data: Folder = None) -> tuple[Tagged, Tagged, Tagged]:
    """`(tokens, tags)` of the training, the validation and the test part, as the authors recommend.

    Section F tests (2,001 posts), the second half of section H validates (1,000), all else trains (6,339).

    Args:
        data: the folder that has the files; by default `THALWEG_DATA`, the cache, then the public mirror.

    Raises:
        DataError: the files are nowhere to be had, or damaged.
    """
    *others, test, g, h = (tagged(BTC_NER, file.name, data) for file in BTC_NER.files)
    half = len(h[0]) - len(h[0]) // 2
    first, second = (h[0][:half], h[1][:half]), (h[0][half:], h[1][half:])
    parts = (*others, g, first)
    train = ([s for tokens, _ in parts for s in tokens], [s for _, tags in parts for s in tags])
    return train, second, test
