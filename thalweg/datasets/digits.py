"""Digits: 1,797 scanned digits of 8 x 8 pixels, part of scikit-learn (Alpaydin, Kaynak 1998, UCI ML Repository).

The file is read where scikit-learn's package lies, without importing it, which would take a second.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from thalweg.data import split
from thalweg.datasets.catalog.pictures import DIGITS
from thalweg.datasets.idx import Images
from thalweg.errors import DataError

CLASSES = DIGITS.classes


def load_data() -> Images:
    """`(x_train, y_train), (x_test, y_test)`: uint8 [n, 8, 8] from 0 to 16, and uint8 [n] from 0 to 9.

    The 360 test rows are always the same, the same share of each class.

    Raises:
        DataError: scikit-learn is not installed whole.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, x_test.shape
    ((1437, 8, 8), (360, 8, 8))
    """
    table = np.loadtxt(_path(), delimiter=",", dtype=np.uint8)  # [rows, 64 pixels and the label]
    x, y = table[:, :-1].reshape(-1, *DIGITS.shape), table[:, -1]
    parts = split(len(y), test=DIGITS.test / len(y), labels=y)
    return (x[parts.train], y[parts.train]), (x[parts.test], y[parts.test])


def _path() -> Path:
    package = find_spec("sklearn")
    path = Path((package and package.origin) or "sklearn").parent / "datasets" / "data" / "digits.csv.gz"
    if not path.is_file():
        raise DataError("the digits are part of scikit-learn, which is not here.\n  Run: pip install scikit-learn")
    return path
