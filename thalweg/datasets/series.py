"""What the named series share: a file that is found or fetched, and the parts in which results are stated.

Each has `load_data()`, the whole `Series`, and `parts(history, horizon)`, its windows cut where the literature cuts it.
"""

import numpy as np

from thalweg.data import Series, SeriesSplit, read_series, read_text, split_series
from thalweg.data.decoding import lines_of
from thalweg.datasets.entry import Entry
from thalweg.datasets.store import Folder, obtain
from thalweg.errors import DataError


def load(entry: Entry, data: Folder = None, *, file: int = 0, regular: bool = True) -> Series:
    """The series in one of the files of `entry`: a CSV with a column of times, or numbers alone packed by gzip.

    Raises:
        DataError: the file is nowhere to be had, or damaged.
    """
    path = obtain(entry, entry.files[file], data)
    if ".csv" in path.name:
        return read_series(path, regular=regular)
    try:
        return Series.of(np.loadtxt(lines_of(read_text(path)), delimiter=",", ndmin=2))
    except DataError:
        raise
    except ValueError as error:
        raise DataError(
            f"{path} is damaged: {error}.\n  Remove it (it is then fetched again), or copy it anew."
        ) from error


def cut(series: Series, entry: Entry, validation: int, history: int, horizon: int, options: dict) -> SeriesSplit:
    """The windows of `series` in the parts of `entry`; the last `validation` rows of the training part validate."""
    counts = {"train": entry.train - validation, "validation": validation, "test": entry.test}
    return split_series(series, history, horizon, **{**counts, **options})
