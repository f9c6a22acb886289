r"""NumPy's files, `.npy` alone or in a zip: what a header announces is held against the bytes that are there.

    "\x93NUMPY" version  length  {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  numbers

Nothing is unpickled.
"""

import io
import math
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from thalweg.errors import FormatError
from thalweg.files import length, opened
from thalweg.limits import within

START = 2**14  # bytes; NumPy's own limit for a header is 10,000 characters
VERSIONS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read(path: Path) -> np.ndarray:
    """The array in the file at `path`.

    Raises:
        FormatError: it is no whole file of one array.
        OSError: it cannot be opened.
    """
    with opened(path) as file:
        _check(file.read(START), length(file))
        within("file_bytes", length(file), path)
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)


def mapped(path: Path) -> np.ndarray:
    """The same, mapped: only what is asked for is read."""
    with opened(path) as file:
        _check(file.read(START), length(file))
    return np.load(path, mmap_mode="r", allow_pickle=False)


class Archive:
    """The arrays in an `.npz` file, by name."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        counts = Counter(archive.namelist())
        twice = next((name for name, count in counts.items() if count > 1), None)
        if twice is not None:
            raise FormatError(f"it holds {twice!r} twice")
        self.archive, self.path = archive, path
        self.names = [name.removesuffix(".npy") for name in counts]

    def __getitem__(self, name: str) -> np.ndarray:
        member = self.archive.getinfo(f"{name}.npy" if f"{name}.npy" in self.archive.NameToInfo else name)
        if member.flag_bits & 1 or member.compress_type not in METHODS:
            raise FormatError(f"{member.filename!r} in it is encrypted, or packed by another way than deflate")
        name = "unpacked_bytes" if member.compress_type == zipfile.ZIP_DEFLATED else "file_bytes"
        within(name, member.file_size, f"{self.path}: {member.filename!r}")
        with self.archive.open(member) as file:
            _check(file.read(START), min(member.file_size, self.path.stat().st_size * 1032), member.filename)
        with self.archive.open(member) as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
            file.read(1)  # its end, where the checksum is compared
            return array


@contextmanager
def archive(path: Path) -> Iterator[Archive]:
    """The `.npz` file at `path`.

    Raises:
        FormatError: it names an array twice.
        OSError: it cannot be opened, or is no zip file.
        DataError: its list of members is longer than the limit `zip_directory`.
    """
    with opened(path) as file:
        if file.read(6) == np.lib.format.MAGIC_PREFIX:
            raise FormatError("it holds one array, not an archive of them")
        with zipfile.ZipFile(_Measured(file, path)) as members:
            yield Archive(members, path)


class _Measured:
    """A file for `zipfile`, which reads the whole list of members at once, however long it says it is."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.file, self.path = file, path
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        within("zip_directory", size, self.path)
        return self.file.read(size)


def _check(start: bytes, size: int, name: str = "it") -> None:
    """`FormatError` where the file of `size` bytes that begins with `start` is no whole array of numbers or texts."""
    file = io.BytesIO(start)
    try:
        shape, _, dtype = VERSIONS[np.lib.format.read_magic(file)](file)
    except Exception as error:  # NumPy evaluates a literal, which fails in many ways
        raise FormatError(f"{name} has no header of an array ({type(error).__name__})") from error
    if dtype.hasobject:
        raise FormatError(f"{name} holds Python objects, which are not unpickled")
    if any(type(n) is not int or n < 0 for n in shape) or math.prod(n for n in shape if n) >= 2**62:
        raise FormatError(f"{name} announces the shape {shape!r:.80}")
    announced, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if announced != there:
        raise FormatError(f"{name} announces {announced:,} bytes of numbers; {there:,} are there")
