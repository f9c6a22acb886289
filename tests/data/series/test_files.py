"""Series in files: the column of times, gaps, and rows that are wrong."""

import pytest

from thalweg import data
from thalweg.data import read_series
from thalweg.errors import ConfigError, DataError


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


def test_numbers_as_people_write_them(tmp_path):
    path = table(tmp_path, "t;x;y\n2000-01-01;3,5;1.060,25\n2000-01-02;NA;2\n2000-01-03;4,25;-1.000,5\n")
    with pytest.warns(UserWarning, match=r"numbers are written as '(4,25|1\.060,25)', which is read as") as caught:
        series = read_series(path, missing="forward")
    assert series.values.tolist() == [[3.5, 1060.25], [3.5, 2], [4.25, -1000.5]]
    assert len(caught) == 2
    stated = read_series(path, missing="forward", decimal=",", thousands=".")
    assert stated.values.tolist() == series.values.tolist()
    path = table(tmp_path, 't,x\n2000-01-01,"1,060"\n2000-01-02,"2,000"\n')
    with pytest.raises(DataError, match=r"'x': row 0 holds '1,060', which is 1060 or 1\.06\.\n.* thousands=','"):
        read_series(path)
    assert read_series(path, thousands=",").values.ravel().tolist() == [1060, 2000]
    path = table(tmp_path, "t,x\n2000-01-01,1\n2000-01-02,2\n2000-01-03,3o\n")
    with pytest.raises(
        DataError, match=r"'x': row 2 holds '3o'; expected a number.*\n.*on line 4 of the file; or leave"
    ):
        read_series(path)
