"""The native library: found, loaded, and its functions made known to XLA.

`pip install` builds the library for this machine's instruction set where a compiler is there (`native/`); a wheel has
one for each. The best one that this processor can run is loaded when a kernel is first traced. Without it, on other
devices, and under `THALWEG_KERNELS=off` the formulas in JAX run instead: nothing but speed differs, within the
tolerances that the tests state.

`THALWEG_KERNELS` may also be `base` or `avx2`, for a lesser instruction set than the best, and `THALWEG_NATIVE` names
another folder to look for the libraries.
"""

import contextlib
import contextvars
import ctypes
import functools
import importlib.metadata
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jax

from thalweg.errors import ConfigError, nearest
from thalweg.types import ShapeDtype

LEVELS = ("base", "avx2", "avx512", "amx")
REBUILD = "pip install --force-reinstall --no-deps thalweg"
SUFFIX = {"win32": ".dll"}.get(sys.platform, ".so")  # CMake names a module so on macOS too


def setting() -> str:
    """What `THALWEG_KERNELS` asks for: "on", "off", or an instruction set."""
    stated = os.environ.get("THALWEG_KERNELS", "on").lower()
    known = ("on", "off", *LEVELS)
    if stated not in known:
        raise ConfigError(f"THALWEG_KERNELS={stated!r} is unknown.\n  {nearest(stated, known)}")
    return stated


def folder() -> Path:
    """Where the libraries lie: where the installation put them, which for an editable one is not beside this file."""
    stated = os.environ.get("THALWEG_NATIVE")
    if stated:
        return Path(stated)
    try:
        return Path(str(importlib.metadata.distribution("thalweg").locate_file("thalweg/kernels")))
    except importlib.metadata.PackageNotFoundError:  # run from its sources, never installed
        return Path(__file__).parent


def path_of(level: str) -> Path | None:
    """The library of an instruction set, where it was built."""
    path = folder() / f"libthalweg-{level}{SUFFIX}"
    return path if path.exists() else None


@functools.cache
def best_level() -> str | None:
    """The best instruction set that is built and that this processor has; None where nothing was built."""
    built = [level for level in LEVELS if path_of(level)]
    if not built:
        return None
    able = ctypes.CDLL(str(path_of(built[0]))).thalweg_level()  # compiled for the plainest processor in all of them
    return max((level for level in built if LEVELS.index(level) <= able), key=LEVELS.index, default=None)


_formulas: contextvars.ContextVar[bool] = contextvars.ContextVar("formulas", default=False)


@contextlib.contextmanager
def formulas() -> Iterator[None]:
    """A block in which what is traced is made of the formulas in JAX alone: to count or to look into."""
    before = _formulas.set(True)
    try:
        yield
    finally:
        _formulas.reset(before)


def level() -> str | None:
    """The instruction set whose library serves; None where the formulas in JAX run."""
    wanted = setting()
    if wanted == "off" or _formulas.get() or jax.default_backend() != "cpu":
        return None
    best = best_level()
    if best is None:
        return None
    chosen = best if wanted == "on" else min(wanted, best, key=LEVELS.index)
    if path_of(chosen) is None:
        raise ConfigError(f"{chosen} was not built here.\n  Install Thalweg again with THALWEG_LEVELS=all.")
    return chosen if refusal(chosen) is None else None


def serves() -> bool:
    """Whether native kernels run."""
    return level() is not None


@functools.cache
def refusal(level: str) -> str | None:
    """XLA's words where it refuses the library of an instruction set, said once as a warning; None where it takes it.

    A library carries the version of the XLA headers that it was built with, which come with jaxlib. XLA takes its own
    version and older ones; a newer one it refuses when a function is registered.
    """
    try:
        _target("matmul", level)
    except jax.errors.JaxRuntimeError as error:
        said = str(error)
        warnings.warn(
            f"jaxlib {importlib.metadata.version('jaxlib')} refuses the native kernels, so the formulas in JAX run, "
            f"slower: {path_of(level)} was built with another jaxlib.\n"
            f"  Build them again ({REBUILD}), or install a newer jaxlib.\n  XLA's words: {said}",
            stacklevel=2,
        )
        return said
    return None


@functools.cache
def _library(level: str) -> ctypes.CDLL:
    return ctypes.CDLL(str(path_of(level)))


@functools.cache
def _target(name: str, level: str) -> str:
    target = f"thalweg.{name}.{level}"
    function = getattr(_library(level), f"thalweg_{name}", None)
    if function is None:
        raise ConfigError(
            f"{path_of(level)} is older than this Thalweg: it has no {name}.\n"
            "  Install Thalweg again (pip install -e . in a checkout), or set THALWEG_KERNELS=off."
        )
    jax.ffi.register_ffi_target(target, jax.ffi.pycapsule(function), platform="cpu")
    return target


def call(name: str, results: Any, *arguments: Any, aliases: dict[int, int] | None = None, **attributes: Any) -> Any:
    """The native function `name` on `arguments`.

    Under `vmap` it gets all its arguments with the new axis in front, so a kernel takes any leading axes.

    Args:
        name: as in `THALWEG_HANDLER(thalweg_<name>, ...)`.
        results: a `ShapeDtypeStruct` for each result, or one alone.
        arguments: arrays.
        aliases: which result takes the memory of which argument, where nobody else needs it.
        attributes: numbers fixed at compile time.
    """
    served = level()
    assert served is not None, "ask `serves()` first"
    return jax.ffi.ffi_call(
        _target(name, served), results, vmap_method="broadcast_all", input_output_aliases=aliases or {}
    )(*arguments, **attributes)


def like(*arrays: Any) -> Sequence[ShapeDtype]:
    """The shapes and dtypes of arrays, as results."""
    return [ShapeDtype(a.shape, a.dtype) for a in arrays]
