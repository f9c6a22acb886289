"""Layers of several inputs: Add, Average, Concatenate, Maximum, Multiply, Subtract.

They take a list: `Add()([a, b])` in a graph, `self.merge(cx, (a, b))` in a module. Each has a twin in lower case that
makes the layer and calls it on nodes: `add([a, b])`. A step of the output is real where it is in each input that has a
mask (Keras takes the union, and none where an input has none).
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from thalweg.core import Context, Module
from thalweg.layers.mask import one_behind_other, real_in_all
from thalweg.ops import merge
from thalweg.types import Array

Arrays = Sequence[Array]


class Add(Module):
    """y = x_1 + x_2 + ..."""

    def __call__(self, cx: Context, x: Arrays) -> Array:
        """The layer on the list `x`."""
        return cx.masked(merge.add(x), real_in_all(cx, x))


class Average(Module):
    """y = (x_1 + ... + x_n) / n."""

    def __call__(self, cx: Context, x: Arrays) -> Array:
        """The layer on the list `x`."""
        return cx.masked(merge.average(x), real_in_all(cx, x))


class Concatenate(Module):
    """The inputs one behind the other along `axis`; along time, so are their masks."""

    keeps_mask: ClassVar[bool] = False

    axis: int = -1

    def __call__(self, cx: Context, x: Arrays) -> Array:
        """The layer on the list `x`."""
        y = merge.concatenate(x, self.axis)
        return cx.masked(y, (one_behind_other if self.axis in (1, 1 - y.ndim) else real_in_all)(cx, x))


class Maximum(Module):
    """y = max(x_1, x_2, ...), place by place."""

    def __call__(self, cx: Context, x: Arrays) -> Array:
        """The layer on the list `x`."""
        return cx.masked(merge.maximum(x), real_in_all(cx, x))


class Multiply(Module):
    """y = x_1 x_2 ..., place by place."""

    def __call__(self, cx: Context, x: Arrays) -> Array:
        """The layer on the list `x`."""
        return cx.masked(merge.multiply(x), real_in_all(cx, x))


class Subtract(Module):
    """y = x_1 - x_2."""

    def __call__(self, cx: Context, x: Arrays) -> Array:
        """The layer on the list `x`."""
        return cx.masked(merge.subtract(x), real_in_all(cx, x))


def add(inputs: Sequence[Any], **settings: Any) -> Any:
    """`Add()(inputs)`."""
    return _wired(Add(**settings), inputs)


def average(inputs: Sequence[Any], **settings: Any) -> Any:
    """`Average()(inputs)`."""
    return _wired(Average(**settings), inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **settings: Any) -> Any:
    """`Concatenate(axis)(inputs)`."""
    return _wired(Concatenate(axis, **settings), inputs)


def maximum(inputs: Sequence[Any], **settings: Any) -> Any:
    """`Maximum()(inputs)`."""
    return _wired(Maximum(**settings), inputs)


def multiply(inputs: Sequence[Any], **settings: Any) -> Any:
    """`Multiply()(inputs)`."""
    return _wired(Multiply(**settings), inputs)


def subtract(inputs: Sequence[Any], **settings: Any) -> Any:
    """`Subtract()(inputs)`."""
    return _wired(Subtract(**settings), inputs)


def _wired(layer: Any, inputs: Sequence[Any]) -> Any:
    return layer(inputs)
