"""The named data sets, with Keras's call: `(x_train, y_train), (x_test, y_test) = mnist.load_data()`."""

from typing import Any

from thalweg.datasets import cifar10, digits, fashion_mnist, mnist
from thalweg.datasets.catalog import CATALOG, Entry
from thalweg.datasets.store import Folder, cache, find
from thalweg.record import Record, resolve

LOADERS = {
    "cifar10": lambda: cifar10.load_data,
    "digits": lambda: lambda _: digits.load_data(),
    "fashion_mnist": lambda: fashion_mnist.load_data,
    "mnist": lambda: mnist.load_data,
}


class Listing(Record):
    """A line of `table()`: a data set, and how many of its files are on this machine, in which folder."""

    entry: Entry
    found: int
    where: str | None

    @property
    def complete(self) -> bool:
        """Whether nothing needs to be downloaded."""
        return self.found == len(self.entry.files)


def table(data: Folder = None) -> tuple[Listing, ...]:
    """Every named data set, by name, and whether it is here. Nothing is downloaded.

    >>> [line.entry.name for line in table()]
    ['cifar10', 'digits', 'fashion_mnist', 'mnist']
    """
    return tuple(_listing(CATALOG[name], data) for name in sorted(CATALOG))


def _listing(entry: Entry, data: Folder) -> Listing:
    if not entry.files:
        return Listing(entry, 0, "scikit-learn")
    paths = [path for file in entry.files if (path := find(entry, file.name, data))]
    return Listing(entry, len(paths), str(paths[0].parent) if paths else None)


def load(name: str, data: Folder = None) -> Any:
    """`(x_train, y_train), (x_test, y_test)` of the data set of that name.

    Args:
        name: "mnist", "fashion_mnist" (or "fashion-mnist"), "cifar10", "digits".
        data: the folder that has the files; by default `THALWEG_DATA`, the cache, then the public mirrors.

    Raises:
        ConfigError: no data set has that name.
        DataError: its files are nowhere to be had, or damaged.
    """
    return resolve(name.replace("-", "_"), LOADERS, "data set")(data)


__all__ = [
    "CATALOG",
    "Entry",
    "Listing",
    "cache",
    "cifar10",
    "digits",
    "fashion_mnist",
    "load",
    "mnist",
    "table",
]
