"""The published recordings and series: known counts, lengths and values."""

import gzip
import shutil

import numpy as np
import pytest
import scipy.io.wavfile

from thalweg import data, datasets
from thalweg.data import take
from thalweg.datasets import an4, ett, exchange_rate, fsdd
from thalweg.datasets.catalog import CATALOG
from thalweg.errors import ConfigError, DataError


def small_fsdd(folder, names):
    (folder / "recordings").mkdir(parents=True)
    for i, name in enumerate(names):
        scipy.io.wavfile.write(folder / "recordings" / f"{name}.wav", 8000, np.full(20 + i, 100 * i, np.int16))
    return folder


def test_takes_and_speakers_of_spoken_digits(tmp_path):
    folder = small_fsdd(tmp_path / "fsdd", ["3_theo_0", "3_theo_5", "0_lucas_4", "0_lucas_12", "9_theo_49"])
    (folder / "recordings" / "README.txt").touch()
    with pytest.warns(UserWarning, match=r"5 of 3,000 recordings"):
        (x, y), (xt, yt) = fsdd.load_data(tmp_path)
    assert (y.tolist(), yt.tolist()) == ([0, 3, 9], [0, 3])
    assert ([len(s) for s in x], [len(s) for s in xt]) == ([23, 21, 24], [22, 20])
    assert x[0][0] == np.float32(300 / 2**15)
    with pytest.warns(UserWarning, match="5 of 3,000"):
        (x, y), (xt, yt) = fsdd.load_held_out("lucas", tmp_path)
    assert (y.tolist(), yt.tolist(), len(x), len(xt)) == ([3, 3, 9], [0, 0], 3, 2)
    with (
        pytest.warns(UserWarning, match="5 of"),
        pytest.raises(ConfigError, match=r"speaker='luca' .*\n  Did you mean"),
    ):
        fsdd.load_held_out("luca", tmp_path)
    shutil.rmtree(folder)
    small_fsdd(folder, ["3_theo_0", "3_theo_4"])
    with pytest.raises(DataError, match="lacks takes to train or to test on"):
        fsdd.load_data(tmp_path)


def small_an4(folder):
    (folder / "etc").mkdir(parents=True)
    for part, texts in {"train": ["<s> YES </s> (a-x)", "<s> RUBOUT G M </s> (b-x)"], "test": ["ONE (c-x)"]}.items():
        ids = [f"an4_{part}/spk/{t.rpartition('(')[2].rstrip(')')}" for t in texts]
        (folder / "etc" / f"an4_{part}.fileids").write_text("\n".join(ids) + "\n")
        (folder / "etc" / f"an4_{part}.transcription").write_text("\n".join(texts) + "\n")
        for i, name in enumerate(ids):
            path = folder / "wav" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            samples = np.arange(1, 40 + i, dtype=np.int16)
            if part == "test":
                scipy.io.wavfile.write(path.with_suffix(".wav"), 16000, samples)
            else:
                path.with_suffix(".raw").write_bytes(samples.astype(">i2").tobytes())
    return folder


def test_an4_pairs_sounds_and_texts(tmp_path):
    folder = small_an4(tmp_path / "an4")
    (x, texts), (xt, said) = an4.load_data(tmp_path)
    assert (texts, said) == (("YES", "RUBOUT G M"), ("ONE",))
    np.testing.assert_array_equal(x[1], np.arange(1, 41, dtype=np.float32) / 2**15)
    np.testing.assert_array_equal(xt[0], x[0])
    (folder / "wav" / "an4_train" / "spk" / "b-x.raw").unlink()
    with pytest.raises(DataError, match=r"b-x is there neither as \.flac nor as \.wav nor as \.raw"):
        an4.load_data(tmp_path)
    (folder / "etc" / "an4_test.transcription").write_text("ONE (d-x)\n")
    with pytest.raises(DataError, match=r"row 0 of the lists of test is an4_test/spk/c-x and 'd-x\)'"):
        an4.load_part("test", tmp_path)
    (folder / "etc" / "an4_test.transcription").write_text("")
    with pytest.raises(DataError, match="1 names and 0 texts of test"):
        an4.load_part("test", tmp_path)


@pytest.mark.long
def test_fsdd(public_data):
    (x, y), (xt, yt) = fsdd.load_data()
    assert (len(x), len(xt)) == (2700, 300)
    assert np.bincount(y).tolist() == [270] * 10
    assert np.bincount(yt).tolist() == [30] * 10
    assert round(sum(map(len, [*x, *xt])) / fsdd.SAMPLING_RATE / 60, 1) == 21.9  # minutes, as published
    (x, _), (xt, _) = fsdd.load_held_out("theo")
    assert (len(x), len(xt)) == (2500, 500)


