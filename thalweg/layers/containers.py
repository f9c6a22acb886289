"""Modules made of modules: one after another, around a shortcut, side by side."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from thalweg.core import Context, Module
from thalweg.errors import ContractError
from thalweg.layers.common import Activation, finish
from thalweg.layers.graph import Port
from thalweg.layers.mask import real_in_all
from thalweg.layers.node import Node
from thalweg.ops.merge import add, merging
from thalweg.record import Record
from thalweg.types import Tree


class Sequential(Module):
    """y = f_n(... f_2(f_1(x))). Without layers it is the identity.

    Args:
        layers: f_1, f_2, ...; an `Input(shape)` in front states the shape of a row.

    >>> from thalweg.layers.dense import Dense
    >>> Sequential([Dense(2), Dense(1)])
    Sequential((Dense(2), Dense(1)))
    """

    keeps_mask: ClassVar[bool] = False  # the last layer says

    layers: Sequence[Any] = ()  # modules; an Input may stand first

    def __post_init__(self) -> None:
        first = self.layers[0] if self.layers else None
        if isinstance(first, Node) and isinstance(first.maker, Port):  # an Input in front states the shape
            object.__setattr__(self, "layers", self.layers[1:])
            object.__setattr__(self, "input_shape", first.maker.shape)
        for layer in self.layers:
            if not isinstance(layer, Module):
                raise ContractError(f"Sequential takes layers; it received {layer!r}.\n  Write Dense(10), for example.")
        Record.__post_init__(self)

    def __call__(self, cx: Context, x: Tree) -> Tree:
        """The layers on `x`, one after another."""
        for layer in self.layers:
            x = layer(cx, x)
        return x

    def indices(self, port: int | str = 0) -> int | None:
        """What the first layer says of the data's indices; None where it takes none."""
        first = getattr(self.layers[0], "indices", None) if self.layers else None
        return first and first(port)

    def inlet(self) -> tuple[str, ...] | None:
        """The first layer."""
        return ("layers", "0") if self.layers else None

    def outlet(self) -> tuple[str, ...] | None:
        """The last layer."""
        return ("layers", str(len(self.layers) - 1)) if self.layers else None


class Residual(Module):
    """y = activation(body(x) + shortcut(x)). He et al. 2015, arXiv:1512.03385.

    Args:
        body: what is learned beside the shortcut.
        shortcut: None for x itself; else a module that brings x to the body's shape.
        activation: after the sum.
    """

    body: Module
    shortcut: Module | None = None
    activation: Activation = None

    def inlet(self) -> tuple[str, ...]:
        """The body."""
        return ("body",)

    def __call__(self, cx: Context, x: Tree) -> Tree:
        """The module on `x`."""
        body = self.body(cx, x)
        return finish(cx, add([body, x if self.shortcut is None else self.shortcut(cx, x)]))


class Parallel(Module):
    """y = merge(f_1(x), f_2(x), ...).

    Args:
        branches: f_1, f_2, ...
        merge: "add", "average", "concatenate" (along the last axis), "maximum" or "multiply"; or a layer that takes a
            list, such as Concatenate(axis=1).
    """

    keeps_mask: ClassVar[bool] = False

    branches: Sequence[Module]
    merge: str | Module | Callable = "add"

    def __call__(self, cx: Context, x: Tree) -> Tree:
        """The module on `x`."""
        outputs = [branch(cx, x) for branch in self.branches]
        if isinstance(self.merge, Module):
            return self.merge(cx, outputs)
        return cx.masked(merging(self.merge)(outputs), real_in_all(cx, outputs))
