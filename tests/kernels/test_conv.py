"""Convolution and pooling: errors instead of crashes, when the native functions serve, second derivatives."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.kernels import conv, depthwise, library, pool
from thalweg.kernels.windows import windows
from thalweg.ops.conv import conv as convolve
from thalweg.ops.conv import conv_transpose, depthwise_conv
from thalweg.ops.pool import average_pool, max_pool
from thalweg.types import ShapeDtype

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def native(kernels_built, monkeypatch):
    monkeypatch.setenv("THALWEG_KERNELS", kernels_built)


def normal(*shape):
    return jnp.asarray(rng.normal(size=shape), jnp.float32)


def call(name, y, *arrays, window=(1, 1, 0, 1, 1, 0, 1), **how):
    return library.call(name, ShapeDtype(y, jnp.float32), *arrays, window=np.array(window, np.int64), **how)


def convolved(y, x, k, window, bias=0):
    return call("conv", y, normal(*x), normal(*k), normal(bias), window=window, relu=False)


@pytest.mark.parametrize(
    ("y", "x", "k", "window", "why"),
    [
        ((2, 3, 3, 5), (2, 5, 5, 3), (3, 3, 3, 5), (0, 1, 0, 1, 1, 0, 1), "out of range"),
        ((2, 3, 3, 5), (2, 5, 5, 3), (3, 3, 3, 5), (1, 1, 0, 1, 1, 0), "out of range"),
        ((2, 3, 3, 5), (2, 5, 5, 3), (3, 3, 3, 5), (1, 1, 0, 1, 1, 0, 0), "out of range"),
        ((3, 3, 5), (5, 5, 3), (3, 3, 5), (1, 1, 0, 1, 1, 0, 1), "four axes"),
        ((2, 3, 3, 5), (2, 5, 5, 3), (3, 3, 5), (1, 1, 0, 1, 1, 0, 1), "as many axes"),
        ((2, 3, 3, 5), (4, 5, 5, 3), (3, 3, 3, 5), (1, 1, 0, 1, 1, 0, 1), "different sizes"),
        ((2, 3, 3, 5), (2, 5, 5, 4), (3, 3, 3, 5), (1, 1, 0, 1, 1, 0, 1), "number of channels"),
        ((2, 3, 3, 4), (2, 5, 5, 3), (3, 3, 3, 5), (1, 1, 0, 1, 1, 0, 1), "other channels"),
        ((2, 3, 3, 5), (2, 5, 5, 6), (3, 3, 3, 5), (1, 1, 0, 1, 1, 0, 2), "other channels"),
        ((1, 2, 3, 3, 5), (2, 2, 5, 5, 3), (2, 3, 3, 3, 5), (1, 1, 0, 1, 1, 0, 1), "leading axes"),
    ],
)
def test_shapes_that_do_not_fit_are_an_error(y, x, k, window, why):
    with pytest.raises(jax.errors.JaxRuntimeError, match=why):
        convolved(y, x, k, window)


def test_a_bias_that_does_not_fit_is_an_error():
    with pytest.raises(jax.errors.JaxRuntimeError, match="a number for each channel"):
        convolved((2, 2, 2, 5), (2, 4, 4, 3), (3, 3, 3, 5), (1, 1, 0, 1, 1, 0, 1), bias=4)
    y, dy = ShapeDtype((3, 4), jnp.float32), normal(3, 5)
    with pytest.raises(jax.errors.JaxRuntimeError, match="as large as dy"):
        library.call("ending_gradient", (y, ShapeDtype((5,), jnp.float32)), normal(3, 4), dy)


def test_windows_of_no_use_read_zeros():
    """A window wholly outside of the input, whatever the numbers say, reads nothing and does not crash."""
    y = convolved((2, 3, 3, 5), (2, 4, 4, 20), (3, 3, 20, 5), (5, 9, -99, 7, 3, 800, 1))
    assert not np.any(y)


def test_pooling_of_shapes_that_do_not_fit_is_an_error():
    with pytest.raises(jax.errors.JaxRuntimeError, match="channels differ"):
        call("average_pool", (2, 2, 2, 3), normal(2, 4, 4, 4), window=(2, 1, 0, 2, 1, 0, 2, 2))
    with pytest.raises(jax.errors.JaxRuntimeError, match="256 places"):
        call("average_pool", (2, 2, 2, 3), normal(2, 4, 4, 3), window=(2, 1, 0, 2, 1, 0, 2, 200))
    with pytest.raises(jax.errors.JaxRuntimeError, match="a winner for each"):
        call("max_pool_data", (2, 4, 4, 3), normal(2, 2, 2, 3), jnp.zeros((2, 2, 2, 1), jnp.uint8),
             window=(2, 1, 0, 2, 1, 0, 2, 2))  # fmt: skip


def test_depthwise_shapes_that_do_not_fit_are_an_error():
    with pytest.raises(jax.errors.JaxRuntimeError, match="channels differ"):
        call("depthwise", (2, 3, 3, 5), normal(2, 5, 5, 5), normal(3, 3, 4))


def served(function, *arguments):
    return "thalweg." in jax.jit(function).lower(*arguments).as_text()


def test_the_rule():
    x, k = normal(4, 16, 16, 8), normal(3, 3, 8, 8)
    assert served(convolve, x, k)
    assert served(convolve, x.reshape(64, 16, 8), k[0])
    assert served(convolve, x.astype(jnp.bfloat16), k.astype(jnp.bfloat16))
    assert served(conv_transpose, x, k)
    assert served(depthwise_conv, x, k[:, :, :, :2])
    assert served(lambda x: max_pool(jnp.tile(x, (4, 1, 1, 1)), 2), x)
    assert not served(convolve, x[:, None], k[None])
    assert not served(convolve, x[:1, :3, :3], k)
    assert not served(lambda x: max_pool(x, 2), x[..., :1])


def test_a_convolution_of_single_places_is_a_product():
    text = jax.jit(convolve).lower(normal(4, 16, 16, 64), normal(1, 1, 64, 32)).as_text()
    assert "thalweg.matmul" in text


def second(function, *arguments):
    """A derivative of the derivative: of the squared length of the gradient."""

    def length(*arguments):
        gradients = jax.grad(lambda *a: jnp.sum(jnp.sin(function(*a))), tuple(range(len(arguments))))(*arguments)
        return sum(jnp.sum(g**2) for g in gradients)

    return jax.jit(jax.grad(length, tuple(range(len(arguments)))))(*arguments)


@pytest.mark.parametrize(
    ("run", "formula", "shapes"),
    [
        (lambda x, k, w: conv.forward(x, k, w, 1), lambda x, k, w: conv.reference(x, k, w, 1), [(3, 3, 4, 6)]),
        (depthwise.forward, depthwise.reference, [(3, 3, 4)]),
        (pool.largest, pool.max_reference, []),
        (pool.average, pool.average_reference, []),
    ],
)
def test_second_derivatives(run, formula, shapes):
    arguments, w = [normal(2, 7, 8, 4), *(normal(*s) / 6 for s in shapes)], windows((7, 8), 3, 2, "same")
    found = second(lambda *x: run(*x, w), *arguments)
    for a, b in zip(found, second(lambda *x: formula(*x, w), *arguments), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * float(jnp.abs(b).max()))


def test_of_equal_places_the_first_takes_the_gradient_and_of_nan_as_in_the_formula():
    w = windows((4, 4), 2, 2)
    for x in (jnp.ones((1, 4, 4, 3)), jnp.ones((1, 4, 4, 3)).at[0, 0, 1, 1].set(jnp.nan)):
        found, expected = (
            jax.grad(lambda x, f=f: jnp.sum(jnp.asarray(f(x, w)) * jnp.arange(12.0).reshape(1, 2, 2, 3)))(x)
            for f in (pool.largest, pool.max_reference)
        )
        np.testing.assert_array_equal(found, expected)


def test_bfloat16_is_the_formula_up_to_its_rounding():
    x, k = normal(2, 12, 12, 8), normal(3, 3, 8, 16)
    y = convolve(x.astype(jnp.bfloat16), k.astype(jnp.bfloat16))
    assert y.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.float32(y), convolve(x, k), atol=0.25, rtol=0.05)


def test_average_pooling_of_a_sequence_is_that_of_a_picture():
    x = normal(8, 64, 64)
    np.testing.assert_array_equal(average_pool(x, 3, 2), average_pool(x[:, None], (1, 3), (1, 2))[:, 0])


@pytest.mark.parametrize("setting", ["on", "off"])
@pytest.mark.parametrize("cases", ["some", pytest.param("all", marks=pytest.mark.long)])
def test_odd_settings_neither_end_the_process_nor_change_a_number(cases, setting):
    environment = {**os.environ, "THALWEG_KERNELS": setting}
    run = subprocess.run(
        [sys.executable, "-m", "tests.kernels.odd_convolutions", cases],
        capture_output=True, text=True, check=False, env=environment, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert run.returncode == 0, f"{run.stdout[-100:]}\n{run.stderr[-2000:]}"
