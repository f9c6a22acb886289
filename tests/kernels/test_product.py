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
