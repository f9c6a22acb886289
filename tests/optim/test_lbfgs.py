"""L-BFGS against minima known in closed form, and against PyTorch's on the same quadratic."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tests.peers import relaxed
from thalweg import optim


def minimise(function, params, steps, **build):
    rule = optim.LBFGS().build(**build)

    @jax.jit
    def loop(params):
        def step(carry, _):
            params, state = carry
            value, grad = jax.value_and_grad(function)(params)
            updates, state = rule.update(grad, state, params, value=value, grad=grad, value_fn=function)
            return (optax.apply_updates(params, updates), state), value

        return jax.lax.scan(step, (params, rule.init(params)), length=steps)

    (params, _), values = loop(params)
    return params, values


def rosenbrock(p):
    return (1 - p["x"]) ** 2 + 100 * (p["y"] - p["x"] ** 2) ** 2


def test_rosenbrock():
    p, values = minimise(rosenbrock, {"x": jnp.float32(-1.2), "y": jnp.float32(1.0)}, 40)
    np.testing.assert_allclose([p["x"], p["y"]], [1, 1], atol=1e-3)
    assert (np.diff(values) <= 0).all(), "the line search never goes up"


def test_a_linear_regression_ends_at_the_normal_equations():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 4)), rng.normal(size=20)
    with jax.enable_x64(True), relaxed():  # Optax adds an int64 to an int32 here
        p, _ = minimise(lambda p: jnp.mean((jnp.asarray(X) @ p["w"] - jnp.asarray(y)) ** 2), {"w": jnp.zeros(4)}, 25)
        np.testing.assert_allclose(p["w"], np.linalg.solve(X.T @ X, X.T @ y), rtol=1e-7)


def test_a_frozen_parameter_stays_through_the_line_search_in_bfloat16():
    start = {"x": jnp.bfloat16(-3.0), "y": jnp.bfloat16(3.0)}
    p, _ = minimise(lambda p: (p["x"] - 1) ** 2 + (p["x"] - p["y"]) ** 2, start, 10, trainable={"y": False})
    assert p["x"].dtype == jnp.bfloat16
    assert float(p["y"]) == 3.0
    assert float(p["x"]) == pytest.approx(2.0, abs=0.05)


def test_reaches_what_torch_reaches():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = torch.tensor([-1.2, 1.0], requires_grad=True)
    peer = torch.optim.LBFGS([x], max_iter=40, line_search_fn="strong_wolfe")

    def closure():
        peer.zero_grad()
        value = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        value.backward()
        return value

    peer.step(closure)
    p, _ = minimise(rosenbrock, {"x": jnp.float32(-1.2), "y": jnp.float32(1.0)}, 40)
    np.testing.assert_allclose([p["x"], p["y"]], x.detach().numpy(), atol=2e-3)
