"""The named data sets, with Keras's call: `(x_train, y_train), (x_test, y_test) = mnist.load_data()`."""

from typing import Any

from thalweg.datasets import (
    airline_passengers,
    an4,
    cifar10,
    daily_min_temperatures,
    digits,
    ett,
    exchange_rate,
    fashion_mnist,
    fsdd,
    mnist,
    sunspots,
)
from thalweg.datasets.catalog import CATALOG, Entry
from thalweg.datasets.store import Folder, cache, find
from thalweg.record import Record, resolve

LOADERS = {
    "airline_passengers": lambda: airline_passengers.load_data,
    "an4": lambda: an4.load_data,
    "cifar10": lambda: cifar10.load_data,
    "daily_min_temperatures": lambda: daily_min_temperatures.load_data,
    "digits": lambda: lambda _: digits.load_data(),
    "ett": lambda: ett.load_data,
    "exchange_rate": lambda: exchange_rate.load_data,
    "fashion_mnist": lambda: fashion_mnist.load_data,
    "fsdd": lambda: fsdd.load_data,
    "mnist": lambda: mnist.load_data,
    "sunspots": lambda: sunspots.load_data,
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

    >>> names = [line.entry.name for line in table()]
    >>> "mnist" in names, names == sorted(names)
    (True, True)
    """
    return tuple(_listing(CATALOG[name], data) for name in sorted(CATALOG))


def _listing(entry: Entry, data: Folder) -> Listing:
    if not entry.files:
        return Listing(entry, 0, "scikit-learn")
    paths = [path for file in entry.files if (path := find(entry, file.name, data))]
    return Listing(entry, len(paths), str(paths[0].parent) if paths else None)


def load(name: str, data: Folder = None) -> Any:
    """`(x_train, y_train), (x_test, y_test)` of the data set of that name; a `Series` where it is one.

    Args:
        name: "mnist", "fashion_mnist" (or "fashion-mnist"): one of `CATALOG`.
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
    "airline_passengers",
    "an4",
    "cache",
    "cifar10",
    "daily_min_temperatures",
    "digits",
    "ett",
    "exchange_rate",
    "fashion_mnist",
    "fsdd",
    "load",
    "mnist",
    "sunspots",
    "table",
]
