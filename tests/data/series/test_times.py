"""The times of a series: how far apart they are, and which follow."""

import warnings

import numpy as np
import pandas as pd
import pytest

from thalweg import data
from thalweg.data import Series, read_series
from thalweg.errors import DataError


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


FREQUENCIES = {
    "ME": "1 month, on the last day",
    "2ME": "2 months, on the last day",
    "QE": "3 months, on the last day",
    "QE-JAN": "3 months, on the last day",
    "YE": "12 months, on the last day",
    "YE-FEB": "12 months, on the last day",
    "BME": "1 month, on the last business day",
    "BMS": "1 month, on the first business day",
    "BQE": "3 months, on the last business day",
    "BYE": "12 months, on the last business day",
    "B": "1 business day",
    "2B": "2 business days",
    "W": "7 days",
    "W-WED": "7 days",
    "4W": "28 days",
    "MS": "1 month",
    "QS": "3 months",
    "YS": "12 months",
    "36h": "36 hours",
    "20ms": "20 milliseconds",
    "100us": "100 microseconds",
    "7ns": "7 nanoseconds",
}


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("clock", ["00:00", "17:30"])
def test_calendars_are_those_of_pandas(frequency, clock):
    days = pd.date_range(f"2019-12-30 {clock}", periods=40, freq=frequency)
    series = Series.of(np.arange(25.0), times=days.to_numpy()[:25])
    assert data.time_step(series.times) == FREQUENCIES[frequency]
    np.testing.assert_array_equal(data.next_times(series.times, 15), days.to_numpy()[25:])
    texts = Series.of(np.arange(25.0), times=[day.isoformat(" ") for day in days[:25]])
    np.testing.assert_array_equal(texts.times, series.times)


@pytest.mark.parametrize("frequency", ["ME", "QE", "B", "20ms"])
def test_files_have_the_calendars_too(frequency, tmp_path):
    days = pd.date_range("2020-01-31", periods=30, freq=frequency)
    pd.DataFrame({"when": days, "x": np.arange(30.0)}).to_csv(tmp_path / "a.csv", index=False)
    series = read_series(tmp_path / "a.csv")
    assert data.time_step(series.times) == FREQUENCIES[frequency]
    assert (series.times == days.to_numpy()).all()


def test_days_that_a_shorter_month_has_not():
    found = data.next_times(np.array(["2021-01-30", "2021-02-28", "2021-03-30"], "datetime64[s]"), 2)
    wanted = [pd.Timestamp("2021-01-30") + pd.DateOffset(months=k) for k in (3, 4)]
    assert found.tolist() == [day.to_pydatetime() for day in wanted]


def test_weeks_of_six_days_are_seen_twice():
    days = pd.date_range(
        "2020-01-01", periods=40, freq=pd.offsets.CustomBusinessDay(weekmask="Mon Tue Wed Thu Fri Sat")
    )
    times = days.to_numpy().astype("datetime64[s]")
    assert data.time_step(times[:25]) == "1 day of Monday to Saturday"
    np.testing.assert_array_equal(data.next_times(times[:25], 15), times[25:])
    with pytest.raises(DataError, match=r"row 4 is 2020-01-06.*most rows are 1 day apart"):
        data.time_step(times[:8])  # one Sunday that is not there: a gap


def test_thirty_in_a_second():
    times = (np.datetime64("2020-01-01", "ms") + np.rint(np.arange(90) * 1000 / 30).astype("timedelta64[ms]"))[:60]
    assert data.time_step(times) == "33.33 milliseconds"
    ahead = data.next_times(times, 30).astype(np.int64)
    assert np.abs(ahead - (times[0].astype(np.int64) + np.arange(60, 90) * 1000 / 30)).max() <= 1


def zoned(frequency, zone="Europe/Berlin", start="2020-03-27", periods=8):
    return pd.date_range(start, periods=periods, freq=frequency, tz=zone)


def test_offsets_from_utc():
    hours = zoned("12h")  # over the night in which summer time begins
    for times in (hours, [str(t) for t in hours], [t.isoformat() for t in hours]):
        series = Series.of(np.arange(8.0), times=times)
        assert data.time_step(series.times) == "12 hours"
        np.testing.assert_array_equal(series.times, hours.tz_convert("UTC").tz_localize(None).to_numpy())
    days = zoned("D")
    series = Series.of(np.arange(8.0), times=[str(t) for t in days])
    assert data.time_step(series.times) == "1 day"
    np.testing.assert_array_equal(series.times, days.tz_localize(None).to_numpy())
    same = Series.of(np.arange(2.0), times=["2020-01-01T00:00:00Z", "2020-01-01T01:00:00Z"])
    assert str(same.times[1]) == "2020-01-01T01:00:00"
    with pytest.raises(DataError, match=r"some have none.\n  Write ISO texts"):
        Series.of(np.arange(2.0), times=["2020-01-01 00:00+01:00", "2020-01-01 01:00"])
    back = [str(t) for t in zoned("h", start="2020-10-25", periods=5)]
    assert data.time_step(Series.of(np.arange(5.0), times=back).times) == "1 hour"
    with pytest.raises(DataError, match=r"do not ascend: row 3 .*\n  Sort.*needs its offset"):
        Series.of(np.arange(5.0), times=[text[:-6] for text in back])


@pytest.mark.parametrize(
    ("drop", "frequency", "message"),
    [
        (10, "ME", r"row 10 is 2020-12-31.*most rows are 1 month apart, on the last day\.\n  Add the missing rows"),
        (10, "B", r"row 10 is 2020-02-17.*most rows are 1 business day apart\.\n  Add the missing rows"),
        (10, "h", r"most rows are 1 hour apart"),
        (10, "20ms", r"most rows are 20 milliseconds apart"),
    ],
)
def test_a_gap_is_named_in_the_steps_of_its_calendar(drop, frequency, message):
    days = pd.date_range("2020-01-31", periods=30, freq=frequency).delete(drop).to_numpy()
    with pytest.raises(DataError, match=message):
        Series.of(np.arange(29.0), times=days)


def test_times_without_a_step():
    times = np.cumsum(np.arange(1, 20)) * np.timedelta64(1, "m") + np.datetime64("2020-01-01T00:00", "s")
    with pytest.raises(DataError, match=r"no step is the usual one\.\n  Write regular=False"):
        data.time_step(times)
    with pytest.raises(DataError, match="1 times say not how far apart"):
        data.next_times(times[:1], 2)


@pytest.mark.parametrize(
    "texts", [["20160131", "20160229", "20160331"], ["2016-01-31T00", "2016-02-29T00", "2016-03-31T00"]]
)
def test_iso_texts(texts):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert data.time_step(Series.of(np.arange(3.0), times=texts).times) == "1 month, on the last day"
