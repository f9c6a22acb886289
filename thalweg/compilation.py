"""Compiled programs: kept on disk between processes, so that a second run starts at once; the last of them kept in the
process; run where they are called, in memory that stays with it.

`THALWEG_CACHE` names the folder (default `~/.cache/thalweg`); `THALWEG_CACHE=off` keeps nothing. A cache that the user
has set through JAX's own settings is left as it is.
"""

import ctypes
import functools
import os
import sys
from pathlib import Path

import jax

kept = functools.lru_cache(16)
"""Of a function that compiles a program for a network, keeps the last 16 programs; earlier ones go, and their memory.

A function under `jax.jit` that takes the network as a static argument would keep what it compiled for each network of a
process: for two dense layers 30 MB, and 230 of the 65,530 memory maps that Linux allows. Hundreds of networks later,
in a study or a notebook, XLA would crash for want of them.
"""


def folder() -> Path | None:
    """Where Thalweg keeps what it can make again; None when it is to keep nothing."""
    stated = os.environ.get("THALWEG_CACHE", "")
    if stated.lower() == "off":
        return None
    return Path(stated) if stated else Path.home() / ".cache" / "thalweg"


def keep_programs() -> None:
    """Tell JAX to keep every compiled program, however quickly it was compiled."""
    where = folder()
    if where is None or jax.config.values.get("jax_compilation_cache_dir"):
        return
    jax.config.update("jax_compilation_cache_dir", str(where / "programs"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def answer_at_once() -> None:
    """Tell JAX to run programs of the CPU on the thread that calls them.

    To hand a small one to another thread and wait for it costs more than the program: 45 us for one picture through a
    dense network, 13 us without. Nothing is lost in training, whose chunks are long and are waited for anyway.
    """
    jax.config.update("jax_cpu_enable_async_dispatch", False)


def keep_memory() -> None:
    """Tell the C library to keep freed memory for the next step, rather than give it back to the system.

    A program asks for the memory of its intermediate values at each run. By default a large block comes fresh from the
    system, which clears it page by page: a fifth of a Transformer's step. Kept, it costs no more than the memory
    of the largest program, until the process ends. Only glibc has these settings (`man mallopt`); the user's own, in
    `MALLOC_TRIM_THRESHOLD_` or `GLIBC_TUNABLES`, are left as they are.
    """
    own = {"MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"} & set(os.environ)
    if own or not sys.platform.startswith("linux"):
        return
    settings = getattr(ctypes.CDLL(None), "mallopt", None)
    if settings is not None:
        trim, mapped, largest = -1, -3, 2**31 - 1
        settings(trim, largest)
        settings(mapped, largest)
