"""rt-polarity: 10,662 sentences of film reviews, good or bad (Pang, Lee 2005, "Seeing stars")."""

from thalweg.datasets.catalog.texts import RT_POLARITY
from thalweg.datasets.store import Folder
from thalweg.datasets.texts import lines

CLASSES = RT_POLARITY.classes


def load_data(data: Folder = None) -> tuple[list[str], list[int]]:
    """`x, y`: 5,331 bad sentences (0), then 5,331 good ones (1), cut into words.

    There is no published split: accuracies are the mean over ten folds, `data.kfold(x, 10, labels=y)`.

    Args:
        data: the folder that has the files; by default `THALWEG_DATA`, the cache, then the public mirror.

    Raises:
        DataError: the files are nowhere to be had, or damaged.
    """
    bad, good = (lines(RT_POLARITY, f"rt-polarity.{kind}", data) for kind in ("neg", "pos"))
    return [text.strip() for text in bad + good], [0] * len(bad) + [1] * len(good)
