"""Labels: names to codes and back, the classes that a split balances, weights against unequal classes."""

import decimal
import numbers
from typing import Any

import numpy as np

from thalweg.data.arrays import plain
from thalweg.errors import DataError, nearest
from thalweg.record import Record

LABELS = (str, bytes, numbers.Real, decimal.Decimal, np.bool_)


class Labels(Record):
    """The classes of a target, in order: code k stands for `classes[k]`.

    >>> labels = Labels.fit(["cat", "dog", "cat"])
    >>> labels(["dog", "cat"])
    array([1, 0], dtype=int32)
    >>> labels.inverse(np.array([1]))
    array(['dog'], dtype='<U3')
    """

    classes: tuple[Any, ...]

    @classmethod
    def fit(cls, y: Any, name: str = "y") -> "Labels":
        """The distinct labels of `y`, sorted; `DataError` where one is missing or there is only one."""
        values = _column(y, name)
        classes = np.unique(values)
        if len(classes) < 2:
            raise DataError(
                f"{name}: there is one class only, {classes.tolist()}, and nothing to learn.\n"
                "  Look at how the rows were chosen."
            )
        return cls(tuple(classes.tolist()))

    def __call__(self, y: Any, name: str = "y") -> np.ndarray:
        """The codes of `y`, int32; `DataError` with row and remedy for a label that is not a class."""
        values, classes = _column(y, name), np.asarray(self.classes)
        if (values.dtype.kind in "US") != (classes.dtype.kind in "US"):
            raise DataError(
                f"{name} holds {values.dtype} labels; the classes are {classes.dtype}: {self.classes[:5]}.\n"
                f"  Write y.astype({'str' if classes.dtype.kind in 'US' else 'int'}), or fit anew: encode_labels(y)."
            )
        codes = np.minimum(np.searchsorted(classes, values), len(classes) - 1)
        wrong = np.flatnonzero(classes[codes] != values)
        if wrong.size:
            label = values[wrong[0]].item()
            known = nearest(str(label), map(str, self.classes))
            raise DataError(f"{name}: row {wrong[0]} holds {label!r}, which is not among the classes.\n  {known}")
        return codes.astype(np.int32)

    def inverse(self, codes: Any) -> np.ndarray:
        """The labels that `codes` stand for."""
        return np.asarray(self.classes)[np.asarray(codes)]


def _column(y: Any, name: str) -> np.ndarray:
    values = plain(y, name)
    values = np.char.decode(values, "utf-8", "backslashreplace") if values.dtype.kind == "S" else values
    values = values.reshape(len(values)) if values.shape == (len(values), 1) else values
    if values.ndim != 1:
        raise DataError(f"{name} has shape {values.shape}; labels are one per row.\n  Write one column.")
    if values.dtype == object or values.dtype.kind == "T":
        missing = np.flatnonzero([not isinstance(v, str) for v in values])
        if missing.size and any(isinstance(v, str) for v in values):
            row = missing[0]
            raise DataError(f"{name}: row {row} holds {values[row]!r} among texts.\n  Fill it or leave the row out.")
        odd = next((i for i, v in enumerate(values) if not isinstance(v, LABELS)), None)
        if odd is not None:
            raise DataError(f"{name}: row {odd} holds {values[odd]!r:.80}, which is no label.\n  Leave the row out.")
        values = np.asarray(values.tolist())
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DataError(f"{name}: row {np.flatnonzero(~np.isfinite(values))[0]} holds no label (NaN).\n  Leave it out.")
    return values


def encode_labels(y: Any, name: str = "y") -> tuple[np.ndarray, tuple[Any, ...]]:
    """Labels of any kind as codes from 0, with the classes they stand for.

    >>> encode_labels(["no", "yes", "no"])
    (array([0, 1, 0], dtype=int32), ('no', 'yes'))
    """
    labels = Labels.fit(y, name)
    return labels(y, name), labels.classes


def strata(labels: Any) -> np.ndarray | None:
    """The class of each row as a code, or None where `labels` name no classes.

    Integers, booleans, texts, whole numbers kept as floats, one column of any of these, and one-hot rows name classes.
    Real numbers do not, nor does a target with more classes than half its rows.
    """
    values = plain(labels, "labels")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    elif values.ndim == 2 and _one_hot(values):
        values = values.argmax(1)
    if values.ndim != 1 or (values.dtype.kind == "f" and not _whole(values)):
        return None
    if values.dtype == object:
        values = values.astype(str)
    classes, codes = np.unique(values, return_inverse=True)
    return codes.reshape(-1) if 2 * len(classes) <= len(values) else None


def _one_hot(values: np.ndarray) -> bool:
    return values.dtype.kind in "biuf" and bool(np.isin(values, (0, 1)).all() and (values.sum(1) == 1).all())


def _whole(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).all() and (values == np.rint(values)).all())


def class_weight(labels: Any) -> dict[int, float]:
    """The weight of each class that gives all classes one say: rows / (classes * rows of the class).

        w_k = n / (K n_k)

    Raises:
        DataError: the labels are no integer classes.

    >>> class_weight([0, 0, 0, 1])
    {0: 0.6666666666666666, 1: 2.0}
    """
    values = _column(labels, "labels")
    if values.dtype.kind not in "biu":
        raise DataError(f"labels are {values.dtype}; class weights need integer classes.\n  Write encode_labels(y)[0].")
    classes, counts = np.unique(values, return_counts=True)
    return {int(k): len(values) / (len(classes) * int(n)) for k, n in zip(classes, counts, strict=True)}
