"""The named data sets, with Keras's call: `(x_train, y_train), (x_test, y_test) = mnist.load_data()`.

Sets of texts give plain lists of str, labels and tokens in their published parts; each says which it has.
"""

from typing import Any

from thalweg.datasets import (
    airline_passengers,
    an4,
    btc_ner,
    cifar10,
    daily_min_temperatures,
    digits,
    ett,
    exchange_rate,
    fashion_mnist,
    fsdd,
    gmb_ner,
    imdb,
    mnist,
    multi30k,
    names,
    rt_polarity,
    sst2,
    sunspots,
    tatoeba,
    tinyshakespeare,
    wikitext2,
    wnut17,
)
from thalweg.datasets.catalog import CATALOG, Entry
from thalweg.datasets.store import Folder, cache, find
from thalweg.record import Record, resolve

LOADERS = {
    "airline_passengers": lambda: airline_passengers.load_data,
    "an4": lambda: an4.load_data,
    "btc_ner": lambda: btc_ner.load_data,
    "cifar10": lambda: cifar10.load_data,
    "daily_min_temperatures": lambda: daily_min_temperatures.load_data,
    "digits": lambda: lambda _: digits.load_data(),
    "ett": lambda: ett.load_data,
    "exchange_rate": lambda: exchange_rate.load_data,
    "fashion_mnist": lambda: fashion_mnist.load_data,
    "fsdd": lambda: fsdd.load_data,
    "gmb_ner": lambda: gmb_ner.load_data,
    "imdb": lambda: imdb.load_texts,
    "mnist": lambda: mnist.load_data,
    "multi30k": lambda: lambda data: multi30k.load_data(data=data),
    "names": lambda: names.load_data,
    "rt_polarity": lambda: rt_polarity.load_data,
    "sst2": lambda: sst2.load_data,
    "sunspots": lambda: sunspots.load_data,
    "tatoeba": lambda: tatoeba.load_data,
    "tinyshakespeare": lambda: tinyshakespeare.load_data,
    "wikitext2": lambda: wikitext2.load_data,
    "wnut17": lambda: wnut17.load_data,
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

    >>> [line.entry.name for line in table() if line.entry.task == "image classes"]
    ['cifar10', 'digits', 'fashion_mnist', 'mnist']
    """
    return tuple(_listing(CATALOG[name], data) for name in sorted(CATALOG))


def _listing(entry: Entry, data: Folder) -> Listing:
    if not entry.files:
        return Listing(entry, 0, "scikit-learn")
    paths = [path for file in entry.files if (path := find(entry, file.name, data))]
    return Listing(entry, len(paths), str(paths[0].parent) if paths else None)


def load(name: str, data: Folder = None) -> Any:
    """What `load_data` of the data set of that name gives; of pictures `(x_train, y_train), (x_test, y_test)`.

    Args:
        name: one of `CATALOG`, such as "mnist", "fashion_mnist" (or "fashion-mnist"), "imdb".
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
    "btc_ner",
    "cache",
    "cifar10",
    "daily_min_temperatures",
    "digits",
    "ett",
    "exchange_rate",
    "fashion_mnist",
    "fsdd",
    "gmb_ner",
    "imdb",
    "load",
    "mnist",
    "multi30k",
    "names",
    "rt_polarity",
    "sst2",
    "sunspots",
    "table",
    "tatoeba",
    "tinyshakespeare",
    "wikitext2",
    "wnut17",
]
