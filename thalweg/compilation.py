"""Compiled programs: kept on disk between processes, so that a second run starts at once; run where they are called.

`THALWEG_CACHE` names the folder (default `~/.cache/thalweg`); `THALWEG_CACHE=off` keeps nothing. A cache that the user
has set through JAX's own settings is left as it is.
"""

import os
from pathlib import Path

import jax


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
