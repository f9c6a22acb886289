"""What people have, as arrays: lists, tables, tensors and wide numbers become NumPy or JAX arrays a network can take.

float64 becomes float32 and int64 becomes int32, in one pass into one new buffer that starts on a 64-byte boundary.
`jax.device_put` on a CPU shares such a buffer instead of copying it, so a data set stands in memory once.
"""

import decimal
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.errors import DataError
from thalweg.types import Dtype, Tree

ALIGNMENT = 64  # bytes; what XLA asks of a CPU buffer that it is to share
EXACT = 2**53  # below which a whole number is exact in float64
WIDE_INTEGERS = ("int64", "uint64", "uint32")


def as_arrays(value: Any, dtype: Dtype = np.float32, *, name: str = "x", rows: int | None = None) -> Tree:
    """`value` as arrays: the leaves of a dict or of a tuple of arrays each, anything else as one array of rows.

    Numbers wider than `dtype` or int32 are narrowed; narrower ones (pixels in uint8, booleans, bfloat16) stay, because
    the compiled program widens a batch at a time. JAX arrays stay where they are. None stays None.

    Args:
        value: arrays, lists, tuples, ranges, pandas frames and series, tensors; or a tuple or dict of them.
        dtype: the widest floating type to keep.
        name: what to call the value in a message.
        rows: how many rows there are, where that is known. It tells a list of inputs from a list of rows.

    Returns:
        A NumPy or JAX array, or a tuple or dict of them.

    Raises:
        DataError: ragged lists, texts, objects that are no numbers, complex numbers, times, or a number that the
            narrower type cannot hold.

    >>> as_arrays([[1.0, 2.0], [3.0, 4.0]]).dtype
    dtype('float32')
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {k: as_arrays(v, dtype, name=f"{name}[{k!r}]", rows=rows) for k, v in value.items()}
    if isinstance(value, list | tuple) and _several(value, rows):
        return tuple(as_arrays(v, dtype, name=f"{name}[{i}]", rows=rows) for i, v in enumerate(value))
    array = _numbers(value if isinstance(value, jax.Array) else plain(value, name, dtype), name)
    target = _target(array, np.dtype(dtype), name)
    return array if target == array.dtype else _converted(array, target, name)


def _several(value: list[Any] | tuple[Any, ...], rows: int | None) -> bool:
    # a tuple of arrays is several inputs; a list of arrays is rows, unless its arrays can only be inputs
    if not value or not all(hasattr(v, "__array__") and np.ndim(v) > 0 for v in value):
        return False
    lengths, shapes = {len(v) for v in value}, {np.shape(v) for v in value}
    if isinstance(value, tuple):
        return True
    return len(lengths) == 1 and (len(shapes) > 1 or (lengths == {rows} and len(value) != rows))


def plain(value: Any, name: str = "x", dtype: Dtype = np.float64) -> np.ndarray:
    """`value` as one NumPy array of at least one axis, of whatever kind; a frame of numbers no wider than `dtype`."""
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        return _frame(value, np.dtype(dtype), name)
    try:
        array = _as_numpy(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{name} cannot be read as an array: {_why(value, error)}") from error
    if array.ndim:
        return array
    if array.dtype == object:
        raise DataError(
            f"{name} is a {type(value).__name__}, which is not an array of rows.\n"
            "  Write a list, a NumPy array (`.toarray()` for a sparse matrix) or a source with __len__ and __getitem__."
        )
    raise DataError(f"{name} is the single value {array.item()!r}; data has a first axis of rows.\n  Write [{name}].")


def _as_numpy(value: Any) -> np.ndarray:
    if np.ma.is_masked(value):  # the number under a mask is none: its row will be named
        objects = np.array(value.data, object)
        objects[np.ma.getmaskarray(value)] = None
        return objects
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    elif hasattr(value, "detach"):  # a tensor, perhaps one that remembers its gradient
        value = _of_tensor(value.detach().cpu())
    elif hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        value = np.from_dlpack(value)
    elif isinstance(value, list | tuple) and value and all(hasattr(v, "__array__") for v in value):
        value = np.stack([_as_numpy(v) for v in value])
    elif isinstance(value, list | tuple) and 0 < sum(isinstance(v, str) for v in value) < len(value):
        value = _objects(value)  # NumPy would write the numbers beside texts as texts
    return np.asarray(value)


def _of_tensor(tensor: Any) -> np.ndarray:
    try:
        return np.asarray(tensor)
    except TypeError:  # a dtype that NumPy has not, such as bfloat16
        return np.asarray(jax.dlpack.from_dlpack(tensor))


def _objects(values: list[Any] | tuple[Any, ...]) -> np.ndarray:
    out = np.empty(len(values), object)
    out[:] = values
    return out


def _why(value: Any, error: Exception) -> str:
    if isinstance(value, list | tuple):
        shapes = [np.shape(v) if hasattr(v, "__array__") else (len(v) if hasattr(v, "__len__") else ()) for v in value]
        odd = next((i for i, s in enumerate(shapes) if s != shapes[0]), None)
        if odd is not None:
            return (
                f"row {odd} has length or shape {shapes[odd]}, row 0 has {shapes[0]}.\n"
                "  Rows need one shape: pad or cut them; write a tuple for several inputs."
            )
    return f"{error}.\n  Write a NumPy array of numbers."


def _frame(frame: Any, dtype: np.dtype, name: str) -> np.ndarray:
    read = [np.asarray(frame.iloc[:, i].to_numpy()) for i in range(len(frame.columns))]
    columns = [_of_column(a, f"{name}: column {label!r}") for label, a in zip(frame.columns, read, strict=True)]
    common = np.result_type(*(c.dtype for c in columns)) if columns else dtype
    out = aligned((len(frame), len(columns)), min(common, dtype, key=_width) if common.kind == "f" else common)
    for i, column in enumerate(columns):
        _fill(out[:, i], column, f"{name}: column {frame.columns[i]!r}")
    return out


def _of_column(column: np.ndarray, name: str) -> np.ndarray:
    if column.dtype == object and not holds_text(column):
        return numbers_of(column, name)
    if column.dtype.kind in "biuf":
        return column
    raise DataError(
        f"{name} holds {column.dtype} values, not numbers.\n  Write TableEncoder.fit(frame), or leave the column out."
    )


def _width(dtype: np.dtype) -> int:
    return dtype.itemsize


def _numbers(array: Any, name: str) -> Any:
    if array.dtype.kind in "biuf" or jnp.issubdtype(array.dtype, jnp.floating):
        return array
    if array.dtype.kind in "UST":
        first = array.ravel()[0]
        raise DataError(
            f"{name} holds texts such as {str(first)!r}; a network takes numbers.\n"
            f"  For labels write `codes, classes = encode_labels({name})`, for numbers {name}.astype('float32')."
        )
    if array.dtype == object:
        return numbers_of(array, name)
    raise DataError(f"{name} has dtype {array.dtype}, which no layer takes.\n  {REMEDIES.get(array.dtype.kind, GIVE)}")


GIVE = "Give an array of numbers."
REMEDIES = {
    "M": "Give the time since a moment of yours: (x - x.min()) / np.timedelta64(1, 's').",
    "m": "Give it in a unit of yours: x / np.timedelta64(1, 's').",
    "c": "Give the real and the imaginary part: np.stack([x.real, x.imag], -1).",
}
"""What to give in place of what is no number, by the kind of its dtype."""


def numbers_of(array: np.ndarray, name: str, *, texts: bool = False, who: str = "a network") -> np.ndarray:
    """An array of Python's objects (ints, floats, Decimals, Fractions, booleans) as numbers.

    Args:
        array: what holds them.
        name: what to call it in a message.
        texts: whether texts that are numbers count.
        who: takes numbers.

    Raises:
        DataError: one is no number; with the row.

    >>> numbers_of(np.array(["-72.65", "3"]), "y", texts=True).tolist()
    [-72.65, 3.0]
    """
    out, whole = np.empty(array.shape, np.float64), True
    for place, value in np.ndenumerate(array):
        number = _number(value, texts)
        if number is None:
            raise _no_number(value, f"{name}: row {place[0]}", name, who)
        out[place], whole = number, whole and isinstance(number, int)
    return out.astype(np.int64) if whole and np.abs(out).max(initial=0) < EXACT else out


def _no_number(value: Any, where: str, name: str, who: str) -> DataError:
    value = value.item() if isinstance(value, np.generic) else value
    words = GIVE
    if value is None or str(value) in ("<NA>", "NaT", "nan"):
        words = "Fill it in, or leave the row out."
    elif isinstance(value, str | bytes):
        words = f"Write a number there; of labels `codes, classes = encode_labels({name})` for a loss of classes."
    return DataError(f"{where} holds {value!r:.80}; {who} takes numbers.\n  {words}")


def _number(value: Any, texts: bool) -> float | int | None:
    if isinstance(value, np.bool_ | np.generic) or (hasattr(value, "item") and np.ndim(value) == 0):
        value = value.item()  # a scalar of NumPy, or of a tensor
    if isinstance(value, numbers.Integral):
        return int(value)
    if not isinstance(value, numbers.Real | decimal.Decimal) and not (texts and isinstance(value, str | bytes)):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError):
        return None


def holds_text(array: np.ndarray) -> bool:
    """Whether texts are in it."""
    return array.dtype.kind in "UST" or (array.dtype == object and any(isinstance(v, str | bytes) for v in array.flat))


def _target(array: Any, dtype: np.dtype, name: str) -> np.dtype:
    if array.dtype.name in WIDE_INTEGERS:
        _check_range(array, name)
        return np.dtype(np.int32)
    wide = jnp.issubdtype(array.dtype, jnp.floating) and array.dtype.itemsize > dtype.itemsize
    return dtype if wide else np.dtype(array.dtype).newbyteorder("=")


def _check_range(array: Any, name: str) -> None:
    limits = np.iinfo(np.int32)
    ends = (int(array.min()), int(array.max())) if array.size else ()
    odd = next((end for end in ends if not limits.min <= end <= limits.max), None)
    if odd is not None:
        raise DataError(
            f"{name} holds the integer {odd}, beyond int32 ({limits.min} to {limits.max}).\n"
            f"  Write {name}.astype('float32') for a quantity, encode_labels({name}) for names."
        )


def aligned(shape: Iterable[int], dtype: Dtype) -> np.ndarray:
    """A new array, not yet filled, whose memory starts on a 64-byte boundary.

    >>> aligned((3, 5), "float32").ctypes.data % 64
    0
    """
    shape, dtype = tuple(shape), np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)


def _converted(array: Any, dtype: np.dtype, name: str) -> Any:
    if isinstance(array, jax.Array):
        return array.astype(dtype)
    out = aligned(array.shape, dtype)
    _fill(out, array, name)
    return out


def _fill(out: np.ndarray, array: np.ndarray, name: str) -> None:
    try:
        with np.errstate(over="raise"):
            np.copyto(out, array, casting="unsafe")  # casts block by block: no second copy
    except FloatingPointError as error:
        raise DataError(
            f"{name} holds a number beyond {out.dtype} (at most {np.finfo(out.dtype).max:.3g}).\n"
            "  Standardize the data, or ask for float64."
        ) from error
