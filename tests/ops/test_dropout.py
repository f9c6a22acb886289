"""Noise: its distribution, what decides it, and what it costs. The equations are checked with the mask drawn apart."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import core, layers, ops, random, tree
from thalweg.errors import ConfigError, ContractError

KEY = random.key(3)
N = 100_000
X = jnp.asarray(np.random.default_rng(0).normal(size=(50, N // 50)).astype(np.float32))
SIX_SIGMA = 6 / math.sqrt(N)


def applied(layer, x=X, key=KEY, **options):
    params, state = core.init(layer, random.key(0), x)
    return core.apply(layer, params, state, x, key=key, train=True, **options)[0]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_the_share_it_says_and_scales_the_rest(rate):
    y = np.asarray(ops.dropout(X, rate, KEY))
    dropped = np.mean(y == 0)
    assert abs(dropped - rate) < SIX_SIGMA * math.sqrt(rate * (1 - rate))
    np.testing.assert_allclose(y[y != 0], np.asarray(X)[y != 0] / (1 - rate), rtol=1e-6)
    ones = np.asarray(ops.dropout(jnp.ones((N,)), rate, KEY))
    assert abs(ones.mean() - 1) < SIX_SIGMA * math.sqrt(rate / (1 - rate))


def test_the_mask_goes_through_forwards_and_backwards_alike():
    y, pull = jax.vjp(lambda x: ops.dropout(x, 0.5, KEY), X)
    np.testing.assert_array_equal(pull(jnp.ones_like(y))[0] * X, y)


def test_neighbours_are_dropped_independently():
    kept = np.asarray(ops.dropout(jnp.ones((N,)), 0.5, KEY)) > 0
    for lag in (1, 2, 7, 64):
        assert abs(np.mean(kept[lag:] == kept[:-lag]) - 0.5) < SIX_SIGMA / 2 * 1.1


def test_the_mask_is_a_function_of_path_and_step_alone():
    short = layers.Sequential([layers.Dropout(0.5), layers.Dropout(0.5)])
    long = layers.Sequential([layers.Dropout(0.5), layers.Dropout(0.5), layers.Dense(1), layers.Dropout(0.5)])

    def seen(network, step):
        params, state = core.init(network, random.key(0), X[:, :100])
        capture, key = core.Capture(), random.fold(KEY, step)
        core.apply(network, params, state, jnp.ones((50, 100)), key=key, train=True, capture=capture)
        return {name: np.asarray(a) for name, a in capture.activations.items()}

    first, again, grown, later = seen(short, 0), seen(short, 0), seen(long, 0), seen(short, 1)
    np.testing.assert_array_equal(first["layers.0"], again["layers.0"])
    np.testing.assert_array_equal(first["layers.1"], grown["layers.1"])
    for other in (later["layers.0"], first["layers.1"] / 2):
        same = np.mean((first["layers.0"] > 0) == (other > 0))
        assert 0.4 < same < 0.8, "another step, or another layer, draws another mask"


def test_evaluation_computes_nothing():
    noisy = [layers.Dropout(0.5), layers.AlphaDropout(0.5), layers.GaussianDropout(0.5), layers.GaussianNoise(0.5)]
    network = layers.Sequential(noisy)
    _, state = core.init(network, random.key(0), X)
    assert not jax.make_jaxpr(lambda x: core.apply(network, {}, state, x)[0])(X).eqns
    nothing = layers.Sequential([layers.Dropout(0.0)])
    assert not jax.make_jaxpr(lambda x: core.apply(nothing, {}, {}, x, train=True)[0])(X).eqns


def test_the_rate_varies_without_a_new_trace():
    layer, traces = layers.Dropout(0.5), []
    _, state = core.init(layer, random.key(0), X)
    assert tree.by_name(state["hyper"]) == {"rate": 0.5}

    @jax.jit
    def share(rate):
        traces.append(rate)
        y, _ = core.apply(layer, {}, {"hyper": {"rate": rate}}, X, key=KEY, train=True)
        return (y == 0).mean()

    shares = [float(share(jnp.float32(rate))) for rate in (0.0, 0.25, 0.75)]
    np.testing.assert_allclose(shares, (0, 0.25, 0.75), atol=SIX_SIGMA)
    assert len(traces) == 1
    np.testing.assert_allclose(jax.vmap(share)(jnp.array([0.0, 0.25, 0.75])), shares)


def test_bfloat16_keeps_the_mean():
    x = X.astype(jnp.bfloat16)
    y = ops.dropout(x, 0.1, KEY)
    assert y.dtype == jnp.bfloat16
    ratio = np.asarray(y, np.float64) / np.asarray(x, np.float64)
    np.testing.assert_allclose(ratio[ratio > 0].mean(), 1 / 0.9, rtol=2e-4)  # 1.111 as a bfloat16 is 0.16 % less


def test_alpha_dropout_equals_its_equation_and_keeps_mean_and_variance():
    rate, s = 0.3, -1.7580993408473766
    kept = np.asarray(random.uniform(KEY, X.shape)) >= rate
    a = 1 / math.sqrt((1 - rate) * (1 + rate * s**2))
    expected = a * np.where(kept, X, s) - a * s * rate
    y = np.asarray(ops.alpha_dropout(X, rate, KEY))
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    x = (X - X.mean()) / X.std()
    y = np.asarray(ops.alpha_dropout(x, rate, KEY))
    assert abs(y.mean()) < 3 * SIX_SIGMA
    assert abs(y.std() - 1) < 3 * SIX_SIGMA


def test_gaussian_dropout_and_noise_have_the_spread_they_say():
    e = np.asarray(random.normal(KEY, X.shape))
    np.testing.assert_allclose(ops.gaussian_noise(X, 0.5, KEY), X + 0.5 * e, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ops.gaussian_dropout(X, 0.2, KEY), X * (1 + 0.5 * e), rtol=1e-5, atol=1e-6)
    assert abs(e.mean()) < SIX_SIGMA
    assert abs(e.std() - 1) < SIX_SIGMA


@pytest.mark.parametrize("word", [0, 2**32 - 1])
def test_normal_noise_is_finite_whatever_the_word(word, monkeypatch):
    monkeypatch.setattr(random, "bits", lambda key, shape: jnp.full(shape, word, jnp.uint32))
    assert np.isfinite(random.normal(KEY, (1,))).all()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.SpatialDropout1D(0.5), (40, 5, 6)),
        (layers.SpatialDropout2D(0.5), (40, 2, 3, 6)),
        (layers.SpatialDropout3D(0.5), (40, 2, 2, 2, 6)),
        (layers.Dropout(0.5, noise_shape=(None, 1, None)), (40, 5, 6)),
        (layers.AlphaDropout(0.5, noise_shape=(40, 1, 6)), (40, 5, 6)),
    ],
    ids=repr,
)
def test_whole_channels_are_dropped_together(layer, shape):
    y = np.asarray(applied(layer, jnp.ones(shape))).reshape(40, -1, 6)
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    assert 0.3 < np.mean(y[:, 0] == y.max()) < 0.7


def test_what_cannot_be():
    with pytest.raises(ConfigError, match=r"(?s)Dropout: rate must be .*below 1; it is 1\..*Write, for example, rate="):
        layers.Dropout(1.0)
    with pytest.raises(ConfigError, match="rate"):
        layers.GaussianDropout(-0.1)
    with pytest.raises(ConfigError, match="stddev"):
        layers.GaussianNoise(-1.0)
    with pytest.raises(ContractError, match=r"noise_shape \(None, 2\)"):
        core.init(layers.Dropout(0.5, (None, 2)), random.key(0), jnp.ones((4, 3)))
    with pytest.raises(ContractError, match="draws random numbers"):
        core.apply(layers.Dropout(0.5), {}, {}, jnp.ones((4, 3)), train=True)
