"""Convolution and pooling against XLA's own operations, which they replace on a CPU: values and every gradient."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from thalweg.kernels import formulas
from thalweg.ops.conv import conv
from thalweg.ops.pool import average_pool, max_pool

rng = np.random.default_rng(0)
CASES = [
    # places, channels, taps, filters, strides, padding, dilation, groups
    ((9,), 3, (3,), 4, (1,), "VALID", (1,), 1),
    ((9,), 3, (3,), 4, (2,), "SAME", (1,), 1),
    ((10,), 4, (2,), 6, (1,), "VALID", (3,), 2),
    ((7, 8), 3, (3, 3), 5, (1, 1), "SAME", (1, 1), 1),
    ((7, 8), 3, (3, 2), 5, (2, 3), "VALID", (1, 1), 1),
    ((9, 7), 4, (3, 3), 4, (1, 1), "SAME", (2, 2), 4),
    ((6, 6), 1, (5, 5), 2, (1, 1), "VALID", (1, 1), 1),
    ((5, 4, 6), 2, (2, 3, 2), 3, (1, 2, 1), "SAME", (1, 1, 1), 1),
]


def arrays(places, channels, taps, filters, groups, batch=3):
    x = jnp.asarray(rng.normal(size=(batch, *places, channels)), jnp.float32)
    k = jnp.asarray(rng.normal(size=(*taps, channels // groups, filters)), jnp.float32)
    return x, k


def theirs(x, k, strides, padding, dilation, groups):
    axes = "DHW"[3 - len(strides) :]
    layout = (f"N{axes}C", f"{axes}IO", f"N{axes}C")
    return lax.conv_general_dilated(
        x, k, strides, padding, rhs_dilation=dilation, dimension_numbers=layout, feature_group_count=groups
    )


def value_and_gradients(function, *args):
    y, back = jax.vjp(function, *args)
    return y, *back(jnp.cos(jnp.arange(y.size, dtype=y.dtype)).reshape(y.shape))


def same(a, b):
    for mine, other in zip(a, b, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("places", "channels", "taps", "filters", "strides", "padding", "dilation", "groups"), CASES)
def test_convolution_and_its_gradients_are_those_of_xla(
    places, channels, taps, filters, strides, padding, dilation, groups
):
    x, k = arrays(places, channels, taps, filters, groups)
    ours = value_and_gradients(lambda x, k: conv(x, k, strides, padding.lower(), dilation, groups), x, k)
    same(ours, value_and_gradients(lambda x, k: theirs(x, k, strides, padding, dilation, groups), x, k))


def test_a_batch_in_blocks_is_the_batch_at_once():
    """Large enough that the patches do not fit into the cache."""
    x, k = arrays((26, 26), 32, (3, 3), 16, 1, batch=10)
    ours = value_and_gradients(conv, x, k)
    expected = value_and_gradients(lambda x, k: theirs(x, k, (1, 1), "VALID", (1, 1), 1), x, k)
    for mine, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=2e-2)


@pytest.mark.parametrize(
    ("places", "size", "strides", "padding"),
    [((8,), (2,), (2,), "VALID"), ((7, 9), (2, 2), (2, 2), "VALID"), ((7, 9), (3, 2), (2, 1), "SAME"),
     ((7, 6), (2, 3), (3, 3), "SAME"), ((4, 5, 4), (2, 2, 2), (2, 2, 2), "VALID")],
)  # fmt: skip
def test_pooling_and_its_gradients_are_those_of_xla(places, size, strides, padding):
    x = jnp.asarray(rng.permutation(3 * int(np.prod(places)) * 2), jnp.float32).reshape(3, *places, 2)  # no ties
    window, step = (1, *size, 1), (1, *strides, 1)

    def largest(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, window, step, padding)

    def mean(x):
        total = lax.reduce_window(x, 0.0, lax.add, window, step, padding)
        return total / lax.reduce_window(jnp.ones_like(x), 0.0, lax.add, window, step, padding)

    same(value_and_gradients(lambda x: max_pool(x, size, strides, padding.lower()), x), value_and_gradients(largest, x))
    same(
        value_and_gradients(lambda x: average_pool(x, size, strides, padding.lower()), x), value_and_gradients(mean, x)
    )


def test_of_equal_places_the_first_takes_the_gradient():
    x = jnp.ones((1, 4, 1))
    gradient = jax.grad(lambda x: jnp.sum(max_pool(x, 2)))(x)
    assert gradient[0, :, 0].tolist() == [1.0, 0.0, 1.0, 0.0]


def test_a_training_step_on_a_cpu_has_none_of_the_slow_operations():
    """Inside a compiled loop XLA's convolution is forty times slower, its search for a window's maximum ten times."""
    x, k = arrays((8, 8), 3, (3, 3), 4, 1)

    def loss(x, k):
        return jnp.sum(max_pool(conv(x, k, padding="same"), 2) ** 2)

    with formulas():
        text = jax.jit(jax.grad(loss, argnums=(0, 1))).lower(x, k).as_text()
    assert "dot_general" in text
    assert not [name for name in ("stablehlo.convolution", "select_and_scatter", "reduce_window") if name in text]


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_odd_sizes(padding):
    for n, k, s in itertools.product((3, 4, 7), (1, 2, 3), (1, 2, 3)):
        x, kernel = arrays((n,), 2, (k,), 3, 1, batch=1)
        np.testing.assert_allclose(
            conv(x, kernel, s, padding), theirs(x, kernel, (s,), padding.upper(), (1,), 1), rtol=1e-4, atol=1e-5
        )
