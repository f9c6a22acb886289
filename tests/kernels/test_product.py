"""A thread keeps the second factor of a product from task to task, and never from call to call."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.kernels import library, matmul


@pytest.mark.skipif(not library.serves(), reason="no native kernels here")
@pytest.mark.parametrize("biased", [(False, False), (True, True), (False, True)])
def test_each_product_has_its_own_second_factor(biased):
    rng = np.random.default_rng(0)
    x = jnp.float32(rng.normal(size=(200, 160)))
    kernels = [jnp.float32(rng.normal(size=(160, 96))) for _ in range(6)]
    bias = jnp.ones(96, jnp.float32)

    def one(i, w):
        return matmul.ended(x, w, bias, False) if biased[i % 2] else matmul.product(x, w, False, False)

    found = jax.jit(lambda: [one(i, w) for i, w in enumerate(kernels)])()
    for i, y in enumerate(found):
        right = np.asarray(x, np.float64) @ np.asarray(kernels[i], np.float64) + (1 if biased[i % 2] else 0)
        np.testing.assert_allclose(y, right, rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(not library.serves(), reason="no native kernels here")
@pytest.mark.parametrize(("m", "k", "n"), [(100, 0, 70), (0, 100, 70), (100, 70, 0), (100, 1, 1)])
@pytest.mark.parametrize("how", [(False, False), (True, False), (False, True), (True, True)])
def test_products_without_terms_rows_or_columns(m, k, n, how):
    a, b = jnp.ones((k, m) if how[0] else (m, k)), jnp.ones((n, k) if how[1] else (k, n))
    y = jax.jit(lambda a, b: matmul.product(a, b, *how))(a, b)
    np.testing.assert_array_equal(y, np.full((m, n), k))
    dw, db = jax.jit(matmul.gradient)(jnp.ones((k, m)), jnp.ones((k, n)))
    np.testing.assert_array_equal(dw, np.full((m, n), k))
    np.testing.assert_array_equal(db, np.full(n, k))
