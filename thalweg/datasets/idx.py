"""The IDX format of MNIST and its kin: two zero bytes, the type, the number of axes, their sizes, then the numbers.

Sizes are big-endian 32-bit words; the type 0x08 is unsigned bytes, the only one these sets use. A file is believed only
as far as it goes: its sizes are held against its length before anything is allocated.
"""

import math
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.data import aligned
from thalweg.datasets.entry import Entry
from thalweg.datasets.store import Folder, obtain
from thalweg.errors import DataError, FormatError
from thalweg.files import length, opened, unpacked
from thalweg.limits import within

UNSIGNED_BYTES = 0x08
DEFLATE_RATIO = 1032  # a packed byte stands for at most so many
Images = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def read_idx(path: str | os.PathLike[str], axes: int) -> np.ndarray:
    """The unsigned bytes in an IDX file with that number of axes, packed by gzip or not.

    Raises:
        DataError: the file is truncated, damaged, too long, or no IDX file of this kind.
    """
    path = Path(path)
    packed = path.suffix == ".gz"
    try:
        with opened(path) as raw, unpacked(raw, path) if packed else raw as file:
            shape = _shape(file, axes)
            if math.prod(shape) > length(raw) * (DEFLATE_RATIO if packed else 1):
                raise FormatError(f"it announces {list(shape)} bytes, more than it can hold")
            within("unpacked_bytes" if packed else "file_bytes", math.prod(shape), path)
            return _filled(file, shape)
    except DataError:
        raise
    except (OSError, EOFError, ValueError, MemoryError, struct.error, zlib.error) as error:
        raise DataError(
            f"{path} is damaged: {error}.\n  Remove it (it is then fetched again), or copy it anew."
        ) from error


def _shape(file: Any, axes: int) -> tuple[int, ...]:
    zeros, kind, rank = struct.unpack(">HBB", file.read(4))
    if (zeros, kind, rank) != (0, UNSIGNED_BYTES, axes):
        raise FormatError(f"its first bytes {zeros:04x} {kind:02x} {rank:02x} are not 0000 08 {axes:02x}")
    return struct.unpack(f">{axes}I", file.read(4 * axes))


def _filled(file: Any, shape: tuple[int, ...]) -> np.ndarray:
    out = aligned(shape, np.uint8)
    content, filled = out.reshape(-1).data, 0
    while filled < len(content) and (count := file.readinto(content[filled:])):
        filled += count
    if filled < len(content):
        raise FormatError(f"it ends after {filled:,} of {len(content):,} numbers")
    if file.read(1):
        raise FormatError(f"it goes on after its {len(content):,} numbers")
    return out


def load(entry: Entry, data: Folder = None) -> Images:
    """`(x_train, y_train), (x_test, y_test)` of a set in four IDX files: pictures and labels, uint8."""
    paths = [obtain(entry, published, data) for published in entry.files]
    return _pair(entry, paths[0], paths[1]), _pair(entry, paths[2], paths[3])


def _pair(entry: Entry, images: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    x, y = read_idx(images, 1 + len(entry.shape)), read_idx(labels, 1)
    if x.shape[1:] != entry.shape or len(x) != len(y):
        raise DataError(
            f"{images} holds pictures of shape {x.shape}, {labels} {len(y)} labels.\n  Copy both files anew."
        )
    if len(y) and y.max() >= len(entry.classes):
        row = int(np.argmax(y >= len(entry.classes)))
        raise DataError(f"{labels}: row {row} holds {y[row]}; there are {len(entry.classes)} classes.\n  Copy it anew.")
    return x, y
