"""Compiled programs: kept on disk between processes, so that a second run starts at once; the last of them kept in the
process; run where they are called, in memory that stays with it.

`THALWEG_CACHE` names the folder (default `~/.cache/thalweg`); `THALWEG_CACHE=off` keeps nothing. A cache that the user
has set through JAX's own settings is left as it is.
"""

import ctypes
import functools
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import jax

from thalweg.errors import ContractError

P = ParamSpec("P")
Program = TypeVar("Program")
SHAPES = 64
FIRST: list[int] = []
"""The process that ran the first program."""


def kept(make: Callable[P, Program]) -> Callable[P, Program]:
    """Of a function that compiles a program for a network, keep the last 16; earlier ones go, and their memory.

    A function under `jax.jit` that takes the network as a static argument would keep what it compiled for each network
    of a process: for two dense layers 30 MB, and 230 of the 65,530 memory maps that Linux allows. Hundreds of networks
    later, in a study or a notebook, XLA would crash for want of them.
    """
    programs = functools.lru_cache(16)(make)

    @functools.wraps(make)
    def program(*args: P.args, **kwargs: P.kwargs) -> Program:
        refuse_fork()
        return programs(*args, **kwargs)  # type: ignore[arg-type]

    return program


class ByShape:
    """A compiled function with a program for each shape of its inputs, of which the last `SHAPES` are kept.

    `jax.jit` would keep them all: each length of a text costs half a second and 1 to 2 MB.

    Args:
        function: what is compiled.
        inputs: the places of the arguments whose shapes vary.
        donated: the places of the arguments that are given up to it.
    """

    def __init__(self, function: Callable[..., Any], inputs: tuple[int, ...], donated: tuple[int, ...] = ()) -> None:
        self.function, self.inputs, self.donated = function, inputs, donated
        self._made = 0
        self._program = functools.lru_cache(SHAPES)(self._compiled)

    def __call__(self, *args: Any) -> Any:
        """The function's result."""
        return self.at(*(args[i] for i in self.inputs))(*args)

    def at(self, *inputs: Any) -> Callable[..., Any]:
        """The program for inputs of these shapes."""
        leaves, structure = jax.tree.flatten(inputs)
        return self._program(structure, *((leaf.shape, leaf.dtype) for leaf in leaves))

    def _compiled(self, *_: Any) -> Callable[..., Any]:
        self._made += 1
        if self._made == SHAPES + 1:
            warnings.warn(
                f"a network was given inputs of more than {SHAPES} shapes; programs of the last {SHAPES} are kept.\n"
                "  Pad them to a few lengths (data.pad, data.bucketed), so that nothing is compiled twice.",
                stacklevel=2,
            )
        return jax.jit(functools.partial(self.function), donate_argnums=self.donated)  # JAX keeps by function


def refuse_fork() -> None:
    """Refuse to run a program in a fork of a process that has run one.

    The threads that share its work are not in the fork, and it would wait for them for ever.

    Raises:
        ContractError: this process is such a fork.
    """
    process = os.getpid()
    if not FIRST:
        FIRST.append(process)
    if FIRST[0] != process:
        raise ContractError(
            "this process is a fork of one that had used a network, whose threads did not come along: it would hang.\n"
            "  Start it by multiprocessing.get_context('spawn'), or fork before the first network is used."
        )


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
