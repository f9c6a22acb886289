"""Named arrays as bytes in the safetensors format, and back, read as if an enemy had written them.

    8 bytes       the length of the header, little-endian
    header        {name: {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...}, padded with spaces
    the arrays    one after the other, without gaps, little-endian, last axis fastest

The package `safetensors` reads what we write, and we read what it writes; the tests hold us to it. It is not used here
because its NumPy side reads no bfloat16, and stores an array that is not contiguous as whatever bytes follow its first
number. Here arrays keep the order they are given in, and reading them copies nothing.

Source: https://huggingface.co/docs/safetensors, "Format".
"""

import io
import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from thalweg.errors import ModelFileError
from thalweg.export import strictjson
from thalweg.export.strictjson import REMEDY
from thalweg.limits import within

AXES_LIMIT = 32
DTYPES = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype(np.uint8),
    "I8": np.dtype(np.int8),
    "U16": np.dtype(np.uint16),
    "I16": np.dtype(np.int16),
    "U32": np.dtype(np.uint32),
    "I32": np.dtype(np.int32),
    "U64": np.dtype(np.uint64),
    "I64": np.dtype(np.int64),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F16": np.dtype(np.float16),
    "F32": np.dtype(np.float32),
    "F64": np.dtype(np.float64),
    "C64": np.dtype(np.complex64),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def encode(arrays: Mapping[str, Any]) -> bytes:
    """`arrays`, what `np.asarray` takes, as one safetensors file.

    Raises:
        ModelFileError: a dtype or a name that the format does not have.

    >>> data = encode({"bias": np.float32([1, 2])})
    >>> decode(data)
    {'bias': array([1., 2.], dtype=float32)}
    """
    header, parts, start = {}, [], 0
    for name, value in arrays.items():
        array = np.asarray(value)
        if array.dtype not in NAMES or name == "__metadata__":
            raise ModelFileError(
                f"weights.safetensors cannot hold {name!r} of dtype {array.dtype}.\n"
                f"  Convert it to one of {', '.join(map(str, NAMES))}."
            )
        end = start + array.nbytes
        header[name] = {"dtype": NAMES[array.dtype], "shape": array.shape, "data_offsets": [start, end]}
        parts.append(array.tobytes())
        start = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def decode(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file in their order, as views of `data` that cannot be written to.

    Raises:
        ModelFileError: the header is too long or not what the format says, a dtype is unknown, or the places of the
            arrays overlap, leave gaps or lie outside of the data.
    """
    rows, begin = layout(io.BytesIO(data), len(data))
    return {name: np.ndarray(row.shape, row.dtype, data, begin + row.start) for name, row in rows.items()}


class Row(NamedTuple):
    """What the header says of an array."""

    dtype: np.dtype
    shape: tuple[int, ...]
    start: int
    stop: int


def layout(file: Any, size: int) -> tuple[dict[str, Row], int]:
    """What the header of a file of `size` bytes says of its arrays, and where they begin; they are not read.

    Raises:
        ModelFileError: see `decode`.
    """
    length = int.from_bytes(file.read(8), "little")
    if length > size - 8:
        raise ModelFileError(f"weights.safetensors: a header of {length} bytes does not fit.\n  {REMEDY}")
    what = "the header of weights.safetensors"
    within("model_json", length, what, ModelFileError)
    header = strictjson.parse(file.read(length), what)
    header.pop("__metadata__", None)
    within("model_arrays", len(header), "weights.safetensors", ModelFileError)
    rows = {name: _row(name, row) for name, row in header.items()}
    end = 0
    for name, row in sorted(rows.items(), key=lambda item: item[1][2:]):
        if row.start != end or row.stop - row.start != math.prod(row.shape) * row.dtype.itemsize:
            raise _wrong(name, f"the bytes {row.start} to {row.stop} do not fit its shape and its neighbours")
        end = row.stop
    if end != size - 8 - length:
        raise ModelFileError(f"weights.safetensors is truncated or too long: the arrays end at {end}.\n  {REMEDY}")
    return rows, 8 + length


def _row(name: str, row: Any) -> Row:
    """The dtype, the shape and the place of an array, every one checked."""
    match row:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [start, stop], **rest} if not rest:
            pass
        case _:
            raise _wrong(name, "it needs dtype, shape and data_offsets and nothing else")
    if dtype not in DTYPES:
        raise _wrong(name, f"the dtype {dtype!r:.100} is unknown")
    if len(shape) > AXES_LIMIT or any(type(n) is not int or not 0 <= n < 2**48 for n in (*shape, start, stop)):
        raise _wrong(name, "its shape or place is not made of sizes")
    return Row(DTYPES[dtype], tuple(shape), start, stop)


def _wrong(name: str, what: str) -> ModelFileError:
    return ModelFileError(f"weights.safetensors, {name!r:.100}: {what}.\n  {REMEDY}")
