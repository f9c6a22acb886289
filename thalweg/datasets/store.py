"""Where the files of a data set are: the folder you name, `THALWEG_DATA`, the cache, and only then a mirror.

    $THALWEG_DATA/mnist/train-images-idx3-ubyte.gz
    $THALWEG_DATA/fashion-mnist/train-images-idx3-ubyte.gz
    $THALWEG_DATA/cifar10/cifar-10-batches-bin/data_batch_1.bin

The cache is `$THALWEG_CACHE/datasets`, by default `~/.cache/thalweg/datasets`, and is laid out the same way.
"""

import os
from pathlib import Path

from thalweg.datasets.download import download
from thalweg.datasets.entry import Entry, Published
from thalweg.errors import DataError

Folder = str | os.PathLike[str] | None


def cache() -> Path:
    """Where downloads are kept."""
    root = os.environ.get("THALWEG_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "thalweg"
    return Path(root).expanduser() / "datasets"


def folders(entry: Entry, data: Folder = None) -> list[Path]:
    """Where the files of `entry` may be, in the order of looking; a folder named by `data` is the only one."""
    if data is not None:
        root = Path(data).expanduser()
        return list(dict.fromkeys((root / entry.folder, root / Path(entry.folder).name, root)))
    named = os.environ.get("THALWEG_DATA")
    return [Path(root).expanduser() / entry.folder for root in (named, cache()) if root]


def find(entry: Entry, name: str, data: Folder = None) -> Path | None:
    """The file `name` of `entry` if it is on this machine; a `.gz` file may lie there unpacked."""
    names = (name, name.removesuffix(".gz"))
    return next((f / n for f in folders(entry, data) for n in names if (f / n).is_file()), None)


def obtain(entry: Entry, published: Published, data: Folder = None) -> Path:
    """The file, found on this machine or else fetched.

    Raises:
        DataError: it is nowhere to be had.
    """
    return find(entry, published.name, data) or fetch(entry, published, data)


def fetch(entry: Entry, published: Published, data: Folder = None) -> Path:
    """The file, downloaded into the cache. Where `data` names a folder, nothing is downloaded.

    Raises:
        DataError: no mirror has it; the message says what was tried, and what to do without a network.
    """
    path = cache() / entry.folder / published.name
    failed = download(published, entry.mirrors, path.parent) if data is None else []
    if data is None and path.is_file():
        return path
    tried = "".join(f"\n    {line}" for line in (*(f"looked in {folder}" for folder in folders(entry, data)), *failed))
    raise DataError(
        f"{entry.title}: {published.name} is not on this machine and was not downloaded.{tried}\n  Without a network, "
        f"copy {', '.join(f.name for f in entry.files)} into DATA/{entry.folder}/ and set THALWEG_DATA=DATA."
    )
