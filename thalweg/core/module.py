"""Module: a network's part as frozen hyperparameters; its arrays live outside.

A module's `__call__(self, cx, x)` states the equation once. The Context `cx` hands it parameters, state and randomness
by the path of field names, so a module never holds an array, and a child is simply called:

    class Block(Module):
        first: Module
        second: Module

        def __call__(self, cx, x):
            return self.second(cx, self.first(cx, x))

The first argument decides what a call means: with a Context it computes, with a Node (`layers/node.py`) it wires a
graph. Both offer `run(module, body, args, kwargs)`, and that is all a module knows of them.
"""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import field
from typing import Any, ClassVar

from thalweg.core.face import Face, children, tell
from thalweg.record import Record


class Module(Record, Face):
    """The base of layers and networks: a frozen dataclass whose `__call__(cx, x)` computes.

    Class attributes a layer may set:
      axes    the axes of its input, such as "batch time features"; the core checks the rank and words the error
      casts   True where integers in the first input are numbers (pixels), to be cast to the compute dtype; False where
              they may be indices that a later layer reads
      keeps_mask  False where the output's second axis is no longer the time of the input, though its length be the same
    """

    axes: ClassVar[str] = ""
    casts: ClassVar[bool] = False
    keeps_mask: ClassVar[bool] = True

    input_shape: tuple[int | None, ...] | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    trainable: bool = field(default=True, kw_only=True)

    def __init_subclass__(cls) -> None:
        Record.__init_subclass__.__func__(cls)  # type: ignore[attr-defined]
        cls.__setattr__ = tell
        if "__call__" in cls.__dict__:
            cls.__call__ = _routed(cls.__dict__["__call__"])

    def remedy(self, previous: "Module | None") -> str:
        """What to write instead when the rank of the input does not fit; `previous` is the module that made it."""
        return ""

    def outlet(self) -> "tuple[str, ...] | None":
        """The path of the child that computes the output, where there is one."""
        return None

    def ending(self) -> "tuple[Module, Any]":
        """This module without the activation that its output is, and that activation, or None.

        It is the field `activation`; a layer that uses this field inside (a recurrent cell) returns `self, None`.
        """
        activation = getattr(self, "activation", None)
        if activation is None:
            return self, None
        rest = dataclasses.replace(self, activation=None)
        of_output = getattr(self, "activity_regularizer", None)
        if of_output is not None:
            rest = dataclasses.replace(rest, activity_regularizer=Through(activation, of_output))
        return rest, activation


class Through(Record):
    """A regularizer of what `activation` makes of an output: the output's, once its activation is set apart."""

    activation: Any
    regularizer: Any


def _routed(body: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(body)
    def call(self: Module, first: Any, *args: Any, **kwargs: Any) -> Any:
        route = first if hasattr(first, "run") else _first_with_run(first, self)
        return route.run(self, body, (first, *args), kwargs)

    return call


def _first_with_run(value: Any, module: Module) -> Any:
    for part in value if isinstance(value, tuple | list) else ():
        if hasattr(part, "run"):
            return part
    raise TypeError(
        f"{module!r} was called with {type(value).__name__}. A module holds no arrays:\n"
        "  inside a module write layer(cx, x); to wire a graph start from Input(shape); to compute use init and apply."
    )


def replace_at(module: Module, path: tuple[str, ...], new: Module) -> Module:
    """`module` with the descendant at `path` replaced."""
    if not path:
        return new
    for part, child in children(module):
        if path[: len(part)] == part:
            value = replace_at(child, path[len(part) :], new)
            if len(part) == 2:
                items = getattr(module, part[0])
                i = int(part[1])
                return dataclasses.replace(module, **{part[0]: (*items[:i], value, *items[i + 1 :])})
            return dataclasses.replace(module, **{part[0]: value})
    raise KeyError(".".join(path))


def split_activation(module: Module) -> tuple[Module, Any]:
    """`module` without its final activation, and that activation: the logits' network, for losses taken from logits.

    The paths of parameters do not change. A network that ends without one comes back as it is, with None.
    """
    path: tuple[str, ...] = ()
    last = module
    while (outlet := last.outlet()) is not None:
        path, last = path + outlet, dict(children(last))[outlet]
    rest, activation = last.ending()
    return (module, None) if activation is None else (replace_at(module, path, rest), activation)
