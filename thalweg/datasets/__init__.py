"""The named data sets, with Keras's call: `(x_train, y_train), (x_test, y_test) = mnist.load_data()`.

Sets of texts give plain lists of str, labels and tokens in their published parts; each says which it has. Every set in
`CATALOG` is a module of this package, imported when it is first used.
"""

import importlib
from types import ModuleType
from typing import Any

from thalweg.datasets.catalog import CATALOG
from thalweg.datasets.entry import Entry
from thalweg.datasets.store import Folder, cache, find
from thalweg.errors import ConfigError, nearest
from thalweg.record import Record


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
    name = name.replace("-", "_")
    if name.lower() not in CATALOG:
        raise ConfigError(f"unknown data set {name!r}.\n  {nearest(name, CATALOG)}")
    entry = CATALOG[name.lower()]
    module, _, function = entry.place.partition(":")
    read = getattr(importlib.import_module(module), function)
    return read(data) if entry.files else read()  # what comes with a package is in no folder of data


def __getattr__(name: str) -> ModuleType:
    if name not in CATALOG:
        raise AttributeError(f"thalweg.datasets has no {name!r}.\n  {nearest(name, __all__)}")
    return importlib.import_module(CATALOG[name].place.partition(":")[0])


def __dir__() -> list[str]:
    return sorted({*globals(), *CATALOG})


__all__ = ["CATALOG", "Entry", "Listing", "cache", "load", "table"]
__all__ += list(CATALOG)  # pyright: ignore[reportUnsupportedDunderAll]  __getattr__ has them
