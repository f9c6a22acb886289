"""The IDX reader: what it reads, and what it refuses before it allocates."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from thalweg.datasets.idx import read_idx
from thalweg.errors import DataError

PICTURES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize("name", ["pictures.gz", "pictures"])
def test_packed_and_unpacked(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(idx(PICTURES)) if name.endswith(".gz") else idx(PICTURES))
    read = read_idx(path, axes=3)
    assert read.dtype == np.uint8
    assert np.array_equal(read, PICTURES)
    assert read.ctypes.data % 64 == 0


GOOD = idx(PICTURES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD[:-1], "it ends after 23 of 24 numbers"),
        (GOOD + b"x", "it goes on after its 24 numbers"),
        (GOOD[:9], "unpack requires a buffer of 12 bytes"),
        (b"", "unpack requires a buffer of 4 bytes"),
        (b"\x00\x01" + GOOD[2:], "its first bytes 0001 08 03 are not 0000 08 03"),
        (GOOD[:2] + b"\x0d" + GOOD[3:], "0000 0d 03"),
        (idx(PICTURES[0]), "0000 08 02"),
        (struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**31, 2**31), "more than it can hold"),
        (struct.pack(">HBB3I", 0, 8, 3, 60_000, 28, 28) + b"1234", "more than it can hold"),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_damaged_files(tmp_path, content, message, packed):
    path = tmp_path / ("file.gz" if packed else "file")
    path.write_bytes(gzip.compress(content) if packed else content)
    tracemalloc.start()
    with pytest.raises(DataError, match=rf"file.*is damaged: .*{message}.*\n  Remove it"):
        read_idx(path, axes=3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_damaged_packing(tmp_path):
    path = tmp_path / "file.gz"
    packed = gzip.compress(GOOD)
    flipped = bytearray(packed)
    flipped[-6] ^= 1  # in the checksum
    for content in (packed[:-9], packed[:20], bytes(flipped), b"no gzip at all", packed[:12] + b"\xff" * 20):
        path.write_bytes(content)
        with pytest.raises(DataError, match="is damaged"):
            read_idx(path, axes=3)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_idx(tmp_path / "none.gz", axes=3)
