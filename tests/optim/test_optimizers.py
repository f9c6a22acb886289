"""Each optimizer's steps against Keras's and PyTorch's, on the same gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tests.optim.rows import ROWS
from tests.peers import relaxed
from thalweg import optim, tree

STEPS = 7
SHAPES = {"dense.kernel": (4, 3), "dense.bias": (3,), "wide.kernel": (3, 5), "conv.kernel": (2, 2, 1, 2)}
SHAPES |= {"embedding.table": (4, 3)}


def problem(dtype=np.float32):
    """Parameters, and gradients from ordinary to tiny: tiny ones tell where epsilon stands."""
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=shape).astype(dtype) for name, shape in SHAPES.items()}
    sizes = 10.0 ** -rng.integers(0, 8, size=(STEPS,))
    grads = {
        n: (rng.normal(size=(STEPS, *s)) * sizes.reshape(-1, *[1] * len(s))).astype(dtype) for n, s in SHAPES.items()
    }
    grads["conv.kernel"][:] *= dtype(1e-6)
    return params, grads


def run(optimizer, params, grads, **build):
    """Our parameters and state after all steps, in one compiled loop."""
    rule = optimizer.build(**build)

    @jax.jit
    def loop(params, grads):
        def step(carry, g):
            params, state = carry
            updates, state = rule.update(g, state, params)
            return (optax.apply_updates(params, updates), state), None

        return jax.lax.scan(step, (params, rule.init(params)), grads)[0]

    return loop(tree.unflatten(params), tree.unflatten(grads))


def by_keras(name, settings, params, grads):
    import keras

    settings = dict(settings)
    if isinstance(settings.get("learning_rate"), tuple):
        schedule, *args = settings["learning_rate"]
        settings["learning_rate"] = getattr(keras.optimizers.schedules, schedule)(*args)
    with relaxed():
        optimizer = getattr(keras.optimizers, name)(**settings)
        variables = []
        for path, value in params.items():
            scope, leaf = path.split(".")
            with keras.name_scope(scope):
                variables.append(keras.Variable(value, name=leaf, dtype="float32"))
        optimizer.build(variables)
        if optimizer.gradient_accumulation_steps:  # compiled: eagerly each step would trace its conditionals anew
            apply = jax.jit(optimizer.stateless_apply)
            values, state = [v.value for v in variables], [v.value for v in optimizer.variables]
            for i in range(STEPS):
                values, state = apply(state, [g[i] for g in grads.values()], values)
            return named(params, values), {}
        for i in range(STEPS):
            optimizer.apply([g[i] for g in grads.values()], variables)
        average = optimizer._model_variables_moving_average if optimizer.use_ema else []
        return named(params, variables), named(params, average) if average else {}


def named(params, values):
    return {name: np.asarray(value) for name, value in zip(params, values, strict=True)}


def by_torch(make, params, grads):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    variables = [torch.nn.Parameter(torch.tensor(value)) for value in params.values()]
    optimizer = make(torch.optim, variables)
    for i in range(STEPS):
        for variable, g in zip(variables, grads.values(), strict=True):
            variable.grad = torch.tensor(g[i])
        optimizer.step()
    return {n: v.detach().numpy() for n, v in zip(params, variables, strict=True)}


def assert_moved_alike(ours, theirs, start, rtol=2e-5):
    """The ways that parameters went are equal, to `rtol` of the way and the rounding of the parameters."""
    for name, value in tree.by_name(ours).items():
        moved, expected = np.asarray(value, np.float64) - start[name], theirs[name].astype(np.float64) - start[name]
        np.testing.assert_allclose(moved, expected, rtol=rtol, atol=5e-7, err_msg=name)


def test_each_optimizer_has_a_row():
    assert {row.name.lower() for row in ROWS} == set(optim.OPTIMIZERS)
    assert all(row.keras is not None or row.why for row in ROWS)


@pytest.mark.parametrize("row", [r for r in ROWS if r.keras is not None], ids=lambda r: r.label)
def test_equals_keras(row):
    params, grads = problem()
    theirs, average = by_keras(row.name, row.keras, params, grads)
    ours, state = run(row.ours, params, grads)
    assert_moved_alike(ours, theirs, params)
    if average:
        assert_moved_alike(optim.ema_params(state, ours), average, params)


@pytest.mark.parametrize("row", [r for r in ROWS if r.torch is not None], ids=lambda r: r.label)
def test_equals_torch(row):
    params, grads = problem()
    theirs = by_torch(row.torch, params, grads)
    ours, _ = run(row.torch_ours, params, grads)
    assert_moved_alike(ours, theirs, params, rtol=5e-5)


def test_defaults_are_those_of_keras():
    import inspect

    import keras

    for name, kind in optim.OPTIMIZERS.items():
        theirs = getattr(keras.optimizers, kind.__name__, None)
        if theirs is None:
            assert name == "lbfgs"
            continue
        known = inspect.signature(theirs.__init__).parameters
        ours = inspect.signature(kind).parameters
        missing = set(known) - set(ours) - {"self", "kwargs", "loss_scale_factor"}
        assert not missing, f"{name} lacks {missing}"
        for key, parameter in ours.items():
            if key in known:
                assert parameter.default == known[key].default, f"{name}.{key}"
        order = [k for k in known if k in ours and ours[k].kind is not inspect.Parameter.KEYWORD_ONLY]
        positional = [k for k, p in ours.items() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
        assert positional == order, name


def test_nadam_in_float64_keeps_its_digits():
    gradients, w = np.random.default_rng(0).normal(size=(300, 4)), np.ones(4)
    m, v, product, b1, b2 = np.zeros(4), np.zeros(4), 1.0, 0.9, 0.999
    with jax.enable_x64(True):
        rule, params = optim.Nadam().build(), {"w": jnp.ones(4, "float64")}
        update, state = jax.jit(rule.update), rule.init(params)
        for t, g in enumerate(gradients, 1):
            step, state = update({"w": jnp.asarray(g)}, state, params)
            params = jax.tree.map(jnp.add, params, step)
            now, ahead = (b1 * (1 - 0.5 * 0.96**n) for n in (t, t + 1))
            m, v, product = m + (1 - b1) * (g - m), v + (1 - b2) * (g * g - v), product * now
            top = ahead * m / (1 - product * ahead) + (1 - now) * g / (1 - product)
            w = w - 0.001 * top / (np.sqrt(v / (1 - b2**t)) + 1e-7)
        np.testing.assert_allclose(params["w"], w, rtol=1e-13)


@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm"])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_norm_that_overflows_is_not_an_update_of_nothing(name, clip):
    """The squares of 1e25 are infinite, and a gradient over an infinite norm was 0: weights that stay, unsaid."""
    optimizer = getattr(optim, name)(0.1, **{clip: 1.0})
    params = {"kernel": jnp.ones((4, 3)), "bias": jnp.ones(3)}
    gradient = {"kernel": jnp.full((4, 3), 1e25), "bias": jnp.full(3, 1e25)}
    mover = optimizer.mover(None, 1)
    moved = mover.move(gradient, mover.init(params), params)[0]
    assert all(np.isnan(leaf).all() for leaf in jax.tree.leaves(moved))


def test_a_matrix_whose_norm_overflows_is_not_moved_by_nothing():
    g = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)
    rule = optim.Muon(0.1, weight_decay=None).build(None, 1)
    for size, wanted in ((1e17, np.isfinite), (1e20, np.isnan)):
        moved = rule.update({"kernel": size * g}, rule.init({"kernel": g}), {"kernel": g})[0]["kernel"]
        assert wanted(moved).all()
        assert np.any(moved)
