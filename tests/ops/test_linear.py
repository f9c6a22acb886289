import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.ops import add_bias, linear


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
def test_equals_the_equation(lead):
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(*lead, 4)), rng.normal(size=(4, 5)), rng.normal(size=5)
    expected = np.zeros((*lead, 5))
    for place in np.ndindex(*lead):
        for u in range(5):
            expected[*place, u] = b[u] + sum(x[*place, f] * w[f, u] for f in range(4))
    with jax.enable_x64(True):
        np.testing.assert_allclose(linear(jnp.asarray(x), jnp.asarray(w), jnp.asarray(b)), expected, rtol=1e-12)
        np.testing.assert_allclose(linear(jnp.asarray(x), jnp.asarray(w)), expected - b, rtol=1e-12)


def test_without_a_bias_nothing_is_added():
    y = jnp.ones((2, 3))
    assert add_bias(y, None) is y
