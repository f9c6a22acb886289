"""CIFAR-10: 50,000 and 10,000 colour pictures of 32 x 32 pixels (Krizhevsky 2009), in the binary version.

A record is one label byte and 3,072 pixel bytes: 1,024 red, 1,024 green, 1,024 blue, each row by row.
"""

import gzip
import shutil
import tarfile
import tempfile
import warnings
import zlib
from pathlib import Path

import numpy as np

from thalweg.data import aligned
from thalweg.datasets.catalog.pictures import CIFAR10
from thalweg.datasets.entry import Entry
from thalweg.datasets.idx import Images
from thalweg.datasets.store import Folder, fetch, find
from thalweg.errors import DataError, FormatError
from thalweg.files import opened, reason, unpacked
from thalweg.limits import within

CLASSES = CIFAR10.classes
RECORD = 1 + 3 * 32 * 32


def load_data(data: Folder = None) -> Images:
    """`(x_train, y_train), (x_test, y_test)`: uint8 [n, 32, 32, 3] from 0 to 255, and uint8 [n, 1] from 0 to 9.

    A folder with only some of the five training batches gives those, with a warning that counts them.

    Args:
        data: the folder that has the files; by default `THALWEG_DATA`, the cache, then the public mirror.

    Raises:
        DataError: the files are nowhere to be had, or damaged.
    """
    return load(CIFAR10, data)


def load(entry: Entry, data: Folder = None) -> Images:
    """`load_data` of a set in this format."""
    *train, test = _batches(entry, data)
    whole = len(entry.files) - 1
    if len(train) < whole:
        warnings.warn(
            f"{entry.title}: {len(train)} of {whole} training batches are in {test.parent}, "
            f"{entry.train // whole * len(train):,} of {entry.train:,} pictures.",
            UserWarning,
            stacklevel=3,
        )
    return read_batches(train), read_batches([test])


def _batches(entry: Entry, data: Folder) -> list[Path]:
    batches = _present(entry, data)
    if batches:
        return batches
    assert entry.archive is not None
    archive = fetch(entry, entry.archive, data)
    extract(archive, {Path(entry.folder).name + "/" + file.name: file.size for file in entry.files}, archive.parent)
    archive.unlink()
    return _present(entry, data)


def _present(entry: Entry, data: Folder) -> list[Path]:
    # the training batches there are, then the test batch; empty where either kind is missing
    *train, test = (find(entry, file.name, data) for file in entry.files)
    present = [path for path in train if path is not None]
    return [*present, test] if present and test is not None else []


def extract(archive: Path, members: dict[str, int], folder: Path) -> None:
    """Write the `members` of a `.tar.gz` into `folder`, each under its last name; all else in it is passed over.

    Args:
        archive: the file.
        members: the exact names to take, with the size that each must have.
        folder: where they go, once all of them are out.

    Raises:
        DataError: the archive is damaged, or lacks a member of that name and size.
    """
    missing = dict(members)
    with tempfile.TemporaryDirectory(prefix=".extract.", dir=folder) as partial:
        try:
            with opened(archive) as packed, tarfile.open(fileobj=unpacked(packed, archive), mode="r:") as tar:
                for member in tar:
                    within("unpacked_bytes", member.offset_data + member.size, archive)
                    content = tar.extractfile(member) if member.isreg() else None
                    if content is not None and missing.get(member.name) == member.size:
                        del missing[member.name]
                        with (Path(partial) / Path(member.name).name).open("wb") as file:
                            shutil.copyfileobj(content, file)
        except (FormatError, tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(f"{archive} is damaged: {error}.\n  Remove it, so that it is fetched again.") from error
        except OSError as error:
            raise DataError(
                f"{archive} cannot be unpacked into {folder}: {reason(error)}.\n  Free space on that disk."
            ) from error
        if missing:
            raise DataError(f"{archive} lacks {', '.join(missing)}.\n  Remove it, so that it is fetched again.")
        for path in Path(partial).iterdir():
            path.replace(folder / path.name)


def read_batches(paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """The pictures and labels of binary batches, one after the other.

    Raises:
        DataError: a file is no whole number of records, or holds a label beyond the ten classes.
    """
    counts = [_count(path) for path in paths]
    within("file_bytes", sum(counts) * RECORD, paths[0].parent)
    x, y = aligned((sum(counts), 32, 32, 3), np.uint8), aligned((sum(counts), 1), np.uint8)
    first = 0
    for path, count in zip(paths, counts, strict=True):
        records = np.fromfile(path, np.uint8).reshape(count, RECORD)
        part = slice(first, first + count)
        x[part] = records[:, 1:].reshape(count, 3, 32, 32).transpose(0, 2, 3, 1)  # [n, height, width, channels]
        y[part] = records[:, :1]
        first += count
        if count and y[part].max() >= len(CLASSES):
            row = int(np.argmax(y[part] >= len(CLASSES)))
            raise DataError(f"{path}: record {row} has label {y[part][row, 0]}; there are 10 classes.\n  Copy it anew.")
    return x, y


def _count(path: Path) -> int:
    count, rest = divmod(path.stat().st_size, RECORD)
    if rest or not count:
        raise DataError(f"{path} is no whole number of records of {RECORD} bytes: {rest} left over.\n  Copy it anew.")
    return count
