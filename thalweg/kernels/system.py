"""What this machine gives to Thalweg: processor, devices, versions, which kernels serve, and what their lack costs."""

import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

import jax

from thalweg import compilation
from thalweg.kernels import library

COST = (
    "a CNN trains 1.3 to 2 times as long, a recurrent network 2 to 2.7 times, a Transformer 1.6 to 1.8 times, "
    "a small dense network no longer"
)
COMPILERS = ("c++", "g++", "clang++")


def describe() -> list[tuple[str, str]]:
    """The facts, a line each: what it is, and what was found."""
    return [
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("devices", ", ".join(f"{d.platform} {d.id}" for d in jax.devices())),
        ("versions", f"Python {platform.python_version()}, JAX {jax.__version__}, jaxlib {version('jaxlib')}"),
        ("compiled programs", str(compilation.folder() or "not kept: THALWEG_CACHE=off")),
        ("native kernels", _kernels()),
    ]


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((r.split(":", 1)[1].strip() for r in lines if r.startswith("model name")), platform.machine())


def _kernels() -> str:
    serving = library.level()
    if serving is not None:
        best = library.best_level()
        lesser = f"; THALWEG_KERNELS asks for it, {best} would serve" if serving != best else ""
        return f"serve, with {serving}{lesser}: {library.path_of(serving)}"
    if library.best_level() is None:
        there = any(map(shutil.which, COMPILERS))
        remedy = library.REBUILD if there else "install a C++ compiler, then thalweg again"
        return f"not built, the formulas in JAX run: {COST}.\nTo build them: {remedy}."
    if library.setting() == "off":
        return f"switched off by THALWEG_KERNELS=off: {COST}."
    if jax.default_backend() == "cpu":
        return f"refused by this jaxlib, the formulas in JAX run: {COST}.\nTo build them again: {library.REBUILD}."
    return f"not needed: XLA's own run on {jax.default_backend()}."
