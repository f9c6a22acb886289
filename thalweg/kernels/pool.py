"""Pooling of any dimension, native in one and two, with its gradients.

    max:      y[n, i, c] = max_t   x[n, s i + t - lo, c]      the gradient goes to the first largest place
    average:  y[n, i, c] = mean_t  x[n, s i + t - lo, c]      over the places that are in x

The gradient of `lax.reduce_window` is a sequential search on a CPU (19 ms, the formula below 2). Here the windows are
seen tap by tap: the largest is an elementwise maximum of shifted views of x, its tap `t*` is known, and the derivative
is a choice by comparing each tap with t*. The native maximum keeps t* as a byte.

Shapes: x [batch, *places, channels], y [batch, *out, channels].
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.kernels import library
from thalweg.kernels.precision import widen
from thalweg.kernels.windows import Windows, pad, views
from thalweg.types import Array, ShapeDtype

LEAST = 4
"""Channels below which a vector of neighbours is mostly empty."""

SMALLEST = 2**14
"""Numbers below which a call out of XLA is not worth it."""


def serves(x: Array, w: Windows) -> bool:
    """Whether the native functions run for these."""
    fits = x.ndim in (3, 4) and w.taps <= 256 and set(w.dilation) == {1}
    worth = x.shape[-1] >= LEAST and x.size >= SMALLEST
    return x.dtype == jnp.float32 and fits and worth and library.serves()


def max_pool(x: Array, w: Windows) -> Array:
    """The largest place of each window, by whichever is the faster."""
    if not serves(x, w):
        return max_reference(x, w)
    return _squared(largest(_planar(x), w.planar()), x)


def average_pool(x: Array, w: Windows) -> Array:
    """The mean place of each window, by whichever is the faster."""
    if not serves(x, w):
        return average_reference(x, w)
    return _squared(average(_planar(x), w.planar()), x)


# the native functions: pictures of two axes


def _planar(x: Array) -> Array:
    """A sequence as a picture of height 1."""
    return x if x.ndim == 4 else x[:, None]


def _squared(y: Array, like: Array) -> Array:
    return y if like.ndim == 4 else y[:, 0]


def _call(name: str, results: Any, w: Windows, *arguments: Array) -> Any:
    return library.call(name, results, *arguments, window=np.append(w.numbers(), w.size))


def _outputs(x: Array, w: Windows) -> tuple[int, ...]:
    return (x.shape[0], *w.outputs(x.shape[1:-1]), x.shape[-1])


def _largest(x: Array, w: Windows, winners: tuple[int, ...]) -> tuple[Array, Array]:
    results = ShapeDtype(_outputs(x, w), x.dtype), ShapeDtype(winners, jnp.uint8)
    y, winner = _call("max_pool", results, w, x)
    return y, winner


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def largest(x: Array, w: Windows) -> Array:
    """The largest place of each window."""
    return _largest(x, w, (x.shape[0], 0, 0, 0))[0]


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def largest_and_winner(x: Array, w: Windows) -> tuple[Array, Array]:
    """The largest place of each window, and the tap that holds it."""
    return _largest(x, w, _outputs(x, w))


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def at_winner(dy: Array, winner: Array, w: Windows, places: tuple[int, ...]) -> Array:
    """dx, where each number of `dy` lies at the place of its window that won."""
    return _call("max_pool_data", ShapeDtype((dy.shape[0], *places, dy.shape[-1]), dy.dtype), w, dy, winner)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def average(x: Array, w: Windows) -> Array:
    """The mean place of each window."""
    return _call("average_pool", ShapeDtype(_outputs(x, w), x.dtype), w, x)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def shared(dy: Array, w: Windows, places: tuple[int, ...]) -> Array:
    """dx, where each number of `dy` is shared out among the places of its window."""
    return _call("average_pool_data", ShapeDtype((dy.shape[0], *places, dy.shape[-1]), dy.dtype), w, dy)


Saved = tuple[Array, tuple[int, ...]]


def _forward(x: Array, w: Windows) -> tuple[tuple[Array, Array], Saved]:
    both: Any = largest_and_winner(x, w)
    y, winner = both
    return (y, winner), (winner, x.shape[1:-1])


def _largest_forward(x: Array, w: Windows) -> tuple[Array, Saved]:
    (y, _), saved = _forward(x, w)
    return y, saved


def _at_winner_backward(w: Windows, _: Any, winner: Array, dx: Array) -> tuple[Array, None]:
    return _of_winner(pad(dx, w), winner, w.unpadded()), None


largest.defvjp(_largest_forward, lambda w, saved, dy: (at_winner(dy, saved[0], w, saved[1]),))
largest_and_winner.defvjp(_forward, lambda w, saved, dy: (at_winner(dy[0], saved[0], w, saved[1]),))
at_winner.defvjp(lambda dy, t, w, places: (at_winner(dy, t, w, places), t), _at_winner_backward)
average.defvjp(lambda x, w: (average(x, w), x.shape[1:-1]), lambda w, places, dy: (shared(dy, w, places),))
shared.defvjp(lambda dy, w, places: (shared(dy, w, places), None), lambda w, _, __, dx: (average(dx, w),))


# the formulas


def max_reference(x: Array, w: Windows) -> Array:
    """The largest place of each window by XLA."""
    return _max(pad(x, w, -np.inf), w)


def average_reference(x: Array, w: Windows) -> Array:
    """The mean place of each window by XLA."""
    total = functools.reduce(jnp.add, map(widen, views(pad(x, w), w)))
    return (total / jnp.asarray(_counts(x.shape[1:-1], w), total.dtype)).astype(x.dtype)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _max(x: Array, w: Windows) -> Array:
    return functools.reduce(jnp.maximum, views(x, w))


@_max.defjvp
def _max_jvp(w: Windows, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (x_dot,) = primals, tangents
    taps = views(x, w)
    y = functools.reduce(jnp.maximum, taps)
    winner = _first_equal(taps, y)
    return y, _of_winner_side_by_side(x_dot, winner, w) if w.size == w.strides else _of_winner(x_dot, winner, w)


def _first_equal(taps: list[Array], y: Array) -> Array:
    kind = np.min_scalar_type(len(taps))
    winner = jnp.full(y.shape, len(taps) - 1, kind)
    for t in reversed(range(len(taps) - 1)):
        winner = jnp.where(taps[t] == y, jnp.asarray(t, kind), winner)
    return winner


def _of_winner(x_dot: Array, winner: Array, w: Windows) -> Array:
    return functools.reduce(
        jnp.add, (jnp.where(winner == jnp.asarray(t, winner.dtype), v, 0) for t, v in enumerate(views(x_dot, w)))
    )


def _of_winner_side_by_side(x_dot: Array, winner: Array, w: Windows) -> Array:
    # windows that do not overlap are a reshape, whose transpose is one pass over memory without a sum
    batch, *outputs, channels = winner.shape
    inside = tuple(slice(o * k) for o, k in zip(outputs, w.size, strict=True))
    split = [n for pair in zip(outputs, w.size, strict=True) for n in pair]
    x_dot = x_dot[(slice(None), *inside)].reshape(batch, *split, channels)  # [batch, i1, t1, i2, t2, .., channels]
    within = tuple(range(2, x_dot.ndim - 1, 2))
    t = np.arange(w.taps, dtype=winner.dtype).reshape([1, *(n for k in w.size for n in (1, k)), 1])
    chosen = jnp.expand_dims(winner, within) == jnp.asarray(t)
    return jnp.sum(jnp.where(chosen, x_dot, 0), axis=within)


def _counts(sizes: tuple[int, ...], w: Windows) -> np.ndarray:
    """How many places of each window are in the input: [1, *outputs, 1]."""
    present = np.pad(np.ones(sizes), w.pads)
    ones = views(present[None, ..., None], w)
    return np.sum(ones, axis=0)
