"""Series, their windows and parts: nothing later is ever looked at; baselines against NumPy and scikit-learn."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from thalweg import data, metrics
from thalweg.data import Series, forecast_windows, read_series, split_series, timeseries_dataset_from_array
from thalweg.errors import ConfigError, DataError
from thalweg.record import from_json, to_json

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


def test_no_part_looks_ahead():
    """A row that changes moves no scale before it, no window that ends before it, no past that does."""
    parts = split_series(WALK, 6, 2, validation=20, test=30)
    for row in (70, 71, 90, 119):
        altered = WALK.copy()
        altered[row:] += 1000
        again = split_series(altered, 6, 2, validation=20, test=30)
        assert again.scale == parts.scale
        for name, first in (("train", 0), ("validation", 70), ("test", 90)):
            a, b = getattr(parts, name), getattr(again, name)
            (x, y, _), (xa, ya, _) = rows(a), rows(b)
            for i, start in enumerate(a.starts):
                assert start + 6 >= first
                assert np.array_equal(x[i], xa[i]) == (start + 6 <= row)
                assert np.array_equal(y[i], ya[i]) == (start + 8 <= row)
    altered = WALK.copy()
    altered[69] += 1000
    assert split_series(altered, 6, 2, validation=20, test=30).scale != parts.scale  # the last training row counts


def test_targets_stay_within_their_part():
    parts = split_series(WALK, 6, 2, validation=20, test=30)
    assert parts.borders == (70, 90, 120)
    targets = {
        name: [{int(s) + 6 + h for h in range(2)} for s in getattr(parts, name).starts]
        for name in ("train", "validation", "test")
    }
    assert set().union(*targets["train"]) == set(range(6, 70))
    assert set().union(*targets["validation"]) == set(range(70, 90))
    assert set().union(*targets["test"]) == set(range(90, 120))
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (63, 19, 29)


def test_the_standard_split_of_ett_in_numbers():
    """The windows that Informer and Autoformer count: 8,640, 2,880, 2,880 hours; history 96, horizon 96."""
    parts = split_series(np.arange(17420.0), 96, 96, validation=2880, test=2880, train=8640)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (8449, 2785, 2785)
    assert parts.borders == (8640, 11520, 14400)


def test_scales_come_from_the_training_rows_and_go_back():
    parts = split_series(WALK, 6, 2, targets=[1])
    mean, std = WALK[:84].mean(0), WALK[:84].std(0)
    np.testing.assert_allclose(parts.scale.mean, mean, rtol=1e-12)
    x, y, _ = rows(parts.test)
    np.testing.assert_allclose(x[0], (WALK[90:96] - mean) / std, rtol=1e-4)
    np.testing.assert_allclose(parts.target_scale.inverse(y)[0, :, 0], WALK[96:98, 1], rtol=1e-4)
    assert from_json(json.loads(json.dumps(to_json(parts.target_scale))), data.ALLOWED) == parts.target_scale
    plain = split_series(WALK, 6, 2, validation=0, scale=None)
    assert (plain.validation, plain.scale, plain.target_scale) == (None, None, None)
    np.testing.assert_array_equal(rows(plain.train)[0][0], WALK[:6].astype(np.float32))
    ranged = split_series(WALK, 6, 2, scale=data.MinMax)
    low, high = WALK[:84].min(0), WALK[:84].max(0)
    np.testing.assert_allclose(rows(ranged.train)[0][3], (WALK[3:9] - low) / (high - low), atol=1e-5)


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


def table(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text)
    return path


def test_the_column_of_times_is_found(tmp_path):
    hours = "".join(f"{i},2016-07-01 0{i}:00:00,{i / 2}\n" for i in range(5))
    series = read_series(table(tmp_path, "n,when,load\n" + hours))
    assert (series.names, str(series.times[1])) == (("n", "load"), "2016-07-01T01:00:00")
    assert series.values.tolist() == [[i, i / 2] for i in range(5)]
    assert data.time_step(series.times) == "1 hour"
    assert read_series(tmp_path / "a.csv", variables=["load"]).names == ("load",)
    assert read_series(table(tmp_path, "a,b\n1,2\n3,4\n")).times is None
    years = read_series(table(tmp_path, "year,b\n2001,2\n2002,4\n"), time="year")
    assert data.time_step(years.times) == "12 months"


@pytest.mark.parametrize(
    ("times", "step"),
    [
        (["1949-01", "1949-02", "1949-03", "1949-04"], "1 month"),
        (["1981-02-27", "1981-02-28", "1981-03-01"], "1 day"),
        (["2000-01-01 00:00", "2000-01-01 00:15", "2000-01-01 00:30"], "15 minutes"),
        (["2000-01-31", "2000-02-01", "2000-02-02"], "1 day"),
    ],
)
def test_steps_of_time(times, step):
    assert data.time_step(np.array(times, "datetime64[s]")) == step


@pytest.mark.parametrize(
    ("times", "ahead"),
    [
        (["1949-11", "1949-12"], ["1950-01-01", "1950-02-01"]),
        (["2000-01-15", "2000-04-15"], ["2000-07-15", "2000-10-15"]),
        (["2000-02-27", "2000-02-28"], ["2000-02-29", "2000-03-01"]),
        (["1999-12-31 23:30", "1999-12-31 23:45"], ["2000-01-01", "2000-01-01T00:15"]),
    ],
)
def test_the_times_that_follow(times, ahead):
    found = data.next_times(np.array(times, "datetime64[s]"), 2)
    assert found.tolist() == np.array(ahead, "datetime64[s]").tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t,x\n2000-01-01,1\n2000-01-02,2\n2000-01-04,3\n2000-01-05,4\n", r"row 2 is 2000-01-04.* 1 day apart"),
        ("t,x\n2000-01-02,1\n2000-01-01,2\n", r"do not ascend: row 1 is 2000-01-01.*\n  Sort"),
        ("t,x\n2000-01-01,1\n2000-01-01,2\n", "do not ascend"),
        ("t,x\n2000-01-01,1\n2000-01-02,\n", r"'x': row 1 is missing.\n  Write missing='forward'"),
        ("t,x\n2000-01-01,1\n2000-01-02,high\n", r"'x': row 1 holds 'high'; expected a number"),
        ("t,x\n2000-01-01,1\n2000-01-02,inf\n", r"'x': row 1 is infinite"),
        ("t\n2000-01-01\n2000-01-02\n", "no column beside the time"),
    ],
)
def test_series_with_faults(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_series(table(tmp_path, text))


def test_faults_that_may_pass(tmp_path):
    gap = table(tmp_path, "t,x\n2000-01-01,1\n2000-01-02,2\n2000-01-04,3\n")
    assert read_series(gap, regular=False).values.ravel().tolist() == [1, 2, 3]
    holes = table(tmp_path, "t,x,y\n2000-01-01,1,7\n2000-01-02,NA,8\n2000-01-03,,9\n2000-01-04,4,6\n")
    assert read_series(holes, missing="forward").values[:, 0].tolist() == [1, 1, 1, 4]
    with pytest.raises(DataError, match="row 0 is missing"):
        read_series(table(tmp_path, "t,x\n2000-01-01,\n2000-01-02,2\n"), missing="forward")
    with pytest.raises(DataError, match=r"column 't': row 0 holds '1/2/2000', which is no date.\n  Write dates as"):
        read_series(table(tmp_path, "t,x\n1/2/2000,1\n"), time="t")
    with pytest.raises(DataError, match=r"no column 'tt'.\n"):
        read_series(table(tmp_path, "t,x\n2000-01-01,1\n"), time="tt")
    with pytest.raises(ConfigError, match="missing='mean' is unknown"):
        read_series(table(tmp_path, "t,x\n2000-01-01,1\n"), missing="mean")


def test_what_does_not_fit():
    with pytest.raises(DataError, match="variable '1': row 4 is missing"):
        Series.of(np.where(np.arange(18).reshape(9, 2) == 9, np.nan, 1.0))
    with pytest.raises(ConfigError, match=r"history=100 and horizon=30 need 130 rows; .*\n  Write a shorter"):
        forecast_windows(WALK, 100, 30)
    with pytest.raises(ConfigError, match="lengths are at least 1"):
        forecast_windows(WALK, 0, 3)
    with pytest.raises(ConfigError, match=r"no variable 'prize'.\n  Did you mean 'price'"):
        forecast_windows(Series.of(WALK[:, :1], ["price"]), 3, 1, targets=["prize"])
    with pytest.raises(ConfigError, match="share a variable"):
        forecast_windows(WALK, 3, 1, targets=[0], known=[0])
    with pytest.raises(ConfigError, match=r"train=None, validation=0.5, test=0.6 do not fit 120 rows"):
        split_series(WALK, 3, 1, 0.5, 0.6)
    with pytest.raises(ConfigError, match="one window spans 200"):
        timeseries_dataset_from_array(WALK, None, 200)
    with pytest.raises(ConfigError, match="2 names and 120 times"):
        Series.of(WALK, "ab")
    with pytest.raises(DataError, match=r"a series is \[time, variables\]"):
        Series.of(np.zeros((3, 2, 1)))
