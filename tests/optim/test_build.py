"""What goes around a rule: numbers in the state, freezing, dtypes, averages, names, bad values."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tests.optim.rows import ROWS
from thalweg import optim
from thalweg.errors import ConfigError, ContractError
from thalweg.record import from_json, to_json

PARAMS = {"a": {"kernel": np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3), "bias": np.ones(3, np.float32)}}
GRADS = jax.tree.map(lambda p: 0.1 * p + np.float32(0.05), PARAMS)


def take(rule, state, params, grads=GRADS, steps=1):
    for _ in range(steps):
        updates, state = rule.update(grads, state, params)
        params = optax.apply_updates(params, updates)
    return params, state


def test_changing_a_number_changes_the_step_and_compiles_nothing():
    rule = optim.SGD(0.5, momentum=0.9).build()
    step = jax.jit(lambda state, params: take(rule, state, params))
    state = rule.init(PARAMS)
    assert {k: float(v) for k, v in optim.hyper(state).items()} == pytest.approx(
        {"learning_rate": 0.5, "momentum": 0.9}
    )
    step(state, PARAMS)
    changed, kept = step(optim.with_hyper(state, learning_rate=0.25), PARAMS)
    np.testing.assert_allclose(changed["a"]["bias"], PARAMS["a"]["bias"] - 0.25 * GRADS["a"]["bias"], rtol=1e-6)
    assert step._cache_size() == 1
    assert float(optim.hyper(kept)["learning_rate"]) == 0.25
    assert float(optim.hyper(state)["learning_rate"]) == 0.5, "the old state stays as it was"


def test_unknown_and_scheduled_numbers_cannot_be_set():
    state = optim.Adam(optim.schedules.ExponentialDecay(0.1, 10, 0.5)).build().init(PARAMS)
    with pytest.raises(ContractError, match="follows a schedule"):
        optim.with_hyper(state, learning_rate=0.1)
    with pytest.raises(ContractError, match="Did you mean 'epsilon'"):
        optim.with_hyper(state, epsilom=0.1)


def test_a_momentum_of_zero_is_no_number_to_change():
    assert "momentum" not in optim.hyper(optim.SGD().build().init(PARAMS))


def test_a_population_of_rates_by_vmap_equals_single_runs():
    rule, rates = optim.Adam().build(), jnp.asarray([1e-3, 1e-2, 1e-1])
    state = rule.init(PARAMS)
    states = jax.vmap(lambda r: optim.with_hyper(state, learning_rate=r))(rates)
    many = jax.jit(jax.vmap(lambda s: take(rule, s, PARAMS, steps=3)[0]))(states)
    single = jax.jit(lambda s: take(rule, s, PARAMS, steps=3))
    for i, rate in enumerate(rates):
        one, _ = single(optim.with_hyper(state, learning_rate=rate))
        jax.tree.map(lambda m, o, i=i: np.testing.assert_allclose(m[i], o, rtol=1e-6), many, one)


@pytest.mark.parametrize(
    "trainable", [{"a.bias": False}, {"a": {"bias": False, "kernel": True}}], ids=["dotted", "nested"]
)
def test_a_frozen_parameter_stays_and_has_no_state(trainable):
    optimizer = optim.AdamW(0.1, global_clipnorm=0.01, use_ema=True)
    rule = optimizer.build(trainable=trainable)
    moved, state = take(rule, rule.init(PARAMS), PARAMS, steps=3)
    np.testing.assert_array_equal(moved["a"]["bias"], PARAMS["a"]["bias"])
    assert not any(leaf.shape == (3,) for leaf in jax.tree.leaves(state))
    # what learns, learns as if the frozen one were not there: its gradient is not in the norm
    only, alone = {"a": {"kernel": PARAMS["a"]["kernel"]}}, optimizer.build()
    expected, _ = take(alone, alone.init(only), only, {"a": {"kernel": GRADS["a"]["kernel"]}}, steps=3)
    np.testing.assert_array_equal(moved["a"]["kernel"], expected["a"]["kernel"])
    average = optim.ema_params(state, moved)
    np.testing.assert_array_equal(average["a"]["bias"], PARAMS["a"]["bias"])


def test_freezing_an_unknown_parameter_names_the_nearest():
    with pytest.raises(ContractError, match=r"Did you mean 'a\.bias'"):
        optim.SGD().build(trainable={"a.bais": False}).init(PARAMS)


@pytest.mark.parametrize("kind", [k for k in optim.OPTIMIZERS if k != "lbfgs"])
def test_bfloat16_follows_float32(kind):
    rule = optim.optimizer(kind).build()
    exact, _ = jax.jit(lambda: take(rule, rule.init(PARAMS), PARAMS))()
    low, grads = (jax.tree.map(lambda p: p.astype(jnp.bfloat16), t) for t in (PARAMS, GRADS))
    rounded, _ = jax.jit(lambda: take(rule, rule.init(low), low, grads))()
    for a, b in zip(jax.tree.leaves(exact), jax.tree.leaves(rounded), strict=True):
        assert b.dtype == jnp.bfloat16
        np.testing.assert_allclose(a, b.astype(np.float32), atol=0.02)


def test_float64_is_float64_throughout():
    with jax.enable_x64(True):
        p, g = (jax.tree.map(lambda a: jnp.asarray(a, np.float64), t) for t in (PARAMS, GRADS))
        rule = optim.Adam(optim.schedules.CosineDecay(0.1, 10)).build()
        moved, state = jax.jit(lambda: take(rule, rule.init(p), p, g))()
        assert {leaf.dtype for leaf in jax.tree.leaves(moved)} == {np.dtype(np.float64)}
        assert optim.hyper(state)["learning_rate"].dtype == np.float64
        alpha = 0.1 * np.sqrt(1 - 0.999) / (1 - 0.9)
        g0 = np.asarray(g["a"]["bias"])
        expected = 1 - alpha * 0.1 * g0 / (np.sqrt(0.001 * g0**2) + 1e-7)
        np.testing.assert_allclose(moved["a"]["bias"], expected, rtol=1e-14)
        single, _ = jax.jit(lambda: take(rule, rule.init(PARAMS), PARAMS))()
        assert {leaf.dtype for leaf in jax.tree.leaves(single)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.label)
def test_no_two_arrays_of_the_state_share_memory(row):
    params = jax.tree.map(jnp.asarray, PARAMS)
    places = [leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves((params, row.ours.build().init(params)))]
    assert len(set(places)) == len(places), "a compiled program that takes the state over would refuse it"


def test_schedules_may_last_to_the_end_of_the_run():
    rule = optim.SGD(optim.schedules.CosineDecay(0.4)).build(total_steps=2)
    _, state = take(rule, rule.init(PARAMS), PARAMS, steps=2)
    assert float(optim.hyper(state)["learning_rate"]) == pytest.approx(0.2), "half the run is half the cosine"
    with pytest.raises(ConfigError, match="decay_steps="):
        optim.SGD(optim.schedules.CosineDecay(0.4)).build()


def test_no_average_where_none_is_asked_for():
    assert optim.ema_params(optim.Adam().build().init(PARAMS), PARAMS) is None


def test_an_optax_transformation_is_an_optimizer():
    ours = optim.optimizer(optax.inject_hyperparams(optax.sgd)(learning_rate=0.5))
    rule = ours.build(trainable={"a.bias": False})
    state = optim.with_hyper(rule.init(PARAMS), learning_rate=0.25)
    moved, _ = take(rule, state, PARAMS)
    expected = PARAMS["a"]["kernel"] - 0.25 * GRADS["a"]["kernel"]
    np.testing.assert_allclose(moved["a"]["kernel"], expected, rtol=1e-6)
    with pytest.raises(ConfigError, match="inside"):
        optim.Optax(0.1, optax.sgd(0.1))
    with pytest.raises(ConfigError, match="transformation="):
        optim.Optax()


def test_names_resolve():
    assert optim.optimizer("RMSprop") == optim.RMSprop()
    assert optim.optimizer(optim.SGD(1)) == optim.SGD(1)
    with pytest.raises(ConfigError, match="Did you mean 'nadam'"):
        optim.optimizer("ndam")
    with pytest.raises(ConfigError, match="a name, an Optimizer or an Optax"):
        optim.optimizer(3)


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.label)
def test_json_and_repr_give_the_record_back(row):
    stored = json.loads(json.dumps(to_json(row.ours)))
    assert from_json(stored, optim.ALLOWED) == row.ours
    assert eval(repr(row.ours), dict(optim.ALLOWED)) == row.ours
    assert hash(row.ours) == hash(from_json(stored, optim.ALLOWED))


BAD = [
    (lambda: optim.SGD(-0.1), "learning_rate must be a number of at least 0; it is -0.1"),
    (lambda: optim.Adam(beta_1=1.0), "beta_1 must be a number of at least 0 and below 1; it is 1.0"),
    (lambda: optim.RMSprop(rho=-1), "rho"),
    (lambda: optim.SGD(momentum=1.5), "momentum must be a number of at least 0 and at most 1"),
    (lambda: optim.Adam(clipnorm=0), "clipnorm must be a number above 0"),
    (lambda: optim.Adam(clipnorm=1, clipvalue=1), "clipnorm and clipvalue exclude each other"),
    (
        lambda: optim.Adam(gradient_accumulation_steps=0),
        "gradient_accumulation_steps must be a whole number of at least 1",
    ),
    (lambda: optim.Adam(float("nan")), "learning_rate"),
    (lambda: optim.Adam(float("inf")), "learning_rate"),
    (lambda: optim.LBFGS(clipnorm=1.0), "LBFGS cannot take clipnorm"),
    (lambda: optim.schedules.ExponentialDecay(0.1, 0, 0.9), "decay_steps must be a number above 0"),
    (lambda: optim.schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), "3, not 2"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[m[:30] for _, m in BAD])
def test_bad_values_say_what_to_write(make, message):
    with pytest.raises(ConfigError) as error:
        make()
    assert message in str(error.value)
    assert "\n  " in str(error.value)
