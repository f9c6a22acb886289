"""SST-2: phrases of film reviews, good or bad (Socher et al. 2013, in the form of GLUE, Wang et al. 2018)."""

from thalweg.datasets.catalog.texts import SST2
from thalweg.datasets.store import Folder
from thalweg.datasets.texts import cells, codes

CLASSES = SST2.classes
Texts = tuple[list[str], list[int]]


def load_data(data: Folder = None) -> tuple[Texts, Texts]:
    """`(x_train, y_train), (x_test, y_test)`: 67,349 phrases and 872 sentences, cut into words; 0 is bad, 1 good.

    The second part is GLUE's development set: the labels of its test set were never published.

    Args:
        data: the folder that has the files; by default `THALWEG_DATA`, then the cache.

    Raises:
        DataError: the files are nowhere to be had, or damaged.
    """
    return _part("train.tsv", data), _part("dev.tsv", data)


def _part(name: str, data: Folder) -> Texts:
    texts, labels = cells(SST2, name, ("sentence", "label"), data)
    return [text.strip() for text in texts], codes(SST2, name, labels)
