"""Windows over series: rows by the equation, and the indices that Keras has."""

import numpy as np
import pytest

from thalweg import data
from thalweg.data import Series, forecast_windows, timeseries_dataset_from_array
from thalweg.errors import ConfigError

RNG = np.random.default_rng(0)
WALK = np.cumsum(RNG.normal(size=(120, 3)), axis=0)


def rows(source):
    return data.take(source, np.arange(len(source)))


@pytest.mark.parametrize(("history", "horizon", "stride"), [(1, 1, 1), (5, 3, 1), (4, 2, 3), (60, 60, 1)])
def test_windows_are_the_equation(history, horizon, stride):
    source = forecast_windows(WALK, history, horizon, stride=stride, targets=[2, 0])
    x, y, _ = rows(source)
    starts = list(range(0, len(WALK) - history - horizon + 1, stride))
    assert (x.dtype, len(source)) == (np.float32, len(starts))
    for i, start in enumerate(starts):
        for t in range(history):
            np.testing.assert_allclose(x[i, t], WALK[start + t].astype(np.float32))
        for h in range(horizon):
            np.testing.assert_allclose(y[i, h], WALK[start + history + h, [2, 0]].astype(np.float32))


def test_known_futures_come_beside_the_past():
    source = forecast_windows(Series.of(WALK, "abc"), 4, 2, known=["b"])
    x, y, _ = rows(source)
    assert (source.targets, source.known) == ((0, 2), (1,))
    np.testing.assert_array_equal(x["past"][7], WALK[7:11].astype(np.float32))
    np.testing.assert_array_equal(x["future"][7], WALK[11:13, [1]].astype(np.float32))
    np.testing.assert_array_equal(y[7], WALK[11:13][:, [0, 2]].astype(np.float32))
    assert data.LinearForecast.fit(source)(data.series.baselines.of_targets(source, x)).shape == y.shape


@pytest.mark.parametrize(("stride", "rate", "start", "end"), [(1, 1, None, None), (3, 2, None, None), (2, 3, 5, 60)])
def test_keras_indices(stride, rate, start, end):
    """Keras's own docstring: start positions 0, s, 2s, ...; rows at distance r; the target of the first row."""
    x, y = WALK, np.arange(len(WALK))
    source = timeseries_dataset_from_array(x, y, 4, stride, rate, start_index=start, end_index=end)
    xs, ys = x[start:end], y[start:end]
    positions = list(range(0, len(xs) - 3 * rate, stride))
    assert len(source) == len(positions)
    for i, p in enumerate(positions):
        np.testing.assert_allclose(source.x[i], [xs[p + j * rate] for j in range(4)], rtol=1e-6)
        assert source.y[i] == ys[p]
    assert timeseries_dataset_from_array(x, None, 4).y is None
    example = timeseries_dataset_from_array(np.arange(99), None, 10, 3, 2)  # the example of Keras's docstring
    assert example.x[1].tolist() == [3, 5, 7, 9, 11, 13, 15, 17, 19, 21]
    assert example.x[-1].tolist() == [78, 80, 82, 84, 86, 88, 90, 92, 94, 96]


def test_what_leaves_no_window():
    with pytest.raises(ConfigError, match=r"history=100 and horizon=30 need 130 rows; .*\n  Write a shorter"):
        forecast_windows(WALK, 100, 30)
    with pytest.raises(ConfigError, match="lengths are at least 1"):
        forecast_windows(WALK, 0, 3)
    with pytest.raises(ConfigError, match=r"no variable 'prize'.\n  Did you mean 'price'"):
        forecast_windows(Series.of(WALK[:, :1], ["price"]), 3, 1, targets=["prize"])
    with pytest.raises(ConfigError, match="share a variable"):
        forecast_windows(WALK, 3, 1, targets=[0], known=[0])
    with pytest.raises(ConfigError, match="one window spans 200"):
        timeseries_dataset_from_array(WALK, None, 200)
