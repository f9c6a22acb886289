"""Forecasts to beat, against NumPy and scikit-learn."""

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from thalweg import data, metrics
from thalweg.data import forecast_windows
from thalweg.errors import ConfigError

RNG = np.random.default_rng(0)
WALK = np.cumsum(RNG.normal(size=(120, 3)), axis=0)


def rows(source):
    return data.take(source, np.arange(len(source)))


def test_baselines_are_their_equations():
    past = RNG.normal(size=(4, 7, 2))
    naive, seasonal, drift = (
        data.naive(past, 5),
        data.seasonal_naive(past, 5, 3),
        data.drift(past, 5),
    )
    for n in range(4):
        for h in range(1, 6):
            k = (h - 1) // 3 + 1
            np.testing.assert_allclose(naive[n, h - 1], past[n, 6])
            np.testing.assert_allclose(seasonal[n, h - 1], past[n, 6 + h - 3 * k])
            np.testing.assert_allclose(drift[n, h - 1], past[n, 6] + h * (past[n, 6] - past[n, 0]) / 6)
    with pytest.raises(ConfigError, match="period=9 of a past of 7 rows"):
        data.seasonal_naive(past, 5, 9)
    with pytest.raises(ConfigError, match="at least 2 rows"):
        data.drift(past[:, :1], 5)


@pytest.mark.parametrize("ridge", [0.5, 20.0])
def test_the_linear_forecast_is_scikit_learns(ridge, monkeypatch):
    monkeypatch.setattr("thalweg.data.sources.CHUNK_BYTES", 2000)  # several chunks
    source = forecast_windows(WALK, 6, 3, targets=[0, 2])
    ours = data.LinearForecast.fit(source, ridge)
    x, y, _ = rows(source)
    past = x[..., [0, 2]].astype(np.float64)
    inputs = (past - past[:, -1:]).transpose(0, 2, 1).reshape(-1, 6)
    theirs = Ridge(ridge).fit(inputs, (y - past[:, -1:]).transpose(0, 2, 1).reshape(-1, 3))
    np.testing.assert_allclose(ours.weights, theirs.coef_.T, atol=1e-6)
    np.testing.assert_allclose(ours.bias, theirs.intercept_, atol=1e-6)
    want = past[:, -1:] + theirs.predict(inputs).reshape(-1, 2, 3).transpose(0, 2, 1)
    np.testing.assert_allclose(ours(past), want, atol=1e-6)
    score = data.score_forecast(ours, source)
    np.testing.assert_allclose(score["mae"], np.abs(want - y).mean(), rtol=1e-4)
    np.testing.assert_allclose([score["mse"], score["rmse"] ** 2], np.square(want - y).mean(), rtol=1e-4)


def test_mase_scales_by_the_seasonal_naive_error():
    want = [np.mean([abs(WALK[t, v] - WALK[t - 4, v]) for t in range(4, 120)]) for v in range(3)]
    np.testing.assert_allclose(metrics.MASE.of(WALK, period=4).scale, want)
    with pytest.raises(ConfigError, match="period=120 of 120 training rows"):
        metrics.MASE.of(WALK, period=120)
    with pytest.raises(ConfigError, match="variable 0 repeats itself"):
        metrics.MASE.of(np.ones(9))
    assert metrics.metric("smape").name == "smape"
    assert metrics.SMAPE().rows(jnp.zeros((1, 1)), jnp.zeros((1, 1))).tolist() == [0]
