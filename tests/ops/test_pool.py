"""Pooling over NaN and infinities: what the data holds comes through, as in NumPy; the mask says what counts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.losses import TripletHard, TripletSemiHard
from thalweg.ops.pool import average_pool, global_average_pool, global_max_pool, max_pool, real_max_pool

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("places", [(8,), (4096,), (65, 64), (16, 16, 16)])
@pytest.mark.parametrize("masked", [False, True])
def test_a_nan_is_the_largest_place_of_all(places, masked):
    if masked and len(places) > 1:
        pytest.skip("a mask is of a sequence")
    x = normal(2, *places, 3)
    x[0].reshape(-1, 3)[5, 1] = np.nan
    mask = np.ones((2, *places), bool) if masked else None
    axes = tuple(range(1, x.ndim - 1))
    for ours, theirs in ((global_max_pool, x.max(axes)), (global_average_pool, x.mean(axes))):
        np.testing.assert_allclose(jax.jit(ours)(x, mask), theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("places", [(6,), (40,), (6, 6), (40, 40), (6, 6, 6)])
def test_a_nan_is_the_largest_of_its_windows_and_of_no_other(places):
    x = normal(3, *places, 8)
    x[(1, *(2,) * len(places), 4)] = np.nan
    for pooled in (max_pool, average_pool):
        y = np.isnan(pooled(jnp.asarray(x), 2))
        assert y.sum() == 1
        assert y[(1, *(1,) * len(places), 4)]


def test_a_masked_maximum_keeps_a_nan_and_what_is_lowest():
    x = normal(2, 6, 2)
    x[0, 1, 0], x[0, 4, 0] = np.nan, np.nan  # a real step, and padding
    x[1, :, 1] = -np.inf
    mask, given = jnp.array([[True] * 4 + [False] * 2, [True] * 6]), jnp.asarray(x)
    np.testing.assert_array_equal(real_max_pool(given, mask, 2)[0, :, 0], [np.nan, x[0, 2:4, 0].max(), 0])
    np.testing.assert_array_equal(real_max_pool(given, mask, 2)[1, :, 1], [-np.inf] * 3)
    np.testing.assert_array_equal(
        global_max_pool(given, mask), [[np.nan, x[0, :4, 1].max()], [x[1, :, 0].max(), -np.inf]]
    )
    nothing = jnp.zeros_like(mask)
    assert not np.any(global_max_pool(given, nothing))
    assert not np.any(real_max_pool(given, nothing, 2))


def test_equal_places_share_the_gradient_and_a_hidden_one_gets_none():
    x, mask = jnp.array([[[1.0], [2.0], [2.0], [2.0]]]), jnp.array([[True, True, True, False]])
    assert jax.grad(lambda x: global_max_pool(x)[0, 0])(x).ravel().tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])
    assert jax.grad(lambda x: global_max_pool(x, mask)[0, 0])(x).ravel().tolist() == [0, 0.5, 0.5, 0]
    assert not jnp.any(jax.grad(lambda x: jnp.sum(global_max_pool(x, ~mask & mask)))(x))


@pytest.mark.parametrize("loss", [TripletHard(), TripletSemiHard()])
def test_an_embedding_that_is_nan_is_in_the_loss_of_all_that_it_is_a_negative_of(loss):
    e, y = normal(128, 8), np.arange(128) % 20
    e[5], y[5] = np.nan, 99  # the only one of its identity, so that it has no loss of its own
    assert np.isnan(jax.jit(loss)(y, e)).sum() == 127
