"""forecast: seconds on drawn series here; its errors on public data among the long tests."""

import json

import numpy as np
import pandas as pd
import pytest

from thalweg import data, recipes
from thalweg.errors import ConfigError, DataError
from thalweg.recipes.series import errors, forecast, reach
from thalweg.recipes.trained import ask, evaluate, load

ROWS, HISTORY, HORIZON, PERIOD = 160, 8, 4, 6
SMALL = {"steps": 4, "units": 8, "history": HISTORY, "horizon": HORIZON, "period": PERIOD}


def drawn(rows=ROWS):
    rng, t = np.random.default_rng(0), np.arange(rows)
    sales = 50 + t / 10 + 10 * np.sin(2 * np.pi * t / PERIOD) + rng.normal(size=rows)
    price = 5 + np.cos(2 * np.pi * t / PERIOD) + 0.1 * rng.normal(size=rows)
    return np.stack([sales, price], axis=1)


def table(path, values=None, names=("sales", "price"), start="2001-03", unit="M"):
    values = drawn() if values is None else values
    times = np.datetime64(start, unit) + np.arange(len(values))
    lines = [",".join([str(t), *map(repr, row)]) for t, row in zip(times, values.tolist(), strict=True)]
    path.write_text("\n".join([",".join(["month", *names]), *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return table(tmp_path_factory.mktemp("own") / "own.csv")


@pytest.fixture(scope="module")
def finished(own, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    chosen = {"network": "linear", "epochs": 100, "patience": 30, "learning_rate": 0.05, "values": "log"}
    return recipes.run("forecast", {**SMALL, "steps": None, **chosen}, data=own, run_dir=folder, verbose=0)


@pytest.mark.parametrize(("network", "variables"), [*zip(forecast.NETWORKS, ["apart", "together"] * 2, strict=True)])
def test_every_network_trains_and_forecasts_from_its_file(network, variables, own, tmp_path):
    chosen = {**SMALL, "network": network, "variables": variables, "target": "price"}
    result = recipes.run("forecast", chosen, data=own, run_dir=tmp_path / "run", verbose=0)
    assert np.isfinite([result.scores[name] for name in ("mse", "mae", "mase", "linear", "drift", "naive")]).all()
    trained = load(tmp_path / "run" / "model.tw")
    said = ask(trained, own, (), {})
    assert [line["time"] for line in said] == ["2014-07-01", "2014-08-01", "2014-09-01", "2014-10-01"]
    assert [sorted(line) for line in said] == [["price", "step", "time"]] * HORIZON
    x = trained.record("scale")(drawn() if variables == "together" else drawn()[:, 1:])[None, -HISTORY:]
    z = np.asarray(result.model.predict(x.astype(np.float32)))[0, :, 0]
    want = z * drawn()[: 160 - 32 - 13, 1].std() + drawn()[: 160 - 32 - 13, 1].mean()
    np.testing.assert_allclose([line["price"] for line in said], want, rtol=1e-5)


@pytest.mark.parametrize(("unit", "said"), [("h", "hour"), ("D", "day"), ("W", "7 days")])
def test_a_series_of_another_step_is_refused(unit, said, finished, tmp_path):
    trained = load(finished.folder / "model.tw")
    other = table(tmp_path / "other.csv", unit=unit, start="2001-03-01")
    for look in (lambda: ask(trained, other, (), {}), lambda: evaluate(trained, other)):
        with pytest.raises(DataError, match=f"a row every {said}; the model was trained on a row every 31 days"):
            look()
    again = table(tmp_path / "again.csv", drawn()[:20], start="2020-02")
    assert len(ask(trained, again, (), {})) == HORIZON


def test_it_learns(finished):
    scores = finished.scores
    assert scores["mse"] < scores["seasonal_naive"] < 0.2 * scores["naive"]
    assert scores["mse"] < 1.5 * scores["linear"]
    assert f"Test MSE {scores['mse']:.4f}" in finished.verdict.line


def test_nothing_is_learned_from_what_comes_later(own, tmp_path):
    """Rows of the test part change neither scale nor training nor weights; rows that validate only when to stop."""
    recipe = recipes.load("forecast")
    settings = recipe.settings(**SMALL, network="linear", patience=None)  # which stops nowhere
    before = recipe.application.gather(own, settings)
    validates, tests = ROWS - 32 - 13, ROWS - 32
    weights = []
    for first in (None, tests, validates):
        values = drawn()
        if first is not None:
            values[first:] = values[first:] * 7 + 1000
        path = table(tmp_path / f"{first}.csv", values)
        after = recipe.application.gather(path, settings)
        assert after.preprocessing == before.preprocessing
        assert data.digest(after.train) == data.digest(before.train)
        assert (data.digest(after.validation) == data.digest(before.validation)) == (first != validates)
        assert after.facts["series"]["season"] == before.facts["series"]["season"]
        run = recipes.run("forecast", settings.model_dump(), data=path, run_dir=tmp_path / f"run{first}", verbose=0)
        weights.append(run.model.get_weights())
    for other in weights[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(weights[0], other, strict=True))
    values = drawn()
    values[validates - 1] += 1
    assert (
        recipe.application.gather(table(tmp_path / "last.csv", values), settings).preprocessing != before.preprocessing
    )


def test_rivals_and_mase_are_their_equations(finished):
    """Window by window, in loops: all on logarithms that are scaled by the training rows; MASE in the file's units."""
    logs, first = np.log(drawn()), ROWS - 32
    train = logs[: first - 13]
    z = (logs - train.mean(0)) / train.std(0)
    back = lambda v: np.exp(v * train.std(0) + train.mean(0))  # noqa: E731
    season = np.abs(drawn()[PERIOD : len(train)] - drawn()[: len(train) - PERIOD]).mean(0)
    square, scaled = {k: [] for k in ("naive", "seasonal_naive", "drift")}, {k: [] for k in ("naive", "drift")}
    for start in range(first - HISTORY, ROWS - HISTORY - HORIZON + 1):
        past, truth = z[start : start + HISTORY], z[start + HISTORY : start + HISTORY + HORIZON]
        for h in range(HORIZON):
            said = {
                "naive": past[-1],
                "seasonal_naive": past[HISTORY - PERIOD + h],
                "drift": past[-1] + (h + 1) * (past[-1] - past[0]) / (HISTORY - 1),
            }
            for name, value in said.items():
                square[name].append((value - truth[h]) ** 2)
                if name in scaled:
                    scaled[name].append(np.abs(back(value) - back(truth[h])) / season)
    for name, found in square.items():
        assert finished.scores[name] == pytest.approx(np.mean(found), rel=1e-4)
    for name, found in scaled.items():
        assert finished.scores[f"{name}_mase"] == pytest.approx(np.mean(found), rel=1e-4)
    assert finished.scores["rows"] * HORIZON == len(square["naive"])


def test_ours_and_the_linear_map_are_scored_like_any_forecast(finished, own):
    recipe = recipes.load("forecast")
    material = recipe.application.gather(own, recipe.settings(**{**SMALL, "steps": None}, values="log"))
    for name, said in (("mse", finished.model.predict), ("linear", data.LinearForecast.fit(material.train))):
        want = data.score_forecast(lambda past, said=said: np.asarray(said(past)), material.test)
        assert finished.scores[name] == pytest.approx(want["mse"], rel=1e-5)
        assert finished.scores[{"mse": "mae", "linear": "linear_mae"}[name]] == pytest.approx(want["mae"], rel=1e-5)
    steps = json.loads((finished.folder / "evaluation.json").read_text())["mse_by_step"]
    assert np.mean(steps["this model"]) == pytest.approx(finished.scores["mse"])


def test_what_the_run_leaves(finished):
    page = (finished.folder / "report.html").read_text()
    for text in ("MSE by steps ahead", "last season", "Variable by variable", "sales from 2011-11", "linear map"):
        assert text in page
    trained = load(finished.folder)
    said = ask(trained, finished.folder / "samples.csv", (), {})
    assert [line["step"] for line in said] == [1, 2, 3, 4]
    assert said[0]["time"] == "2014-07-01"
    assert ask(trained, finished.folder.parent / finished.folder.name / "samples.csv", (), {}) == said
    again = evaluate(trained, None)
    assert again.scores == pytest.approx(finished.scores)


def test_another_file_is_judged_without_learning_from_it(finished, tmp_path):
    values = drawn(60)[:, ::-1]
    other = table(tmp_path / "other.csv", values, names=("price", "sales"))  # in another order
    scores = evaluate(load(finished.folder), other).scores
    assert "linear" not in scores
    assert scores["rows"] == 60 - HISTORY - HORIZON + 1
    assert scores["mase"] < scores["naive_mase"]


def test_a_file_says_what_is_usual(tmp_path):
    hours = reach.usual(data.Series.of(np.arange(400.0), times=np.arange(400).astype("datetime64[h]")))
    assert hours == reach.Reach(80, 24, 24)
    for count, unit, period in ((400, "D", 7), (60, "M", 12), (90, "m", 1440), (50, "Y", 1)):
        times = np.arange(count).astype(f"datetime64[{unit}]")
        assert reach.usual(data.Series.of(np.arange(float(count)), times=times)).period == period
    for frequency, period in (("ME", 12), ("QE", 4), ("BME", 12), ("B", 5), ("2B", 1), ("20ms", 1)):
        times = pd.date_range("2000-01-03", periods=400, freq=frequency).to_numpy()
        assert reach.usual(data.Series.of(np.arange(400.0), times=times)).period == period
    assert reach.usual(data.Series.of(np.arange(200.0))) == reach.Reach(40, 12, 1)
    plain = tmp_path / "plain.csv"
    plain.write_text("x\n" + "\n".join(f"{v:.3f}" for v in drawn()[:, 0]) + "\n")
    result = recipes.run("forecast", network="linear", steps=2, data=plain, run_dir=tmp_path / "run", verbose=0)
    assert "seasonal_naive" not in result.scores
    assert list(ask(load(result.folder), plain, (), {})[0]) == ["step", "x"]


def test_ends_of_months_and_decimal_commas(tmp_path):
    days = pd.date_range("2010-01-31", periods=ROWS, freq="ME")
    lines = [f"{day:%Y-%m-%d};{value:.2f}".replace(".", ",") for day, value in zip(days, drawn()[:, 0], strict=True)]
    own = tmp_path / "own.csv"
    own.write_text("when;sales\n" + "\n".join(lines) + "\n")
    settings = {**SMALL, "network": "linear", "decimal": ",", "thousands": "."}
    result = recipes.run("forecast", settings, data=own, run_dir=tmp_path / "run", verbose=0)
    said = ask(load(result.folder), own, (), {})
    ahead = pd.date_range(days[-1], periods=len(said) + 1, freq="ME")[1:]
    assert [row["time"][:10] for row in said] == [f"{day:%Y-%m-%d}" for day in ahead]
    recipe = recipes.load("forecast")
    with pytest.warns(UserWarning, match="'sales': numbers are written as"):
        recipe.application.gather(own, recipe.settings(**SMALL))


def test_gaps_and_holes(tmp_path):
    lines = table(tmp_path / "own.csv").read_text().splitlines()
    gap, hole = tmp_path / "gap.csv", tmp_path / "hole.csv"
    gap.write_text("\n".join(lines[:50] + lines[51:]) + "\n")
    hole.write_text("\n".join([*lines[:50], lines[50].split(",")[0] + ",,", *lines[51:]]) + "\n")
    for path, remedy, chosen in ((gap, "--set spacing=any", "spacing"), (hole, "--set missing=forward", "missing")):
        with pytest.raises(DataError, match=remedy):
            recipes.run("forecast", SMALL, data=path, run_dir=tmp_path / "run", verbose=0)
        settings = {**SMALL, "network": "linear", chosen: remedy.split("=")[1]}
        recipes.run("forecast", settings, data=path, run_dir=tmp_path / chosen, verbose=0)
        said = ask(load(tmp_path / chosen), path, (), {})
        assert ("time" in said[0]) == (chosen == "missing")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"target": "prize"}, ConfigError, r"no variable 'prize'.\n  Did you mean 'price'"),
        ({"target": "price,price"}, ConfigError, "names a variable twice"),
        ({"period": 9}, ConfigError, r"period=9 is longer than history=8.*\n  Write --set history=9"),
        ({"history": 1}, ConfigError, "history=1"),
        ({"horizon": 100}, ConfigError, r"train=None|too few|do not fit"),
        ({"values": "log", "target": "price"}, DataError, r"'price': row 3 is 0, which has no logarithm"),
        ({"time": "day"}, DataError, "no column 'day'"),
        ({"network": "cnn"}, ConfigError, "network='cnn'"),
    ],
)
def test_what_does_not_fit_is_said_before_any_training(settings, error, message, tmp_path):
    values = drawn()
    values[3, 1] = 0
    own = table(tmp_path / "own.csv", values)
    with pytest.raises(error, match=message):
        recipes.run("forecast", {**SMALL, **settings}, data=own, run_dir=tmp_path / "run", verbose=0)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", DataError, "is empty"),
        ("sales\n", DataError, "no data"),
        ("1.5\n2.5\n", DataError, r"the first line holds numbers.*\n  Put a line of names above it"),
        ("größe\n1\n".encode("latin-1"), DataError, r"is not UTF-8: byte 2 is 0xf6\.\n  Save it as UTF-8"),
        ("x\n" + '"1,200"\n' * 90, DataError, r"row 0 holds '1,200'.*\n  Write numbers with a point"),
        ("x\n" + "many\n" * 90, DataError, r"row 0 holds 'many'.*\n  Mend the row, or leave the column out"),
        ("x\n1\n", ConfigError, r"has 1 rows, which are too few.* need 20\.\n  Give a longer series, or write --set"),
        ("x\n" + "5\n" * 90, DataError, r"'x' never changes over the \d+ training rows; there is nothing to learn"),
    ],
)
def test_a_file_that_cannot_teach_is_refused(content, error, message, tmp_path):
    (tmp_path / "own.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(error, match=message):
        recipes.run("forecast", SMALL, data=tmp_path / "own.csv", run_dir=tmp_path / "run", verbose=0)
    assert not (tmp_path / "run").exists()


def test_a_variable_that_stands_still_in_training_is_named(tmp_path):
    values = drawn()
    values[:-20, 1] = 3
    own = table(tmp_path / "own.csv", values)
    recipe = recipes.load("forecast")
    with pytest.warns(UserWarning, match="'price' never changes over the 115 training rows"):
        recipe.application.gather(own, recipe.settings(**SMALL))
    assert recipe.application.gather(own, recipe.settings(**SMALL, target="sales")).train.targets == (0,)


def test_what_a_model_cannot_read(finished, tmp_path):
    trained = load(finished.folder)
    with pytest.raises(DataError, match=r"has 7 rows; the model looks back on 8"):
        ask(trained, table(tmp_path / "short.csv", drawn(7)), (), {})
    with pytest.raises(DataError, match="no column 'sales'"):
        ask(trained, table(tmp_path / "other.csv", names=("sold", "price")), (), {})
    with pytest.raises(ConfigError, match="does not read texts"):
        ask(trained, None, ("1 2 3",), {})
    with pytest.raises(DataError, match="is no file"):
        ask(trained, tmp_path / "nowhere.csv", (), {})


@pytest.mark.parametrize("network", forecast.NETWORKS)
def test_a_summary_needs_no_data(network):
    recipe = recipes.load("forecast")
    many = {"target": "OT", "variables": "together"} if network == "gru" else {}
    settings = recipe.settings(network=network, history=50, units=8, **many)
    summary = recipe.untrained_model(settings).summary(print_fn=None)
    assert summary.rows[-1].output == ((96, 1 if many else 7),)


def test_constant_variables_have_no_mase():
    assert errors.seasonal_error(np.ones((9, 1)), 2) is None
    assert errors.seasonal_error(np.ones((9, 1)), 9) is None


def test_each_corpus_in_its_published_parts(data_folder, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    recipe = recipes.load("forecast")
    for corpus, sizes in (
        ("ett", (8209, 2785, 2785)),
        ("airline", (73, 1, 13)),
        ("sunspots", (1699, 271, 553)),
    ):
        material = recipe.application.gather(None, recipe.settings(corpus=corpus))
        assert tuple(map(len, (material.train, material.validation, material.test))) == sizes
        assert bool(material.facts["series"]["published"]) == (corpus == "ett")
    again = recipe.application.gather(data_folder / "timeseries-classic", recipe.settings(corpus="sunspots"))
    assert data.digest(again.test) == data.digest(material.test)


@pytest.mark.long
@pytest.mark.parametrize("network", forecast.NETWORKS)
def test_etth1(network, data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    scores = recipes.run("forecast", network=network, run_dir=tmp_path / "run", verbose=0).scores
    assert scores["mse"] <= 0.40 < scores["seasonal_naive"] < scores["naive"]


@pytest.mark.long
def test_airline_passengers(data_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_DATA", str(data_folder))
    small = {"values": "log", "epochs": 300, "patience": 300, "batch_size": 8, "learning_rate": 0.005}
    scores = recipes.run("forecast", small, corpus="airline", run_dir=tmp_path / "run", verbose=0).scores
    assert scores["mase"] < 0.8 < scores["seasonal_naive_mase"]
