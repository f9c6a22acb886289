"""The backward pass of a whole sequence, against automatic differentiation of a plain scan.

The forward equation in NumPy, finite differences, and the twins in Keras and PyTorch are in the contract battery.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.kernels.recurrence import LSTM_CELL
from thalweg.ops import recurrent as ops
from thalweg.ops.activations import hard_sigmoid, sigmoid, softsign, tanh

B, T, F, U = 3, 4, 2, 3


def plain_lstm(x, kernel, recurrent_kernel, bias, state, activation=tanh, recurrent_activation=sigmoid, mask=None):
    """The equation as a scan that JAX differentiates."""

    def step(state, x):
        h, c = state
        h = h if mask is None else h * mask
        i, f, g, o = jnp.split(x @ kernel + h @ recurrent_kernel + bias[None], 4, axis=-1)
        c = recurrent_activation(f) * c + recurrent_activation(i) * activation(g)
        h = recurrent_activation(o) * activation(c)
        return (h, c), h

    state, hs = jax.lax.scan(step, state, x.swapaxes(0, 1))
    return hs.swapaxes(0, 1), state


def plain_simple(x, kernel, recurrent_kernel, bias, state, activation=tanh, mask=None):
    def step(state, x):
        h = state[0] if mask is None else state[0] * mask
        h = activation(x @ kernel + h @ recurrent_kernel + bias[None])
        return (h,), h

    state, hs = jax.lax.scan(step, state, x.swapaxes(0, 1))
    return hs.swapaxes(0, 1), state


def arguments(gates, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    shapes = [(B, T, F), (F, gates * U), (U, gates * U), (gates * U,)]
    x, kernel, recurrent_kernel, bias = (jnp.asarray(rng.normal(size=s), dtype) for s in shapes)
    states = tuple(jnp.asarray(rng.normal(size=(B, U)), dtype) for _ in range(2 if gates == 4 else 1))
    return x, kernel, recurrent_kernel, bias, states


def noise(seed=1):
    return jnp.asarray(np.random.default_rng(seed).integers(0, 2, (B, U)) * 2.0)


def scalar(function, seed=2):
    """A weighted sum of all that comes out, and a function of the five arguments."""

    def total(*args):
        out, rng = function(*args), np.random.default_rng(seed)
        return sum((leaf * rng.normal(size=leaf.shape)).sum() for leaf in jax.tree.leaves(out))

    return total


CASES = {
    "lstm": (4, ops.lstm, plain_lstm),
    "lstm, other activations": (
        4,
        functools.partial(ops.lstm, activation=softsign, recurrent_activation=hard_sigmoid),
        functools.partial(plain_lstm, activation=softsign, recurrent_activation=hard_sigmoid),
    ),
    "simple": (1, ops.simple_rnn, plain_simple),
}


@pytest.mark.parametrize(("case", "masked"), [("lstm", False), *((case, True) for case in CASES)])
def test_the_backward_pass_equals_automatic_differentiation(case, masked):
    gates, ours, plain = CASES[case]
    with jax.enable_x64(True):
        mask = noise() if masked else None
        args = arguments(gates)

        def both(function):
            return jax.jit(jax.value_and_grad(scalar(functools.partial(function, mask=mask)), argnums=(0, 1, 2, 3, 4)))

        got, expected = both(ours)(*args), both(plain)(*args)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12), got, expected)


def test_the_derivative_of_the_derivative():
    with jax.enable_x64(True):
        x, *rest = arguments(4)

        def bent(function):
            return jax.jit(jax.grad(lambda x: (jax.grad(lambda x: scalar(function)(x, *rest))(x) ** 2).sum()))(x)

        np.testing.assert_allclose(bent(ops.lstm), bent(plain_lstm), rtol=1e-9, atol=1e-12)


def test_many_models_at_once_equal_a_loop():
    models = [arguments(4, seed, np.float32) for seed in range(2)]
    gradient = jax.grad(scalar(ops.lstm), argnums=2)
    many = jax.jit(jax.vmap(gradient))(*jax.tree.map(lambda *a: jnp.stack(a), *models))
    one = jax.jit(gradient)
    for i, model in enumerate(models):
        np.testing.assert_allclose(many[i], one(*model), rtol=1e-4, atol=1e-5)


def test_saturated_gates_stay_finite():
    x, *rest = arguments(4, dtype=np.float32)
    out, gradient = jax.jit(jax.value_and_grad(scalar(ops.lstm), argnums=(0, 1, 2, 3)))(x * 1e6, *rest)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((out, gradient)))


def test_small_gates_keep_their_digits_in_bfloat16():
    """sigmoid(-5) is 0.0067; taken in bfloat16 as (1 + tanh(-2.5)) / 2 it would be 0.0059 or 0.0078."""
    a = jnp.full((1, 4), -5.0, jnp.bfloat16)
    (h, c), _ = LSTM_CELL.forward(a, (jnp.zeros((1, 1), jnp.bfloat16), jnp.ones((1, 1), jnp.bfloat16)))
    gate = 1 / (1 + np.exp(5.0))
    kept = gate + gate * np.tanh(-5.0)  # both gates, and the candidate
    assert (h.dtype, c.dtype) == (jnp.bfloat16, jnp.bfloat16)
    np.testing.assert_allclose(np.float64(c[0, 0]), kept, atol=gate * 2**-7)
    alone = LSTM_CELL.forward(a.at[0, 0].set(-100), (h, jnp.ones((1, 1), jnp.bfloat16)))[0][1]
    np.testing.assert_allclose(np.float64(alone[0, 0]), gate, rtol=2**-7)
