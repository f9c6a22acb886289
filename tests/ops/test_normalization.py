"""Normalisation against automatic differentiation, NumPy, and where digits are lost. Finite differences: contract."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.ops import normalization as ops


def plain(x, axes, gamma, beta, epsilon, rows=None):
    """The equation, to be differentiated by JAX."""
    weight = jnp.ones(x.shape[:1]) if rows is None else rows
    weight = jnp.broadcast_to(weight.reshape(-1, *(1,) * (x.ndim - 1)), x.shape)
    n = weight.sum(axes, keepdims=True)
    mu = (x * weight).sum(axes, keepdims=True) / n
    var = (jnp.square(x - mu) * weight).sum(axes, keepdims=True) / n
    y = (x - mu) / jnp.sqrt(var + epsilon)
    return (y if gamma is None else y * gamma) + (0 if beta is None else beta)


ROWS = np.array([1.0, 1, 0, 1])


@pytest.mark.parametrize(
    ("axes", "scale", "rows"),
    [((0, 1), (1, 1, 3), ROWS), ((0, 1), (1, 1, 3), None), ((2,), (1, 1, 3), None), ((1,), None, None)],
    ids=["batch with padding", "batch", "layer", "no scale"],
)
def test_the_backward_pass_equals_automatic_differentiation(axes, scale, rows):
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        x, dy, v = jnp.asarray(rng.normal(size=(3, 4, 2, 3)))
        gamma, beta = (None, None) if scale is None else jnp.asarray(rng.normal(size=(2, *scale)))
        weights = None if rows is None else jnp.asarray(rows)

        def both(function):
            def pull(x, gamma, beta):
                return jax.vjp(lambda *a: function(a[0], axes, *a[1:], 1e-3, weights), x, gamma, beta)[1](dy)

            # the derivative of the derivative too: doctors and second-order methods take it
            return jax.jit(lambda *a: (pull(*a), jax.grad(lambda x: (pull(x, *a[1:])[0] * v).sum())(a[0])))

        got = both(lambda *a: ops.normalize(*a)[0])(x, gamma, beta)
        expected = both(plain)(x, gamma, beta)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11), got, expected)


def test_rows_of_padding_do_not_count():
    x = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
    x[2] = 1e6
    y, mu, var = ops.normalize(jnp.asarray(x), (0, 1), rows=jnp.asarray(ROWS, jnp.float32))
    real = x[ROWS > 0].astype(np.float64)
    np.testing.assert_allclose(mu.ravel(), real.mean((0, 1)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(var.ravel(), real.var((0, 1)), rtol=1e-5)
    expected = (real - real.mean((0, 1))) / np.sqrt(real.var((0, 1)) + 1e-3)
    np.testing.assert_allclose(np.asarray(y)[ROWS > 0], expected, rtol=1e-4, atol=1e-5)
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
