"""rt-polarity: 10,662 sentences of film reviews, half of them negative (Pang, Lee 2005, "Seeing stars")."""

from thalweg.datasets.catalog import RT_POLARITY
from thalweg.datasets.store import Folder, obtain
from thalweg.errors import DataError

CLASSES = RT_POLARITY.classes


def load_data(data: Folder = None) -> tuple[list[str], list[str]]:
    """`(texts, labels)`: 5,331 sentences labelled "negative", then as many "positive". No test part is published.

    Args:
        data: the folder that has the files; by default `THALWEG_DATA`, the cache, then the public mirrors.

    Raises:
        DataError: a file is nowhere to be had, or is damaged.
    """
    texts: list[str] = []
    labels: list[str] = []
    for name, published in zip(CLASSES, RT_POLARITY.files, strict=True):
        path = obtain(RT_POLARITY, published, data)
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path} is damaged: {error}.\n  Remove it (it is then fetched again).") from error
        found = [line.strip() for line in lines if line.strip()]
        texts, labels = texts + found, labels + [name] * len(found)
    return texts, labels
