"""Sources in files: `.npz` archives, and folders of `.npy` files for data larger than memory. Nothing is unpickled."""

import errno
import math
import os
import shutil
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import tree
from thalweg.data import npy
from thalweg.data.arrays import as_arrays
from thalweg.data.sources import ArraySource, Source, from_arrays, named, walk
from thalweg.errors import ConfigError, DataError, nearest
from thalweg.files import below, reason

BY_ZIPFILE = (zipfile.BadZipFile, NotImplementedError, EOFError, struct.error, zlib.error)
DAMAGED = (OSError, ValueError, MemoryError, *BY_ZIPFILE)
"""What is raised over a file that is not as NumPy writes it."""


def from_npz(path: str | os.PathLike[str], x: str = "x", y: str | None = "y", weight: str | None = None) -> ArraySource:
    """A source of arrays in an `.npz` file, by name. Nothing is unpickled.

    Raises:
        DataError: the file is missing, damaged, holds Python objects, or has no array of that name.
    """
    path = Path(path)
    try:
        with npy.archive(path) as stored:
            parts = [None if name is None else _stored(stored, name, path) for name in (x, y, weight)]
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist.\n  Write the path of an .npz file.") from error
    except DAMAGED as error:
        raise DataError(f"{path} cannot be read: {error}.\n  Write it anew: np.savez(path, x=..., y=...).") from error
    return from_arrays(*parts)


def names_of(path: Path) -> list[str]:
    """The names of the arrays in an `.npz` file.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        with npy.archive(path) as stored:
            return stored.names
    except DataError:
        raise
    except DAMAGED as error:
        raise DataError(f"{path} cannot be read: {error}.\n  Write it anew: np.savez(path, x=..., y=...).") from error


def from_npy(path: str | os.PathLike[str]) -> Any:
    """The array in an `.npy` file, as `as_arrays` gives it. Nothing is unpickled.

    Raises:
        DataError: the file is missing or damaged, or holds something else than numbers.
    """
    try:
        return as_arrays(npy.read(Path(path)))
    except DataError:
        raise
    except DAMAGED as error:
        raise DataError(f"{path} cannot be read: {error}.\n  Write it anew: np.save(path, x).") from error


def _stored(stored: npy.Archive, name: str, path: Path) -> np.ndarray:
    if name not in stored.names:
        raise DataError(f"{path} holds no array {name!r}.\n  {nearest(name, stored.names)}")
    return stored[name]


def save_folder(source: Source, folder: str | os.PathLike[str]) -> Path:
    """Write a source into `folder` as `x.npy`, `y.npy`, `weight.npy`, a chunk at a time: data larger than memory.

    The leaves of a dict or tuple get files of their own, `x.left.npy`. The folder appears only when it is complete.

    Raises:
        ConfigError: it is there already, or cannot be written.
    """
    folder = Path(folder)
    partial = folder.with_name(folder.name + ".partial")
    if folder.exists() or partial.exists():
        raise ConfigError(f"{folder if folder.exists() else partial} exists.\n  Choose another folder, or remove it.")
    try:
        partial.mkdir(parents=True)
        _write(source, partial)
        return partial.rename(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ConfigError(f"{folder} cannot be written: {reason(error)}.\n  Name another place.") from error


def _write(source: Source, partial: Path) -> None:
    files: dict[str, np.ndarray] = {}
    for first, rows in walk(source):
        for name, part in named(rows).items():
            if name not in files:
                shape = (len(source), *part.shape[1:])
                needed, free = math.prod(shape) * part.dtype.itemsize, shutil.disk_usage(partial).free
                if needed > free:  # a map would end the process in the middle
                    raise OSError(errno.ENOSPC, f"it needs {needed:,} bytes and {free:,} are free")
                files[name] = np.lib.format.open_memmap(partial / f"{name}.npy", "w+", part.dtype, shape)
            files[name][first : first + len(part)] = part
    for file in files.values():
        file.flush()  # pyright: ignore[reportAttributeAccessIssue]


def from_folder(folder: str | os.PathLike[str]) -> ArraySource:
    """A source of the `.npy` files that `save_folder` wrote, mapped: only the rows asked for are read.

    Raises:
        DataError: there is no `x.npy`, a file is damaged, or the files differ in their number of rows.
    """
    folder = Path(folder)
    leaves = {path.stem: _mapped(path) for path in below(folder, "*.npy")}
    parts = tree.unflatten(leaves)
    if "x" not in parts:
        raise DataError(f"{folder} holds no x.npy.\n  Write save_folder(source, {str(folder)!r}) first.")
    source = ArraySource(*(_tuples(parts.get(name)) for name in ("x", "y", "weight")))
    if len({len(a) for a in leaves.values()}) > 1:
        raise DataError(f"the files in {folder} differ in their number of rows.\n  Write the folder anew.")
    return source


def _mapped(path: Path) -> np.ndarray:
    try:
        array = npy.mapped(path)
    except DAMAGED as error:
        raise DataError(f"{path} cannot be mapped: {error}.\n  Write the folder anew.") from error
    if not array.ndim:
        raise DataError(f"{path} holds one number, not rows.\n  Write the folder anew.")
    return array


def _tuples(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    parts = {name: _tuples(part) for name, part in node.items()}
    places = [str(i) for i in range(len(parts))]
    return tuple(parts[i] for i in places) if set(parts) == set(places) else parts
