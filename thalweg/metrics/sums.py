"""Sums that stay exact over an epoch of any length.

A float32 sum stops counting at 2^24 and loses digits long before. Here a running sum is two floats: its rounded value
`hi` and in `lo` what rounding took away, which for an addition is itself a float (Knuth, The Art of Computer
Programming 2, 4.2.2). Counts are exact to 2^48, and a mean over millions of rows to the rounding of one float.
"""

from typing import TypeAlias

import jax.numpy as jnp
import numpy as np

from thalweg.types import Array, Dtype

Sum: TypeAlias = dict[str, Array]
"""A running sum, {"hi", "lo"}; of any shape, element by element."""


def zero(shape: tuple[int, ...] = (), dtype: Dtype = jnp.float32) -> Sum:
    """The empty sum."""
    return {"hi": jnp.zeros(shape, dtype), "lo": jnp.zeros(shape, dtype)}


def plus(total: Sum, x: Array) -> Sum:
    """The sum with `x` added."""
    a, b = total["hi"], x.astype(total["hi"].dtype)
    s = a + b
    b_in_s = s - a
    error = (a - (s - b_in_s)) + (b - b_in_s)
    return {"hi": s, "lo": total["lo"] + error}


def joined(a: Sum, b: Sum) -> Sum:
    """The sum of two sums."""
    s = plus(a, b["hi"])
    return {"hi": s["hi"], "lo": s["lo"] + b["lo"]}


def value(total: Sum) -> np.ndarray:
    """The sum as float64. Where it ran to infinity it is infinite, not NaN.

    >>> s = zero()
    >>> for x in (1e8, 1.0, -1e8):
    ...     s = plus(s, jnp.float32(x))
    >>> float(value(s))
    1.0
    """
    hi, lo = np.asarray(total["hi"], np.float64), np.asarray(total["lo"], np.float64)
    return np.where(np.isfinite(hi), hi + lo, hi)


def ratio(a: np.ndarray, b: np.ndarray, empty: float = 0.0) -> np.ndarray:
    """The quotient a / b in float64, and `empty` where b is 0.

    >>> ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0])).tolist()
    [0.5, 0.0]
    """
    return np.divide(a, b, out=np.full(np.shape(a), empty), where=b != 0)
