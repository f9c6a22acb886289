"""The backward pass of a whole sequence, against automatic differentiation of a plain scan.

The forward equation in NumPy, finite differences, and the twins in Keras and PyTorch are in the contract battery.
"""

import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from tests.peers import relaxed
from thalweg.kernels.recurrence import LSTM_CELL, recurrence
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
    U, h_0, c_0 = (jnp.full(shape, value, jnp.bfloat16) for shape, value in (((1, 4), 0), ((1, 1), 0), ((1, 1), 1)))
    _, (h, c) = recurrence(LSTM_CELL, False, a[None], U, (h_0, c_0), None, None)
    gate = 1 / (1 + np.exp(5.0))
    kept = gate + gate * np.tanh(-5.0)  # both gates, and the candidate
    assert (h.dtype, c.dtype) == (jnp.bfloat16, jnp.bfloat16)
    np.testing.assert_allclose(np.float64(c[0, 0]), kept, atol=gate * 2**-7)
    _, (_, alone) = recurrence(LSTM_CELL, False, a.at[0, 0].set(-100)[None], U, (h_0, c_0), None, None)
    np.testing.assert_allclose(np.float64(alone[0, 0]), gate, rtol=2**-7)


def gru_arguments(seed=0):
    rng = np.random.default_rng(seed)
    shapes = [(B, T, F), (F, 3 * U), (U, 3 * U), (3 * U,), (3 * U,), (B, U)]
    *rest, h = (jnp.asarray(rng.normal(size=s), jnp.float32) for s in shapes)
    return *rest, (h,)


def with_gradient(function, *args):
    """What comes out, and the gradient of a weighted sum of it by all arguments."""
    return jax.jit(lambda *a: (function(*a), jax.grad(scalar(function), argnums=tuple(range(len(a))))(*a)))(*args)


@pytest.mark.parametrize("reset_after", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_gru_as_keras(reset_after, reverse):
    x, kernel, recurrent_kernel, b, d, (h,) = gru_arguments()
    d = d if reset_after else jnp.zeros_like(d)
    steps = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1]], np.float32)  # [B, T]
    layer = keras.layers.GRU(U, reset_after=reset_after, return_sequences=True, return_state=True, go_backwards=reverse)
    with relaxed():
        layer.build(x.shape)
        biases = jnp.stack([b, d]) if reset_after else b
        weights = [kernel, recurrent_kernel, biases]
        layer.set_weights([np.asarray(w) for w in weights])
        hs, last = layer(x, initial_state=h, mask=steps != 0)
        hs = hs[:, ::-1] if reverse else hs
    found = ops.gru(
        x, kernel, recurrent_kernel, b, d, (h,), reset_after=reset_after, steps=jnp.asarray(steps), reverse=reverse
    )
    np.testing.assert_allclose(found[0], hs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[1][0], last, rtol=1e-5, atol=1e-6)


def test_gru_and_its_gradient_as_torch():
    torch = pytest.importorskip("torch")
    x, kernel, recurrent_kernel, b, d, (h,) = gru_arguments()
    found, gradient = with_gradient(lambda *a: ops.gru(*a[:5], (a[5],)), x, kernel, recurrent_kernel, b, d, h)

    def theirs(w):  # torch's gates stand r, z, n, its weights [gates, features]
        a, r, g = np.split(np.asarray(w), 3, axis=-1)
        return torch.tensor(np.concatenate([r, a, g], axis=-1).T.copy(), requires_grad=True)

    def ours(w):
        r, a, g = np.split(w.numpy().T, 3, axis=-1)
        return np.concatenate([a, r, g], axis=-1)

    weights = [theirs(w) for w in (kernel, recurrent_kernel, b, d)]
    tx, th = (torch.tensor(np.asarray(a), requires_grad=True) for a in (x, h))
    gru = torch.nn.GRU(F, U, batch_first=True)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    hs, last = torch.func.functional_call(gru, dict(zip(names, weights, strict=True)), (tx, th[None]))
    rng = np.random.default_rng(2)  # as in `scalar`
    sum((out * torch.tensor(rng.normal(size=out.shape))).sum() for out in (hs, last[0])).backward()
    np.testing.assert_allclose(found[0], hs.detach(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[1][0], last[0].detach(), rtol=1e-5, atol=1e-6)
    expected = (tx.grad, *(ours(w.grad) for w in weights), th.grad)
    for got, want in zip(gradient, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["lstm", "simple", "gru"])
def test_a_masked_step_repeats_the_state(name):
    """A sequence with steps left out is the shorter sequence of the others, its state held in between."""
    if name == "gru":
        x, kernel, recurrent_kernel, *biases, state = gru_arguments()
    else:
        x, kernel, recurrent_kernel, *biases, state = arguments(CASES[name][0], dtype=np.float32)
    op = {"lstm": ops.lstm, "simple": ops.simple_rnn, "gru": ops.gru}[name]
    steps = jnp.asarray(np.tile([1.0, 0, 0, 1], (B, 1)), jnp.float32)
    held, last = op(x, kernel, recurrent_kernel, *biases, state, steps=steps)
    short, short_last = op(x[:, ::3], kernel, recurrent_kernel, *biases, state)
    np.testing.assert_allclose(held, np.asarray(short)[:, [0, 0, 0, 1]], rtol=1e-6, atol=1e-7)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7), last, short_last)
