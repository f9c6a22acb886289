"""MNIST: 60,000 and 10,000 handwritten digits of 28 x 28 pixels (LeCun, Cortes, Burges 1998)."""

from thalweg.datasets import idx
from thalweg.datasets.catalog.pictures import MNIST
from thalweg.datasets.store import Folder

CLASSES = MNIST.classes


def load_data(data: Folder = None) -> idx.Images:
    """`(x_train, y_train), (x_test, y_test)`: uint8 [n, 28, 28] from 0 to 255, and uint8 [n] from 0 to 9.

    Args:
        data: the folder that has the files; by default `THALWEG_DATA`, the cache, then the public mirrors.

    Raises:
        DataError: a file is nowhere to be had, or is damaged.
    """
    return idx.load(MNIST, data)
