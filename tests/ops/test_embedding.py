"""Embedding: rows forward, sums backward, and an index out of range is NaN and trains no row."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import ops


@pytest.mark.parametrize("shape", [(), (5,), (4, 3), (0,)])
def test_rows_and_the_sums_that_come_back(shape):
    rng = np.random.default_rng(0)
    table, indices = rng.normal(size=(11, 6)), rng.integers(-3, 14, shape)
    dy, there = rng.normal(size=(*shape, 6)), (indices >= 0) & (indices < 11)
    y, back = jax.vjp(lambda t: ops.embedding(t, jnp.asarray(indices, jnp.int32)), jnp.float32(table))
    np.testing.assert_array_equal(y, np.where(there[..., None], np.float32(table)[np.clip(indices, 0, 10)], np.nan))
    expected = np.zeros_like(table)
    np.add.at(expected, indices[there], dy[there])
    np.testing.assert_allclose(back(jnp.float32(dy))[0], expected, rtol=1e-5, atol=1e-6)
