"""Positions against their equations, place by place."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.contract.rows.attention import turned
from thalweg import core, ops
from thalweg.errors import ContractError
from thalweg.layers import SinusoidalPosition


@pytest.mark.parametrize("size", [1, 6, 7])
def test_sinusoid(size):
    places = np.array([[0, 1, 5], [100, 101, 3000]])
    y = ops.sinusoid(jnp.asarray(places, jnp.int32), size, 50.0)
    for b, t, i in np.ndindex(2, 3, size):
        angle = places[b, t] * 50.0 ** (-2 * (i // 2) / size)
        expected = np.cos(angle) if i % 2 else np.sin(angle)
        np.testing.assert_allclose(y[b, t, i], expected, atol=1e-3)


def test_rotary():
    x = np.random.default_rng(0).normal(size=(2, 5, 3, 4))
    y = ops.rotary(jnp.asarray(x, jnp.float32), jnp.arange(5)[None])
    np.testing.assert_allclose(y, turned(x), rtol=1e-5, atol=1e-5)
    later = ops.rotary(jnp.asarray(x[:, 2:], jnp.float32), jnp.array([[2, 3, 4], [0, 1, 2]]))
    np.testing.assert_allclose(later[0], y[0, 2:], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(later[1], turned(x[:, 2:])[1], rtol=1e-5, atol=1e-5)


def test_an_odd_head():
    with pytest.raises(ContractError, match="a head has 3"):
        ops.rotary(jnp.ones((1, 2, 1, 3)), jnp.arange(2)[None])


def test_angles_are_computed_in_the_precision_of_what_they_turn():
    places = np.array([[3, 5000, 123457]])
    with jax.enable_x64(True):
        x = np.random.default_rng(0).normal(size=(1, 3, 2, 64))
        angle = places[..., None, None] * 10000.0 ** (-2 * np.arange(32) / 64)
        a, b = np.split(x, 2, axis=-1)
        expected = np.concatenate(
            [a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], axis=-1
        )
        np.testing.assert_allclose(ops.rotary(jnp.asarray(x), jnp.asarray(places)), expected, atol=1e-9)
        p = ops.sinusoid(jnp.asarray(places), 64, dtype="float64")
        np.testing.assert_allclose(p[..., 0::2], np.sin(angle[:, :, 0]), atol=1e-9)
        layer, nothing = SinusoidalPosition(), jnp.zeros((1, 5001, 64), "float64")
        y, _ = core.apply(layer, {}, {}, nothing, policy=core.FLOAT64)
        np.testing.assert_allclose(y[0, 5000, 0::2], np.sin(angle[0, 1, 0]), atol=1e-9)
