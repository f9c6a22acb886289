"""Rows of pooling: windows in loops, Keras as twin."""

import itertools

import numpy as np

from tests.contract.row import Row
from tests.contract.rows.conv import keras, many, margins
from thalweg import layers as L


def pooled(reduce, size, strides=None, padding="valid"):
    """`reduce` over the places of each window that lie in x."""

    def compute(w, x):
        x = np.asarray(x, np.float64)
        rank = x.ndim - 2
        k, s = many(size, rank), many(size if strides is None else strides, rank)
        lows = [margins(n, ki, si, 1, padding) for n, ki, si in zip(x.shape[1:-1], k, s, strict=True)]
        out = [(n + sum(lo) - ki) // si + 1 for n, lo, ki, si in zip(x.shape[1:-1], lows, k, s, strict=True)]
        y = np.zeros((x.shape[0], *out, x.shape[-1]))
        for i in itertools.product(*map(range, out)):
            starts = [a * si - lo for a, si, (lo, _) in zip(i, s, lows, strict=True)]
            window = tuple(slice(max(b, 0), b + ki) for b, ki in zip(starts, k, strict=True))
            y[(slice(None), *i)] = reduce(x[(slice(None), *window)], axis=tuple(range(1, rank + 1)))
        return y

    return compute


def whole(reduce, keepdims=False):
    return lambda w, x: reduce(np.asarray(x, np.float64), axis=tuple(range(1, x.ndim - 1)), keepdims=keepdims)


def row(name, shape, numbers, **settings):
    return Row(getattr(L, name)(**settings), shape, numbers, keras(name, **settings), differentiable="Max" not in name)


SHAPES = {1: (2, 7, 3), 2: (2, 5, 6, 2), 3: (2, 4, 4, 5, 2)}
ROWS = [
    *(row(f"MaxPooling{d}D", SHAPES[d], pooled(np.max, 2), pool_size=2) for d in (1, 2, 3)),
    *(row(f"AveragePooling{d}D", SHAPES[d], pooled(np.mean, 2), pool_size=2) for d in (1, 2, 3)),
    row("MaxPooling2D", SHAPES[2], pooled(np.max, 3, 2, "same"), pool_size=3, strides=2, padding="same"),
    row("AveragePooling2D", SHAPES[2], pooled(np.mean, 3, 2, "same"), pool_size=3, strides=2, padding="same"),
    *(row(f"GlobalMaxPooling{d}D", SHAPES[d], whole(np.max)) for d in (1, 2, 3)),
    *(row(f"GlobalAveragePooling{d}D", SHAPES[d], whole(np.mean, True), keepdims=True) for d in (1, 2, 3)),
]
