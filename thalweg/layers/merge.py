"""Layers of several inputs: Add, Average, Concatenate, Maximum, Multiply, Subtract.

They take a list: `Add()([a, b])` in a graph, `self.merge(cx, (a, b))` in a module. Each has a twin in lower case that
makes the layer and calls it on nodes: `add([a, b])`.
"""

from collections.abc import Sequence
from typing import Any

from thalweg.core import Context, Module
from thalweg.ops import merge
from thalweg.types import Array

Arrays = Sequence[Array]


class Add(Module):
    """y = x_1 + x_2 + ..."""

    def __call__(self, cx: Context, x: Arrays) -> Array:
        """The layer on the list `x`."""
        return merge.add(x)


class Average(Module):
    """y = (x_1 + ... + x_n) / n."""

    def __call__(self, cx: Context, x: Arrays) -> Array:
        """The layer on the list `x`."""
        return merge.average(x)


class Concatenate(Module):
    """The inputs one behind the other along `axis`."""

    axis: int = -1

    def __call__(self, cx: Context, x: Arrays) -> Array:
        """The layer on the list `x`."""
        return merge.concatenate(x, self.axis)


class Maximum(Module):
    """y = max(x_1, x_2, ...), place by place."""

    def __call__(self, cx: Context, x: Arrays) -> Array:
        """The layer on the list `x`."""
        return merge.maximum(x)


class Multiply(Module):
    """y = x_1 x_2 ..., place by place."""

    def __call__(self, cx: Context, x: Arrays) -> Array:
        """The layer on the list `x`."""
        return merge.multiply(x)


class Subtract(Module):
    """y = x_1 - x_2."""

    def __call__(self, cx: Context, x: Arrays) -> Array:
        """The layer on the list `x`."""
        return merge.subtract(x)


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