@pytest.mark.long
def test_an4(public_data):
    pytest.importorskip("soundfile", reason="an extra: pip install 'thalweg[sound]'")
    (x, texts), (xt, said) = an4.load_data()
    assert (len(x), len(texts), len(xt), len(said)) == (948, 948, 130, 130)
    assert said[0] == "RUBOUT G M E F THREE NINE"
    assert texts[0] == "YES"
    assert sorted(set("".join(texts + said))) == list(" ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert (min(map(len, [*x, *xt])), max(map(len, [*x, *xt]))) == (11_200, 102_400)


def test_the_published_series(public_data):
    passengers = datasets.load("airline-passengers")
    assert passengers.values[[0, 1, -1], 0].tolist() == [112, 118, 432]
    assert (len(passengers), passengers.names, data.time_step(passengers.times)) == (144, ("Passengers",), "1 month")
    temperatures = datasets.load("daily_min_temperatures")
    assert (len(temperatures), temperatures.values[0, 0], str(temperatures.times[-1])[:10]) == (
        3650,
        20.7,
        "1990-12-31",
    )
    spots = datasets.load("sunspots")
    assert (len(spots), spots.values[0, 0], str(spots.times[0])[:7]) == (2820, 58.0, "1749-01")
    rates = exchange_rate.load_data()
    assert rates.values.shape == (7588, 8)
    assert rates.values[0].tolist() == [0.7855, 1.611, 0.861698, 0.634196, 0.211242, 0.006838, 0.593, 0.525486]


@pytest.mark.parametrize("name", ["airline_passengers", "daily_min_temperatures", "exchange_rate", "sunspots"])
def test_the_parts_of_a_series(public_data, name):
    module, entry = getattr(datasets, name), CATALOG[name]
    parts = module.parts(8, 2)
    assert parts.borders == (entry.train - module.VALIDATION, entry.train, entry.train + entry.test)
    assert parts.borders[-1] == len(module.load_data())
    series = module.load_data()
    np.testing.assert_allclose(parts.scale.mean, series.values[: parts.borders[0]].mean(0), rtol=1e-10)
    assert len(parts.test) == entry.test - 1


def test_ett(public_data):
    series = ett.load_data()
    assert (series.values.shape, data.time_step(series.times)) == ((17420, 7), "1 hour")
    assert series.names == ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
    assert series.values[0, [0, 6]] == pytest.approx([5.827, 30.531], abs=1e-3)
    parts = ett.parts(96, 96)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (8449, 2785, 2785)
    x, y, _ = take(parts.test, np.array([0]))
    mean, std = series.values[:8640].mean(0), series.values[:8640].std(0)
    np.testing.assert_allclose(x[0], (series.values[11520 - 96 : 11520] - mean) / std, atol=1e-4)
    np.testing.assert_allclose(y[0], (series.values[11520 : 11520 + 96] - mean) / std, atol=1e-4)
    assert ett.load_data(station="ETTh2").values[0, 6] != series.values[0, 6]
    with pytest.raises(ConfigError, match=r"station='ETTm1' is unknown.\n  Did you mean 'ETTh1'"):
        ett.load_data(station="ETTm1")


@pytest.mark.parametrize(
    ("parts", "mse", "mae"),
    [
        (lambda: ett.parts(96, 96), 1.295, 0.713),
        (lambda: ett.parts(96, 96, station="ETTh2"), 0.432, 0.422),
        (lambda: exchange_rate.parts(96, 96), 0.081, 0.196),
    ],
)
def test_naive_forecasts_score_as_published(public_data, parts, mse, mae):
    """Repeat in table 2 of Zeng et al. 2023, arXiv:2205.13504: windows, parts and scales are the literature's."""
    score = data.score_forecast(lambda past: data.naive(past, 96), parts().test)
    assert (score["mse"], score["mae"]) == (pytest.approx(mse, abs=1e-3), pytest.approx(mae, abs=1e-3))


def test_the_linear_baseline_of_ett(public_data):
    """DLinear and NLinear state 0.375 and 0.374 with a history of 336 (the same table)."""
    parts = ett.parts(336, 96)
    assert data.score_forecast(data.LinearForecast.fit(parts.train), parts.test)["mse"] == pytest.approx(
        0.370, abs=2e-3
    )


def test_a_damaged_series(tmp_path):
    path = tmp_path / "exchange_rate.txt.gz"
    for content in (b"no gzip", gzip.compress(b"1,2\n3\n"), gzip.compress(b"1,2\n3,4\n")[:-5]):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"exchange_rate\.txt\.gz is damaged: .*\n  (Remove|Copy) it"):
            exchange_rate.load_data(tmp_path)
