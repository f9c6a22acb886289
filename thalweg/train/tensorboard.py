"""TensorBoard's event files, written by hand: no TensorFlow, no protobuf.

A file is a row of records, each framed as TFRecord does:

    length: uint64   crc(length): uint32   data   crc(data): uint32        little-endian

with CRC-32C (Castagnoli), masked as ((c >> 15 | c << 17) + 0xa282ead8). The data is a protobuf message, `Event`:

    Event      1 wall_time: double   2 step: int64   3 file_version: string   5 summary: Summary
    Summary    1 value: repeated Value
    Value      1 tag: string   2 simple_value: float   5 histo: Histogram
    Histogram  1 min   2 max   3 num   4 sum   5 sum_squares: double   6 bucket_limit   7 bucket: packed doubles

A protobuf field is its number and wire type in one varint, then the value: 0 varint, 1 eight bytes, 2 length and bytes,
5 four bytes.
"""

import struct
from typing import Any

import numpy as np

POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed
BINS = 30


def preamble(wall_time: float) -> bytes:
    """The record that every event file begins with."""
    return record(double(1, wall_time) + text(3, "brain.Event:2"))


def scalar(tag: str, value: float, step: int, wall_time: float) -> bytes:
    """A record with one number."""
    return event(text(1, tag) + single(2, value), step, wall_time)


def histogram(tag: str, values: Any, step: int, wall_time: float) -> bytes:
    """A record with the distribution of an array's finite numbers."""
    x = np.asarray(values, np.float64).ravel()
    x = x[np.isfinite(x)]
    counts, edges = np.histogram(x, BINS)
    moments = (x.min(initial=np.inf), x.max(initial=-np.inf), x.size, x.sum(), (x * x).sum())
    body = b"".join(double(number, value) for number, value in enumerate(moments, 1))
    return event(text(1, tag) + chunk(5, body + doubles(6, edges[1:]) + doubles(7, counts)), step, wall_time)


def event(value: bytes, step: int, wall_time: float) -> bytes:
    """The record of an Event whose Summary holds one Value."""
    return record(double(1, wall_time) + varint(2 << 3 | 0) + varint(step) + chunk(5, chunk(1, value)))


def record(data: bytes) -> bytes:
    """`data` in TFRecord's frame."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def varint(number: int) -> bytes:
    """Seven bits a byte, low ones first; the top bit says that more follow."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def chunk(number: int, data: bytes) -> bytes:
    """Field `number` with bytes, or with a message."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def text(number: int, value: str) -> bytes:
    """Field `number` with a string."""
    return chunk(number, value.encode())


def double(number: int, value: float) -> bytes:
    """Field `number` with eight bytes."""
    return varint(number << 3 | 1) + struct.pack("<d", value)


def single(number: int, value: float) -> bytes:
    """Field `number` with four bytes."""
    return varint(number << 3 | 5) + np.float32(value).tobytes()


def doubles(number: int, values: Any) -> bytes:
    """Field `number` with packed doubles."""
    return chunk(number, np.asarray(values, "<f8").tobytes())


def masked(data: bytes) -> int:
    """The masked CRC-32C of `data`.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """CRC-32C, a byte at a time."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _entry(crc: int) -> int:
    for _ in range(8):
        crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)
    return crc


TABLE = tuple(_entry(byte) for byte in range(256))
