"""A row per native kernel; a file per row's family. A kernel without a row fails the battery."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st


@dataclasses.dataclass(frozen=True)
class Row:
    """A kernel and what it must equal.

    `native` and `reference` take the same arguments, which `make(rng, **sizes)` makes; `native` must call the kernel
    whatever the rule of its file says. `sizes` are strategies by name, `usual` one choice for the costlier tests.
    """

    name: str
    native: Callable[..., Any]
    reference: Callable[..., Any]
    make: Callable[..., tuple[Any, ...]]
    sizes: Mapping[str, st.SearchStrategy]
    usual: Mapping[str, int]
    differentiable: tuple[int, ...] = ()  # the arguments that have a gradient
    tolerance: float = 1e-5  # of the largest number of the result
    handlers: tuple[str, ...] = ()  # the native functions that this row reaches
    nan: bool = True  # whether NaN and Inf in the arguments come out where they do in the reference
    examples: int = 25
    vmapped: bool = True
    kinks: bool = False  # whether finite differences meet corners


def rows() -> list[Row]:
    """All rows, by file."""
    found = []
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        found += importlib.import_module(f"{__name__}.{info.name}").ROWS
    return found
