"""files: what people keep pictures in (.npz, .npy, .csv, a picture file), as rows for a network.

    .npz   an array x, and y for the labels if they are known
    .npy   an array of pictures, or one picture
    .csv   a line a picture: its pixels row by row, and a column y (or label, target, class)
    .png   or another picture file (.jpg, .gif, .bmp, .tif, .webp, .ppm): one, brought to the network's size

Nothing is unpickled.
"""

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import data
from thalweg.data.files import from_npy, names_of
from thalweg.data.table.cells import number
from thalweg.errors import DataError, nearest
from thalweg.recipes.image import pictures

LABEL_COLUMNS = ("y", "label", "target", "class")
WHOLE = re.compile(r"-?[0-9]{1,9}")
Rows = tuple[np.ndarray, np.ndarray | None]
"""Inputs, and labels as the file has them where it has them."""


def read(path: Path, shape: Sequence[int] | None = None, brightest: float = 255) -> Rows:
    """The rows of the file at `path`.

    Args:
        path: the file.
        shape: one row of the network's input: rows are brought to it, a picture file is resized. None takes them as
            they are, and lines of pixels as squares.
        brightest: the value that a picture file's white stands for in what the network was trained on.

    Raises:
        DataError: the file is missing, damaged, of a kind that is not read here, or does not fit `shape`.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file.\n  Write the path of a .npz, .npy, .csv or picture file.")
    if path.suffix.lower() in pictures.suffixes():
        return _picture(path, shape, brightest), None
    if path.suffix.lower() not in READERS:
        raise DataError(f"{path} is none of the kinds read here.\n  {nearest(path.suffix, [*READERS, '.png', '.jpg'])}")
    x, y = READERS[path.suffix.lower()](path)
    if not len(x):
        raise DataError(f"{path} holds no rows.\n  Write at least one.")
    x = _square(x, path) if shape is None else _fit(x, tuple(shape), path)
    return x, y


def codes(labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """`labels` as class numbers: names are looked up in `classes`, other integers are numbers already.

    >>> codes(np.array(["dog", "cat"]), ["cat", "dog"])
    array([1, 0], dtype=int32)
    """
    texts, places = labels.reshape(-1).astype(str), {name: k for k, name in enumerate(classes)}
    if labels.dtype.kind in "iu" and not places.keys() & set(texts):
        places = {str(k): k for k in range(len(classes))}
    unknown = next((row for row, text in enumerate(texts) if text not in places), None)
    if unknown is not None:
        label = texts[unknown].item()
        raise DataError(f"y: row {unknown} holds {label!r}, which is no class.\n  {nearest(label, places)}")
    return np.array([places[text] for text in texts], np.int32)


def _npz(path: Path) -> Rows:
    source = data.from_npz(path, y="y" if "y" in names_of(path) else None)
    return source.x, source.y


def _npy(path: Path) -> Rows:
    return from_npy(path), None


def _csv(path: Path) -> Rows:
    table = data.read_csv(path)
    label = next((name for name in table if name.lower() in LABEL_COLUMNS), None)
    y = None if label is None else _labels(table.pop(label))
    if not table:
        raise DataError(f"{path} holds labels alone.\n  Write a column for each pixel beside them.")
    columns = [[number(cell) for cell in cells] for cells in table.values()]
    for name, cells in zip(table, columns, strict=True):
        if None in cells:
            raise DataError(
                f"{path}: column {name!r}, row {cells.index(None)} holds no number.\n"
                f"  Columns other than {', '.join(LABEL_COLUMNS)} are pixels."
            )
    return data.as_arrays(np.array(columns).reshape(len(table), -1).T, name=str(path)), y


def _labels(cells: list[str]) -> np.ndarray:
    whole = all(WHOLE.fullmatch(cell) for cell in cells)  # others are names, as are numbers beyond int32
    return np.array(cells).astype(np.int32 if whole else str)


READERS: dict[str, Callable[[Path], Rows]] = {".csv": _csv, ".npy": _npy, ".npz": _npz}


def _picture(path: Path, shape: Sequence[int] | None, brightest: float) -> np.ndarray:
    if shape is None or len(shape) not in (2, 3) or (len(shape) == 3 and shape[-1] not in (1, 3)):
        raise DataError(f"{path} is a picture; the network takes rows of {shape}.\n  Write them as .npy or .csv.")
    pixels = pictures.read(path, (shape[0], shape[1]), colours=tuple(shape[2:]) == (3,))
    return pixels.reshape(1, *shape) * np.float32(brightest / 255)


def _square(x: np.ndarray, path: Path) -> np.ndarray:
    if x.ndim != 2:
        return x
    side = math.isqrt(x.shape[1])
    if side * side != x.shape[1]:
        raise DataError(f"{path}: rows of {x.shape[1]} numbers are no squares.\n  Write x as [rows, height, width].")
    return x.reshape(-1, side, side)


def _fit(x: Any, shape: tuple[int, ...], path: Path) -> np.ndarray:
    if _alike(x.shape[1:], shape) or x.shape == shape:  # rows of the network's, or one row alone
        return x.reshape(-1, *shape)
    raise DataError(f"{path} holds {list(x.shape)}; a row of the network's input is {list(shape)}.\n  Write it so.")


def _alike(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether rows differ only in axes of length 1, or in that one of them is a line."""
    axes, wanted_axes = ([n for n in sizes if n != 1] for sizes in (shape, wanted))
    same_size = math.prod(shape) == math.prod(wanted)
    return axes == wanted_axes or (same_size and min(len(axes), len(wanted_axes)) <= 1)
