"""Layers by name: what a stored description may build, and `get`."""

from typing import Any, TypeVar

from thalweg.core import Module
from thalweg.errors import ConfigError, nearest
from thalweg.ops import constraints, initializers, regularizers
from thalweg.record import Record

R = TypeVar("R", bound=type[Record])

ALLOWED: dict[str, type[Record]] = {}
"""The classes that `record.from_json` may build, by name; `register` adds to them."""


def register(cls: R) -> R:
    """Let a stored network hold `cls`, a module or record of your own; serves as a decorator.

    Raises:
        ConfigError: another class has this name.

    >>> from thalweg.core import Module
    >>> @register
    ... class Double(Module):
    ...     def __call__(self, cx, x):
    ...         return 2 * x
    >>> get("double")
    Double()
    """
    known = ALLOWED.setdefault(cls.__name__, cls)
    if known is not cls and known.__module__ != cls.__module__:  # a notebook's cell may define its class again
        raise ConfigError(
            f"{cls.__name__} is already the name of {known.__module__}.{known.__name__}.\n  Rename yours."
        )
    ALLOWED[cls.__name__] = cls
    return cls


def get(name: str, **settings: Any) -> Module:
    """The layer called `name`, whatever its case: `get("dense", units=10)`.

    Raises:
        ConfigError: no layer has this name.
    """
    layers = {known.lower(): cls for known, cls in ALLOWED.items() if issubclass(cls, Module)}
    if name.lower() not in layers:
        raise ConfigError(f"unknown layer {name!r}.\n  {nearest(name, (c.__name__ for c in layers.values()))}")
    return layers[name.lower()](**settings)


for _table in (initializers.INITIALIZERS, regularizers.REGULARIZERS, constraints.CONSTRAINTS):
    for _cls in _table.values():
        register(_cls)
