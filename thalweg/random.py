"""Randomness from (seed, path, step) alone: no generator is ever shared or advanced.

A key is folded by the dotted path of what asks and by the step, so that adding a layer moves no other layer's numbers
and a resumed run draws what the uninterrupted one would have drawn.

Masks come from Threefry-2x32 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), the same generator
as `jax.random`, written out round by round: unrolled, XLA fuses it into one vector loop, where the library's rolled
loop passes over memory at each round (1.3 ms against 28 ms for two million elements on a CPU).
"""

import functools
import itertools
import math
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.types import Array, Key, UInt32

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
STRIDE = 0x9E3779B1
"""Between seeds: the golden ratio's bits, as in SplitMix (Steele et al. 2014), so that close bases stay apart."""


class Seeds:
    """The seeds of networks that were given none: each differs from the one before, in the same order in each process.

    The n-th is base + n g modulo 2^31 (g odd: no two are equal before all were), so the first is the base itself. It is
    an ordinary seed: given to another network, it makes the same one.
    """

    stride = STRIDE

    def __init__(self, base: int = 0) -> None:
        self.base, self.count = base, itertools.count()

    def __next__(self) -> int:
        return (self.base + next(self.count) * self.stride) % 2**31


SEEDS = Seeds()


def set_seed(seed: int) -> None:
    """From now on the seeds of networks that are given none follow from `seed`.

    >>> set_seed(7)
    >>> next(SEEDS)
    7
    >>> set_seed(0)
    """
    Seeds.__init__(SEEDS, seed)


def key(seed: int) -> Array:
    """The key of a seed."""
    return jax.random.key(seed, impl="threefry2x32")


def fold(key: Key[Array, ""], *parts: str | int | Array) -> Array:
    """`key` folded by each part in turn: a path by its CRC-32, a step by its number.

    The bits of `jax.random.fold_in`, whose rolled loops cost a small network's step as much as a layer.
    """
    words = jax.random.key_data(key)
    for part in parts:
        number = _number(part) if isinstance(part, str) else part
        words = _folded(words, np.uint32(number & 0xFFFFFFFF) if isinstance(number, int) else number.astype(jnp.uint32))
    return jax.random.wrap_key_data(words, impl="threefry2x32")


def _number(path: str) -> int:
    return zlib.crc32(path.encode())


@functools.partial(jax.jit, inline=True)
def _folded(words: Array, number: Array) -> Array:
    return jnp.stack(threefry2x32((words[0], words[1]), (jnp.uint32(0), number)))


@jax.jit  # traced and lowered once a shape: a network draws in many layers, and XLA puts the program in its places
def threefry2x32(key: tuple[Array, Array], counter: tuple[Array, Array]) -> tuple[Array, Array]:
    """Twenty rounds of Threefry-2x32: two words of `counter` to two random words under `key`."""
    ks = (key[0], key[1], key[0] ^ key[1] ^ jnp.uint32(PARITY))
    x0, x1 = counter[0] + ks[0], counter[1] + ks[1]
    for group in range(5):
        for r in ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = ((x1 << jnp.uint32(r)) | (x1 >> jnp.uint32(32 - r))) ^ x0
        x0 = x0 + ks[(group + 1) % 3]
        x1 = x1 + ks[(group + 2) % 3] + jnp.uint32(group + 1)
    return x0, x1


def bits(key: Key[Array, ""], shape: tuple[int, ...]) -> UInt32[Array, "..."]:
    """One random word per position p: an output of Threefry at counter (16 floor(p / 32) + p mod 16, 0).

    The first output where p mod 32 < 16, the second elsewhere: 16 counters give 32 positions side by side, so that a
    vector of any width up to 16 throws neither away. The word depends on the key and the position alone, so it is the
    same however the work is split.
    """
    words = jax.random.key_data(key)
    position = jax.lax.iota(jnp.uint32, math.prod(shape))
    counter = position // jnp.uint32(32) * jnp.uint32(16) + position % jnp.uint32(16)
    first, second = threefry2x32((words[0], words[1]), (counter, jnp.zeros_like(counter)))
    return jnp.where(position % jnp.uint32(32) < jnp.uint32(16), first, second).reshape(shape)


def uniform(key: Key[Array, ""], shape: tuple[int, ...]) -> Array:
    """Uniform on [0, 1): the upper 24 bits of a word, so every value is exact in float32."""
    return (bits(key, shape) >> jnp.uint32(8)).astype(jnp.float32) * jnp.float32(2**-24)


def bernoulli(key: Key[Array, ""], p: float | Array, shape: tuple[int, ...]) -> Array:
    """True with probability `p`."""
    return uniform(key, shape) < jnp.asarray(p, jnp.float32)


def normal(key: Key[Array, ""], shape: tuple[int, ...]) -> Array:
    """Standard normal numbers by inversion: sqrt(2) erfinv(2u - 1) with u at the middle of one of 2^23 cells.

    Those middles are exact in float32; with 2^24 cells the last one would round to u = 1, whose image is infinite.
    """
    u = (bits(key, shape) >> jnp.uint32(9)).astype(jnp.float32) * jnp.float32(2**-23) + jnp.float32(2**-24)
    return jnp.sqrt(jnp.float32(2)) * jax.lax.erf_inv(2 * u - 1)


def arrays(
    key: Key[Array, ""], wanted: Mapping[tuple[str, ...], tuple[Callable[..., Array], tuple[int, ...], Any]]
) -> dict[tuple[str, ...], Array]:
    """For each path `initializer(key, shape, dtype)`, the key folded by the path; those alike are compiled once."""
    numbers = jnp.array([_number(".".join(path)) for path in wanted], jnp.uint32)
    keys = jax.vmap(lambda number: fold(key, number))(numbers)
    alike: dict[Any, list[int]] = {}
    for i, what in enumerate(wanted.values()):
        alike.setdefault(what, []).append(i)
    made: dict[int, Array] = {}
    for (initializer, *what), among in alike.items():
        stacked = jax.vmap(initializer, in_axes=(0, None, None))(keys[np.array(among)], *what)
        made |= zip(among, stacked, strict=True)
    return {path: made[i] for i, path in enumerate(wanted)}
