"""Rows of padding, cropping and upsampling."""

import numpy as np

from tests.contract.row import Row
from tests.contract.rows.conv import keras
from thalweg import layers as L


def padded(*pairs):
    return lambda w, x: np.pad(np.asarray(x, np.float64), [(0, 0), *pairs, (0, 0)])


def cropped(*pairs):
    inner = tuple(slice(lo, None if hi == 0 else -hi) for lo, hi in pairs)
    return lambda w, x: np.asarray(x, np.float64)[(slice(None), *inner)]


def repeated(*times):
    def compute(w, x):
        y = np.asarray(x, np.float64)
        for axis, k in enumerate(times, 1):
            y = np.repeat(y, k, axis=axis)
        return y

    return compute


def bilinear(times):
    """y at (i + 1/2) / k - 1/2, between the two nearest places, the edge continued."""

    def along(x, axis):
        n = x.shape[axis]
        place = np.clip((np.arange(n * times) + 0.5) / times - 0.5, 0, n - 1)
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, n - 1)
        share = (place - low).reshape([-1 if a == axis else 1 for a in range(x.ndim)])
        return np.take(x, low, axis) * (1 - share) + np.take(x, high, axis) * share

    return lambda w, x: along(along(np.asarray(x, np.float64), 1), 2)


def row(name, shape, numbers, **settings):
    return Row(getattr(L, name)(**settings), shape, numbers, keras(name, **settings))


ROWS = [
    row("ZeroPadding1D", (2, 3, 2), padded((1, 2)), padding=(1, 2)),
    row("ZeroPadding2D", (2, 3, 2, 2), padded((1, 2), (0, 1)), padding=((1, 2), (0, 1))),
    row("ZeroPadding3D", (2, 2, 2, 3, 1), padded((1, 1), (2, 2), (1, 1)), padding=(1, 2, 1)),
    row("Cropping1D", (2, 5, 2), cropped((1, 2)), cropping=(1, 2)),
    row("Cropping2D", (2, 4, 5, 2), cropped((1, 0), (0, 2)), cropping=((1, 0), (0, 2))),
    row("Cropping3D", (2, 4, 4, 4, 1), cropped((1, 1), (1, 1), (1, 1)), cropping=1),
    row("UpSampling1D", (2, 3, 2), repeated(3), size=3),
    row("UpSampling2D", (2, 2, 3, 2), repeated(2, 3), size=(2, 3)),
    row("UpSampling2D", (2, 3, 4, 2), bilinear(2), size=2, interpolation="bilinear"),
    row("UpSampling3D", (2, 2, 2, 3, 1), repeated(2, 2, 2), size=2),
]
