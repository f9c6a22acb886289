import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import random
from thalweg.errors import ConfigError, ContractError
from thalweg.ops import initializer, initializers
from thalweg.ops.initializers import CUT_STDDEV, fans

SHAPE = (5, 5, 30, 80)  # 60,000 numbers: fan_in 750, fan_out 2000
N = math.prod(SHAPE)
IN, OUT = 750, 2000

# name: (standard deviation, largest magnitude, fourth moment over squared variance)
UNIFORM, CUT = 9 / 5, 2.3655  # kurtosis of U(-1, 1), and of the normal cut at two deviations
MOMENTS = {
    "glorot_normal": (math.sqrt(2 / (IN + OUT)), 2 / CUT_STDDEV, CUT),
    "glorot_uniform": (math.sqrt(2 / (IN + OUT)), math.sqrt(3), UNIFORM),
    "he_normal": (math.sqrt(2 / IN), 2 / CUT_STDDEV, CUT),
    "he_uniform": (math.sqrt(2 / IN), math.sqrt(3), UNIFORM),
    "lecun_normal": (math.sqrt(1 / IN), 2 / CUT_STDDEV, CUT),
    "lecun_uniform": (math.sqrt(1 / IN), math.sqrt(3), UNIFORM),
    "random_normal": (0.05, 6, 3),
    "random_uniform": (0.1 / math.sqrt(12), math.sqrt(3), UNIFORM),
    "truncated_normal": (0.05 * CUT_STDDEV, 2 / CUT_STDDEV, CUT),
}


@pytest.fixture(scope="module")
def drawn():
    make = jax.jit(lambda key: {name: initializer(name)(key, SHAPE, jnp.float32) for name in MOMENTS})
    return jax.tree.map(lambda a: np.asarray(a, np.float64), make(random.key(3)))


@pytest.mark.parametrize("name", sorted(MOMENTS))
def test_moments_equal_theory(name, drawn):
    """Each sample moment within four of its standard errors."""
    w, (stddev, reach, kurtosis) = drawn[name], MOMENTS[name]
    assert abs(w.mean()) < 4 * stddev / math.sqrt(N)
    assert abs(w.var() / stddev**2 - 1) < 4 * math.sqrt((kurtosis - 1) / N)
    assert abs((w**4).mean() / stddev**4 - kurtosis) < 4 * kurtosis * math.sqrt(12 / N)
    assert 0.98 * min(reach, 4) < abs(w).max() / stddev <= reach


def test_the_cut_normal_constants_are_those_of_an_integral():
    x = np.linspace(-2, 2, 200_001)
    p = np.exp(-(x**2) / 2)
    second, fourth = (p * x**2).sum() / p.sum(), (p * x**4).sum() / p.sum()
    np.testing.assert_allclose(CUT_STDDEV, math.sqrt(second), rtol=1e-4)
    np.testing.assert_allclose(CUT_STDDEV, 0.87962566103423978, rtol=1e-12)  # Keras's constant
    np.testing.assert_allclose(CUT, fourth / second**2, rtol=1e-3)


@pytest.mark.parametrize(
    ("shape", "expected"), [((), (1, 1)), ((7,), (7, 7)), ((3, 4), (3, 4)), ((3, 5, 2, 4), (30, 60)), ((3, 0), (3, 1))]
)
def test_fans(shape, expected):
    assert fans(shape) == expected


def test_orthogonal():
    shapes = [(6, 6), (3, 8), (2, 2, 3, 4)]
    make = jax.jit(lambda key: [initializers.Orthogonal(gain=2.0)(key, shape, jnp.float32) for shape in shapes])
    for w in make(random.key(0)):
        q = np.asarray(w).reshape(-1, w.shape[-1])
        gram = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
        np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-5)


def test_orthogonal_is_uniform_over_rotations():
    """Without the signs of R's diagonal the first entry of Q would always be negative."""
    make = jax.jit(jax.vmap(lambda key: initializers.Orthogonal()(key, (2, 2), jnp.float32)))
    w = np.asarray(make(jax.random.split(random.key(0), 400)))
    assert abs((w[:, 0, 0] > 0).mean() - 0.5) < 0.1
    np.testing.assert_allclose(w[:, 0, 0].var(), 0.5, atol=0.1)


def test_constants():
    def make(value):
        return np.asarray(initializer(value)(random.key(0), (2, 3), jnp.float32))

    np.testing.assert_array_equal(make("zeros"), np.zeros((2, 3)))
    np.testing.assert_array_equal(make("ones"), np.ones((2, 3)))
    np.testing.assert_array_equal(make(initializers.Constant(3)), np.full((2, 3), 3))
    np.testing.assert_array_equal(make(initializers.Identity(2)), [[2, 0, 0], [0, 2, 0]])


def test_settings():
    inits = (initializers.RandomUniform(2, 3), initializers.RandomNormal(5, 0.1), initializers.TruncatedNormal(5, 0.1))
    make = jax.jit(lambda key: [init(key, (1000,), jnp.float32) for init in inits])
    uniform, normal, cut = (np.asarray(w) for w in make(random.key(0)))
    assert 2 <= uniform.min() < 2.01
    assert 2.99 < uniform.max() < 3
    np.testing.assert_allclose([normal.mean(), normal.std()], [5, 0.1], rtol=0.1)
    assert 4.8 <= cut.min() < 4.82
    assert 5.18 < cut.max() <= 5.2


def test_a_seed_of_its_own_replaces_the_key():
    make = initializers.GlorotUniform(seed=7)
    one, two = (make(random.key(k), (3, 3), jnp.float32) for k in (0, 1))
    np.testing.assert_array_equal(one, two)
    plain = initializers.GlorotUniform()(random.key(7), (3, 3), jnp.float32)
    np.testing.assert_array_equal(one, plain)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
@pytest.mark.parametrize("name", ["glorot_uniform", "he_normal", "orthogonal", "ones", "identity"])
def test_dtype(name, dtype):
    with jax.enable_x64(True):
        made = jax.eval_shape(lambda key: initializer(name)(key, (3, 3), jnp.dtype(dtype)), random.key(0))
        assert made.dtype == dtype


def test_names():
    assert initializer("GlorotUniform") == initializer("glorot_uniform") == initializers.GlorotUniform()
    with pytest.raises(ConfigError, match=r"unknown initializer 'he_norml'.\n  Did you mean 'he_normal'"):
        initializer("he_norml")
    with pytest.raises(ConfigError, match=r"a name or a function; this is 0\.1"):
        initializer(0.1)


def test_shapes_that_do_not_fit():
    with pytest.raises(ContractError, match=r"needs two axes or more; the weight has shape \(3,\)"):
        initializer("orthogonal")(random.key(0), (3,), jnp.float32)
    with pytest.raises(ContractError, match=r"makes matrices; the weight has shape \(3,\)"):
        initializer("identity")(random.key(0), (3,), jnp.float32)
