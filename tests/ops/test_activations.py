import math

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from tests.peers import relaxed
from thalweg.errors import ConfigError
from thalweg.ops import activation, activations
from thalweg.ops.activations import FUNCTIONS

erf = np.vectorize(math.erf)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


EQUATIONS = {
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "exponential": np.exp,
    "gelu": lambda x: x * (1 + erf(x / math.sqrt(2))) / 2,
    "gelu_tanh": lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "linear": lambda x: x,
    "log_softmax": lambda x: np.log(softmax(x)),
    "mish": lambda x: x * np.tanh(np.log(1 + np.exp(x))),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)),
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "softmax": softmax,
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "step": lambda x: (x >= 0).astype(float),
    "swish": lambda x: x * sigmoid(x),
    "tanh": np.tanh,
}
AT_ZERO = {
    "elu": 1, "exponential": 1, "gelu": 0.5, "gelu_tanh": 0.5, "hard_sigmoid": 1 / 6, "leaky_relu": 0.2, "linear": 1,
    "mish": 0.6, "relu": 0, "relu6": 0, "selu": 1.0507009873554805 * 1.6732632423543772, "sigmoid": 0.25, "silu": 0.5,
    "softplus": 0.5, "softsign": 1, "step": 0, "swish": 0.5, "tanh": 1,
}  # fmt: skip
GRID = np.array([[-7.1, -3.2, -1.5, -0.4, 0.3], [1.1, 2.7, 5.9, 6.3, 8.4]])
NAMES = sorted(FUNCTIONS)


WEIGHTS = np.cos(np.arange(10.0)).reshape(2, 5)


@jax.jit
def values(x):
    return {name: f(x) for name, f in FUNCTIONS.items()}


@jax.jit
def slopes(x, w):
    """The derivative of the weighted sum of each function's values."""
    return {name: jax.grad(lambda x, f=f: (f(x) * w).sum())(x) for name, f in FUNCTIONS.items()}


def plain(tree, dtype=np.float64):
    return jax.tree.map(lambda a: np.asarray(a, dtype), tree)


@pytest.fixture(scope="module")
def exact():
    """Values, slopes and slopes by central differences, in float64, on the grid."""
    with jax.enable_x64(True):
        found, slope, eps = plain(values(GRID)), plain(slopes(GRID, WEIGHTS)), 1e-6
        differences = {name: np.zeros((2, 5)) for name in NAMES}
        for place in np.ndindex(2, 5):
            move = np.zeros((2, 5))
            move[place] = eps
            up, down = plain(values(GRID + move)), plain(values(GRID - move))
            for name in NAMES:
                differences[name][place] = ((up[name] - down[name]) * WEIGHTS).sum() / (2 * eps)
        return found, slope, differences


@pytest.mark.parametrize("name", NAMES)
def test_equals_the_equation(name, exact):
    np.testing.assert_allclose(exact[0][name], EQUATIONS[name](GRID), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_slope_equals_finite_differences(name, exact):
    np.testing.assert_allclose(exact[1][name], exact[2][name], rtol=1e-6, atol=1e-8)


def test_equals_keras():
    x = GRID.astype(np.float32)
    ours = values(x)
    for name in set(NAMES) - {"step", "gelu_tanh"}:
        with relaxed():
            theirs = np.asarray(keras.activations.get(name)(x))
        np.testing.assert_allclose(ours[name], theirs, rtol=1e-5, atol=1e-6, err_msg=name)
    with relaxed():
        theirs = np.asarray(keras.activations.gelu(x, approximate=True))
    np.testing.assert_allclose(ours["gelu_tanh"], theirs, rtol=1e-5, atol=1e-6)


def test_slope_at_zero_is_the_one_from_the_left():
    ones = np.ones((2, 5), np.float32)
    found = slopes(0 * ones, ones)
    for name, expected in AT_ZERO.items():
        np.testing.assert_allclose(found[name], expected * ones, rtol=1e-6, err_msg=name)
    np.testing.assert_array_equal(slopes(6 * ones, ones)["relu6"], ones)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_large_inputs_make_no_nan(dtype):
    x = np.array([[-1e4, -1e3, -200, -88, -30], [30, 88, 200, 1e3, 1e4]]).astype(dtype)
    value, slope = values(x), slopes(x, np.ones_like(x))
    assert all(v.dtype == dtype for v in value.values())
    for name in set(NAMES) - {"exponential"}:
        assert np.isfinite(plain(value[name])).all(), name
        assert np.isfinite(plain(slope[name])).all(), name
    assert not np.isnan(plain((value["exponential"], slope["exponential"]))).any()
    np.testing.assert_allclose(plain(value["softplus"])[:, [0, -1]], [[0, 0], [30, plain(x)[1, 4]]], atol=1e-12)
    np.testing.assert_allclose(plain(value["softmax"]), [[0, 0, 0, 0, 1], [0, 0, 0, 0, 1]], atol=1e-12)


def test_nan_stays_nan():
    for name, value in values(np.full((2, 5), np.nan, np.float32)).items():
        assert np.isnan(value).all(), name


def test_settings():
    x = jnp.asarray([-2.0, 0.1, 0.5, 3.0])
    np.testing.assert_allclose(activations.relu(x, 0.5, 1.0, 0.25), [-1.125, -0.075, 0.5, 1])
    np.testing.assert_allclose(activations.elu(x, 2.0), [2 * (np.exp(-2) - 1), 0.1, 0.5, 3], rtol=1e-6)
    np.testing.assert_allclose(activations.leaky_relu(x, 0.5), [-1, 0.1, 0.5, 3])
    np.testing.assert_allclose(activations.softmax(jnp.ones((2, 4)), axis=0), np.full((2, 4), 0.5))


def test_names():
    assert activation(None) is activations.linear
    assert activation("Swish") is activations.silu
    assert activation(jnp.tanh) is jnp.tanh
    with pytest.raises(ConfigError, match=r"unknown activation 'rleu'.\n  Did you mean 'relu'"):
        activation("rleu")
    with pytest.raises(ConfigError, match=r"a name or a function; it is 3.\n  Write activation='relu'"):
        activation(3)
