"""Native recurrent sequences: the rule, errors, the second derivative, and what masked steps leave alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.kernels import library, recurrent
from thalweg.ops import recurrent as ops

pytestmark = pytest.mark.usefixtures("kernels_built")
CELLS = {
    "lstm": (recurrent.LSTM, 2),
    "simple": (recurrent.SIMPLE_TANH, 1),
    "gru": (recurrent.GRU, 1),
    "gru_before": (recurrent.GRU_BEFORE, 1),
}
each = pytest.mark.parametrize(("cell", "states"), CELLS.values(), ids=list(CELLS))


def arguments(cell, states, batch=5, time=4, units=6, seed=0):
    rng = np.random.default_rng(seed)
    columns = cell.gates * units
    z, U, b, *state = (
        jnp.float32(rng.normal(size=s) / 2)
        for s in ((batch, time, columns), (units, columns), (columns,), *[(batch, units)] * states)
    )
    return z, U, b, tuple(state), None, jnp.float32(rng.integers(0, 2, (batch, time)))


@each
def test_the_derivative_of_the_derivative(cell, states):
    z, U, *rest = arguments(cell, states)

    def bent(function):
        def inner(z, U):
            hs, state = function(cell, False, z, U, *rest)
            return (hs**2).sum() + sum((s**3).sum() for s in state)

        def outer(z, U):
            return sum((g**2).sum() for g in jax.grad(inner, argnums=(0, 1))(z, U))

        return jax.jit(jax.grad(outer, argnums=(0, 1)))(z, U)

    for a, b in zip(bent(recurrent.sequence), bent(recurrent.formula), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4 * np.abs(b).max())


@each
def test_a_gradient_of_the_last_state_alone(cell, states):
    z, U, *rest = arguments(cell, states)
    found, expected = (
        jax.jit(jax.grad(lambda U, f=f: f(cell, True, z, U, *rest)[1][0].sum()))(U)
        for f in (recurrent.sequence, recurrent.formula)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@each
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_what_stands_at_a_masked_step_does_not_matter(cell, states, reverse):
    z, U, b, state, noise, steps = arguments(cell, states, batch=40, units=17)
    spoiled = jnp.where(steps[..., None] == 0, jnp.nan, z)

    def both(z):
        return jax.jit(
            jax.value_and_grad(lambda z: recurrent.sequence(cell, reverse, z, U, b, state, noise, steps)[0].sum())
        )(z)

    (y, dz), (clean, d_clean) = both(spoiled), both(z)
    assert y == clean
    np.testing.assert_array_equal(dz, d_clean)
    assert not np.asarray(dz)[np.asarray(steps) == 0].any()


@each
def test_rows_do_not_depend_on_their_neighbours(cell, states):
    z, U, b, state, noise, steps = arguments(cell, states, batch=37, units=33)
    run = jax.jit(lambda *a: recurrent.sequence(cell, False, *a)[0])
    alone = run(z[7:8], U, b, tuple(s[7:8] for s in state), noise, steps[7:8])
    np.testing.assert_array_equal(run(z, U, b, state, noise, steps)[7:8], alone)


@each
@pytest.mark.parametrize("wrong", ["U", "b", "state", "noise", "steps"])
def test_what_does_not_fit_is_an_error(cell, states, wrong):
    given = dict(zip(("z", "U", "b", "state", "noise", "steps"), arguments(cell, states), strict=True))
    columns = 6 * cell.gates
    given[wrong] = {
        "U": jnp.zeros((6, columns + 1)), "b": jnp.zeros(columns + 1), "noise": jnp.zeros((5, 7)),
        "steps": jnp.zeros((5, 3)), "state": tuple(jnp.zeros((4, 6)) for _ in range(states)),
    }[wrong]  # fmt: skip
    with pytest.raises(jax.errors.JaxRuntimeError, match=f"thalweg kernel {cell.name}: .*it received"):
        jax.block_until_ready(recurrent.sequence(cell, False, *given.values()))


def test_the_rule(monkeypatch):
    x, U = jnp.ones((2, 3, 4)), jnp.ones((5, 20))
    assert recurrent.serves(x, U)
    assert not recurrent.serves(x.astype(jnp.bfloat16), U.astype(jnp.bfloat16))
    assert not recurrent.serves(x, jnp.ones((2048, 2048)))
    with library.formulas():
        assert not recurrent.serves(x, U)
    monkeypatch.setenv("THALWEG_KERNELS", "off")
    assert not recurrent.serves(x, U)


def test_other_activations_take_the_formula():
    _, U, b, state, *_ = arguments(*CELLS["gru"])
    x, W = jnp.ones((5, 4, 3)), jnp.ones((3, 18))
    program = jax.jit(lambda x: ops.gru(x, W, U, b, None, state, activation=jax.nn.relu)[0]).lower(x).as_text()
    assert "thalweg." not in program
    assert "thalweg.gru." in jax.jit(lambda x: ops.gru(x, W, U, b, None, state)[0]).lower(x).as_text()
