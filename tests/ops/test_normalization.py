"""Normalisation where rows do not count and digits are lost. Equations, gradients and twins: the contract battery."""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.kernels import formulas
from thalweg.ops import normalization as ops

ROWS = np.array([1.0, 1, 0, 1])


def test_rows_of_padding_count_neither_forwards_nor_backwards():
    x = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
    x[2] = 1e6
    y, mu, var = ops.normalize(jnp.asarray(x), (0, 1), rows=jnp.asarray(ROWS, jnp.float32))
    real = x[ROWS > 0].astype(np.float64)
    np.testing.assert_allclose(mu.ravel(), real.mean((0, 1)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(var.ravel(), real.var((0, 1)), rtol=1e-5)
    expected = (real - real.mean((0, 1))) / np.sqrt(real.var((0, 1)) + 1e-3)
    np.testing.assert_allclose(np.asarray(y)[ROWS > 0], expected, rtol=1e-4, atol=1e-5)
    gradient = jax.grad(lambda x: (ops.normalize(x, (0, 1), rows=jnp.asarray(ROWS))[0][0] ** 3).sum())(jnp.asarray(x))
    alone = jax.grad(lambda x: (ops.normalize(x, (0, 1))[0][0] ** 3).sum())(jnp.asarray(x[ROWS > 0]))
    np.testing.assert_allclose(gradient[ROWS > 0], alone, rtol=1e-3, atol=1e-5)
    assert not gradient[2].any()
    padding = ops.normalize(jnp.asarray(x), (0, 1), rows=jnp.zeros(4))
    assert all(np.isfinite(part).all() for part in padding)


def test_a_large_mean_costs_no_digits():
    x = (1e4 + np.random.default_rng(0).normal(size=(256, 2))).astype(np.float32)
    _, var = ops.moments(jnp.asarray(x), (0,))
    np.testing.assert_allclose(var[0], x.astype(np.float64).var(0), rtol=1e-4)


def test_statistics_of_bfloat16_are_taken_in_float32():
    x = jnp.ones((4096, 1), jnp.bfloat16) * 3  # a sum in bfloat16 stops at 768
    y, mu, var = ops.normalize(x, (0,))
    assert (mu.dtype, y.dtype) == (jnp.float32, jnp.bfloat16)
    assert (float(mu[0, 0]), float(var[0, 0])) == (3.0, 0.0)


def test_minus_one_group_is_instance_normalisation():
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    expected = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(ops.group_norm(jnp.asarray(x), -1), expected, rtol=1e-4, atol=1e-5)


def test_groups_along_a_middle_axis():
    x = np.random.default_rng(0).normal(size=(2, 6, 3)).astype(np.float32)
    gamma = jnp.arange(1.0, 7.0)
    parts = x.reshape(2, 2, 3, 3)
    mean, var = parts.mean((2, 3), keepdims=True), parts.var((2, 3), keepdims=True)
    expected = ((parts - mean) / np.sqrt(var + 1e-3)).reshape(x.shape) * np.arange(1.0, 7.0)[:, None]
    np.testing.assert_allclose(ops.group_norm(jnp.asarray(x), 2, gamma, axis=1), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("groups", "best"), [(4, 3), (32, 6), (0, 1)])
def test_groups_that_do_not_divide_the_channels(groups, best):
    with pytest.raises(ValueError, match=rf"(?s)6 channels.*{groups} groups.*Write groups={best}"):
        ops.group_norm(jnp.ones((1, 6)), groups)


def test_an_axis_that_is_not_there():
    with pytest.raises(ValueError, match="axis 2 of an input with 2 axes"):
        ops.layer_norm(jnp.ones((1, 6)), axes=2)


@pytest.mark.parametrize("number", [0.1, 1 / 3, 1000.5, 7e7, -3.3e8])
@pytest.mark.parametrize("kernels", [formulas, contextlib.nullcontext], ids=["formulas", "kernels"])
def test_what_is_constant_is_normalised_to_0(kernels, number):
    x = jnp.full((64, 300), number, jnp.float32)
    with kernels():
        assert not np.any(ops.layer_norm(x))
        assert not np.any(ops.group_norm(x, 10))
        assert not np.any(ops.group_norm(x.reshape(4, 16, 300), -1))
        for rows in (None, jnp.arange(64) > 5):
            y, mu, var = ops.normalize(x, (0,), rows=None if rows is None else rows.astype(jnp.float32))
            assert not np.any(y)
            assert not np.any(var)
            assert np.all(mu == np.float32(number))


@pytest.mark.parametrize("kernels", [formulas, contextlib.nullcontext], ids=["formulas", "kernels"])
def test_a_first_number_far_from_the_rest_costs_the_others_no_digits(kernels):
    x = np.random.default_rng(0).normal(size=(64, 300)).astype(np.float32)
    x[:, 0] = x[0] = 1e5
    for axis in (0, 1):
        wide = x.astype(np.float64)
        expected = (wide - wide.mean(axis, keepdims=True)) / np.sqrt(wide.var(axis, keepdims=True) + 1e-3)
        with kernels():
            np.testing.assert_allclose(ops.normalize(jnp.asarray(x), (axis,))[0], expected, atol=2e-5)


def test_the_first_row_may_be_padding_of_any_size():
    x = np.random.default_rng(0).normal(size=(64, 300)).astype(np.float32)
    x[0] = 1e15
    rows = jnp.asarray(np.arange(64) > 0, jnp.float32)
    _, mu, var = ops.normalize(jnp.asarray(x), (0,), rows=rows)
    np.testing.assert_allclose(mu[0], x[1:].mean(0, dtype=float), atol=1e-6)
    np.testing.assert_allclose(var[0], x[1:].var(0, dtype=float), rtol=1e-5)


SIZES = {"float32": (1e-25, 1.0, 1e14, 1e18, 1e20, 1e30, 3e38), "float64": (1e-25, 1e18, 1e120, 1e152, 1e160, 1e300)}
SIZES["bfloat16"] = SIZES["float32"]
KINDS = {  # the axes of the statistics, whether the mean is taken away, the function
    "batch": ((0, 1), True, lambda x: ops.normalize(x, (0, 1))[0]),
    "batch of some rows": ((0, 1), True, lambda x: ops.normalize(x, (0, 1), rows=jnp.ones(len(x)))[0]),
    "group": ((1,), True, lambda x: ops.group_norm(x, -1)),
    "layer": ((2,), True, ops.layer_norm),
    "layer beside": ((2,), True, lambda x: ops.layer_norm_beside(x)[0]),
    "root mean square": ((2,), False, ops.rms_norm),
    "several axes": ((1, 2), True, lambda x: ops.layer_norm(x, axes=(1, 2))),
}


@pytest.mark.parametrize("kernels", [formulas, contextlib.nullcontext], ids=["formulas", "kernels"])
@pytest.mark.parametrize(("dtype", "size"), [(dtype, size) for dtype, sizes in SIZES.items() for size in sizes])
@pytest.mark.parametrize("kind", KINDS)
def test_large_numbers_are_normalised_or_nan_and_so_are_their_gradients(kind, dtype, size, kernels):
    """The equation in units of `size`, so that NumPy's float64 holds it; NaN where the squares overflow, never 0."""
    axes, centred, function = KINDS[kind]
    rng = np.random.default_rng(0)
    with jax.enable_x64(dtype == "float64"), kernels():
        x, dy = (jnp.asarray(rng.uniform(-1, 1, (16, 8, 64)) * scale, dtype) for scale in (size, 1))
        y, back = jax.vjp(jax.jit(lambda x: function(x)), x)  # noqa: PLW0108  a trace of its own
        (dx,) = back(dy)
        y, dx = (np.asarray(a, np.float64) for a in (y, dx))
    if size >= (1e155 if dtype == "float64" else 2e19):
        assert np.isnan(y).all()
        assert np.isnan(dx).all()
        return

    def mean(a):
        return a.mean(axes, keepdims=True)

    epsilon = 1e-3 if centred else 1e-6
    d = np.asarray(x, np.float64) / size
    d -= mean(d) * centred
    rstd = 1 / np.sqrt(mean(d**2) + epsilon / size / size)
    g, h = np.asarray(dy, np.float64), d * rstd
    expected = rstd * (g - centred * mean(g) - h * mean(g * h))
    rtol = {"float32": 1e-5, "float64": 1e-13, "bfloat16": 2**-7}[dtype]
    for found, wanted in ((y, h), (dx, expected / size)):
        np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol * np.abs(wanted).max())


def test_running_statistics_that_overflowed_give_no_zeros():
    assert np.isnan(ops.affine(jnp.ones((2, 3)), jnp.zeros(3)[None], jnp.full((1, 3), jnp.inf), None, None, 1e-3)).all()
