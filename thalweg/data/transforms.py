"""Transforms learned on the training part and kept in the model file: plain numbers, applied alike by NumPy and JAX.

The last axis is the features' (columns of a table, channels of a picture, values of a series); statistics run over all
others. A one-dimensional array is one feature, such as a regression's target.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from thalweg.data.arrays import plain
from thalweg.errors import ContractError, DataError
from thalweg.record import Record

BLOCK = 2**20  # numbers widened to float64 at a time
ROUNDING = 1e-12  # a spread below this share of the mean is rounding, not spread
Numbers = float | Sequence[float]


class Standardize(Record):
    """Mean 0 and standard deviation 1 for each feature: z = (x - mean) / std.

    >>> scale = Standardize.fit(np.array([[1.0, 10.0], [3.0, 30.0]]))
    >>> scale
    Standardize((2.0, 20.0), std=(1.0, 10.0))
    >>> scale(np.array([[4.0, 20.0]]))
    array([[2., 0.]])
    """

    mean: Numbers
    std: Numbers

    @classmethod
    def fit(cls, x: Any) -> "Standardize":
        """Learn from the training part. A constant feature keeps std 1; `DataError` for a number that is not finite."""
        x, axes = _examples(x)
        rows = x.size // (x.shape[-1] if x.ndim > 1 else 1)
        mean = np.asarray(sum(block.sum(axes) for block in _blocks(x)) / rows)
        _check_finite(mean)
        std = np.sqrt(sum(np.square(block - mean).sum(axes) for block in _blocks(x)) / rows)
        return cls(mean.tolist(), np.where(std > ROUNDING * np.abs(mean), std, 1.0).tolist())

    def __call__(self, x: Any) -> Any:
        """(x - mean) / std, floating, in x's precision."""
        return _applied(lambda x, mean, std: (x - mean) * (1 / std), x, self.mean, self.std)

    def inverse(self, z: Any) -> Any:
        """The way back: x = z std + mean."""
        return _applied(lambda z, mean, std: z * std + mean, z, self.mean, self.std)


class MinMax(Record):
    """Each feature onto 0 to 1: z = (x - low) / width.

    >>> MinMax.fit(np.array([2.0, 4.0, 10.0]))(np.array([6.0]))
    array([0.5])
    """

    low: Numbers
    width: Numbers

    @classmethod
    def fit(cls, x: Any) -> "MinMax":
        """Learn from the training part. A constant feature keeps width 1; `DataError` for a number not finite."""
        x, axes = _examples(x)
        low, high = (np.asarray(m, np.float64) for m in (x.min(axes), x.max(axes)))
        _check_finite(np.asarray(low + high))
        return cls(low.tolist(), np.where(high > low, high - low, 1.0).tolist())

    def __call__(self, x: Any) -> Any:
        """(x - low) / width, floating, in x's precision."""
        return _applied(lambda x, low, width: (x - low) * (1 / width), x, self.low, self.width)

    def inverse(self, z: Any) -> Any:
        """The way back: x = z width + low."""
        return _applied(lambda z, low, width: z * width + low, z, self.low, self.width)


class OneHot(Record):
    """Class k as a row of zeros with a 1 at place k.

    >>> OneHot(3)(np.array([0, 2]))
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """

    classes: int

    @classmethod
    def fit(cls, labels: Any) -> "OneHot":
        """As many classes as the largest label asks for."""
        return cls(int(plain(labels, "labels").max()) + 1)

    def __call__(self, labels: Any) -> Any:
        """float32 rows; `DataError` for a label out of range (inside a compiled program it becomes zeros)."""
        labels = _array(labels)
        if not jnp.issubdtype(labels.dtype, jnp.integer):
            raise DataError(f"labels are {labels.dtype}; OneHot takes integers.\n  Write encode_labels(labels)[0].")
        if not isinstance(labels, Tracer):
            self._check(np.asarray(labels))
        places = np.arange(self.classes, dtype=np.int32).reshape((1,) * labels.ndim + (-1,))
        return (labels[..., None].astype(np.int32) == places).astype(np.float32)  # [..., classes]

    def inverse(self, rows: Any) -> Any:
        """The place of the largest number in each row."""
        return rows.argmax(-1)

    def _check(self, labels: np.ndarray) -> None:
        wrong = np.argwhere((labels < 0) | (labels >= self.classes))
        if wrong.size:
            label = labels[tuple(wrong[0])]
            raise DataError(
                f"labels: row {wrong[0][0]} holds {label}; {self!r} takes 0 to {self.classes - 1}.\n"
                "  Write OneHot(classes) with all of them, or encode_labels(labels)[0] for codes from 0."
            )


def _array(x: Any) -> Any:
    return x if isinstance(x, jax.Array) else plain(x)


def _examples(x: Any) -> tuple[np.ndarray, tuple[int, ...]]:
    # the training part in NumPy, and the axes that its statistics run over: all but the features'
    x = plain(x)
    if not x.size:
        raise DataError("there are no rows to fit on.\n  Write fit(x[split.train]).")
    return x, tuple(range(max(1, x.ndim - 1)))


def _check_finite(numbers: np.ndarray) -> None:
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if wrong.size:
        raise DataError(f"feature {wrong[0]} holds NaN or infinity.\n  Fill or leave out such rows before fitting.")


def _blocks(x: np.ndarray) -> Iterator[np.ndarray]:
    step = max(1, BLOCK // max(1, int(np.prod(x.shape[1:]))))
    return (np.asarray(x[first : first + step], np.float64) for first in range(0, len(x), step))


def _applied(equation: Any, x: Any, *numbers: Numbers) -> Any:
    # in float32 at least, with constants of exactly that type, and multiplied by reciprocals, into which XLA would
    # turn a division by constants: NumPy and XLA then round alike
    x = _array(x)
    dtype = x.dtype if jnp.issubdtype(x.dtype, jnp.floating) else np.dtype(np.float32)
    work = dtype if dtype.itemsize >= 4 else np.dtype(np.float32)
    return equation(x.astype(work), *(_along(n, x.shape, work) for n in numbers)).astype(dtype)


def _along(numbers: Numbers, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    constants = np.asarray(numbers, dtype)
    if not np.all(np.abs(constants) <= 1 / np.finfo(dtype).tiny):  # the reciprocal of a larger one is 0 to XLA
        raise DataError(
            f"the data are too large for {dtype} to be scaled: by {np.max(np.abs(numbers)):.2g}.\n"
            "  Write x / 1e30 before fitting, and after."
        )
    if constants.ndim and (len(shape) < 2 or shape[-1] != constants.size):
        raise ContractError(
            f"the transform was fitted on {constants.size} features; this array has shape {tuple(shape)}.\n"
            f"  The last axis must be {constants.size}."
        )
    return constants.reshape((1,) * (len(shape) - 1) + (-1,)) if constants.ndim else constants
