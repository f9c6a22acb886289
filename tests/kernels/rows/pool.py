"""Pooling: windows side by side and overlapping, with and without padding."""

import jax
import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import pool
from thalweg.kernels.windows import windows

SIZES = {
    "batch": st.integers(0, 4),
    "height": st.integers(5, 14),
    "width": st.integers(5, 20),
    "channels": st.integers(1, 40),
}
USUAL = {"batch": 2, "height": 7, "width": 9, "channels": 19}
LARGEST, MEAN = ("max_pool", "max_pool_data"), ("average_pool", "average_pool_data")


def _make(rng, batch, height, width, channels):
    """Numbers in a random order, none near another: a step of finite differences keeps the largest."""
    shape = (batch, height, width, channels)
    return (jnp.float32(rng.permutation(batch * height * width * channels).reshape(shape) / 8),)


def _row(name, native, formula, handlers, size, strides, padding):
    def of(function):
        return lambda x: function(x, windows(x.shape[1:-1], size, strides, padding))

    return Row(name, of(native), jax.jit(of(formula)), _make, SIZES, USUAL, (0,), handlers=handlers, examples=4)


def _shared_row():
    """The gradient of the mean as an operation: its own gradient is the mean."""
    sizes = (7, 9)

    def native(dy):
        return pool.shared(dy, windows(sizes, 3, 2, "same"), sizes)

    def reference(dy):
        w = windows(sizes, 3, 2, "same")
        x = jnp.zeros((dy.shape[0], *sizes, dy.shape[-1]))
        return jax.vjp(lambda x: pool.average_reference(x, w), x)[1](dy)[0]

    def make(rng, batch, channels):
        return (jnp.float32(rng.normal(size=(batch, 4, 5, channels))),)

    some = {"batch": st.integers(0, 4), "channels": st.integers(1, 40)}
    return Row(
        "mean shared out", native, jax.jit(reference), make, some, {"batch": 2, "channels": 5}, (0,), handlers=MEAN
    )


ROWS = [
    row
    for kind, size, strides, padding in (
        ("side by side", 2, 2, "valid"),
        ("side by side, padded", (3, 2), (3, 2), "same"),
        ("overlapping", 3, 2, "valid"),
        ("overlapping, padded", (3, 4), (1, 2), "same"),
        ("with gaps", (2, 1), (3, 2), "valid"),
    )
    for row in (
        _row(f"largest of windows {kind}", pool.largest, pool.max_reference, LARGEST, size, strides, padding),
        _row(f"mean of windows {kind}", pool.average, pool.average_reference, MEAN, size, strides, padding),
    )
] + [_shared_row()]
