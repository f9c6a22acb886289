"""Positions against their equations, place by place."""

import jax.numpy as jnp
import numpy as np
import pytest

from tests.contract.rows.attention import turned
from thalweg import ops
from thalweg.errors import ContractError


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
