"""What is read at many places has its gradient summed in float32, in bfloat16 too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import ops
from thalweg.ops import merge
from thalweg.ops.activations import prelu

PLACES = (100, 20, 30)
MANY = np.linspace(-1, 1, 2 * np.prod(PLACES), dtype=np.float32).reshape(*PLACES, 2)
READ = {
    "add": lambda x, many: merge.add([many, x]),
    "add_bias": lambda x, many: ops.add_bias(many, x.ravel()),
    "embedding": lambda x, many: ops.embedding(x[0, 0], jnp.zeros(PLACES, jnp.int32)),
    "maximum": lambda x, many: merge.maximum([many, x]),
    "multiply": lambda x, many: merge.multiply([many + 2, x]),
    "prelu": lambda x, many: prelu(-many - 2, x),
    "subtract": lambda x, many: merge.subtract([many, x]),
}


@pytest.mark.parametrize("name", READ)
def test_a_sum_over_places_is_rounded_once(name):
    def gradient(dtype):
        def total(x, many, weights):
            y = READ[name](x, many)
            return jnp.sum(y.astype(jnp.float32) * weights.reshape(y.shape))

        given = jnp.ones((1, 1, 1, 2), dtype), jnp.asarray(MANY, dtype), 2 + MANY
        return np.asarray(jax.jit(jax.grad(total))(*given), np.float32)

    np.testing.assert_allclose(gradient(jnp.bfloat16), gradient(jnp.float32), rtol=2**-7)
