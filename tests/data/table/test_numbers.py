"""How numbers are written: against pandas, what is said, what is asked, and cells that are none."""

import json
import re
import warnings

import numpy as np
import pandas as pd
import pytest

from thalweg import data
from thalweg.data import TableEncoder, from_csv
from thalweg.data.table.numbers import NumberFormat, find_format, is_number
from thalweg.errors import ConfigError, DataError
from thalweg.record import from_json, to_json


def column(*cells, **options):
    """What a column of these cells is read as, and what is said of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encoder = TableEncoder.fit({"v": list(cells)}, **options)
    x, _ = encoder({"v": list(cells)})
    return x[:, 0].tolist(), [str(w.message) for w in caught]


@pytest.mark.parametrize(
    ("cells", "decimal", "thousands"),
    [
        (["3,5", "-4", "1,25", "1,5e3"], ",", None),
        (["1,060.50", "2,000", "12"], ".", ","),
        (["1,060,500", "7"], ".", ","),
        (["1.060,50", "2,5"], ",", "."),
        (["0,125", "1,060"], ",", None),
        (["1 060", "12 500,5"], ",", " "),
        (["1'060.5", "3"], ".", "'"),
    ],
)
def test_pandas_reads_the_same_numbers(tmp_path, cells, decimal, thousands):
    found, said = column(*cells)
    path = tmp_path / "a.csv"
    path.write_text("v\ty\n" + "".join(f"{cell}\t{i % 2}\n" for i, cell in enumerate(cells)))
    wanted = pd.read_csv(path, sep="\t", decimal=decimal, thousands=thousands)["v"]
    assert found == wanted.to_numpy(np.float32).tolist()
    assert len(said) == 1
    assert "column 'v': numbers are written as" in said[0]
    assert "to say so" in said[0]
    stated = {"decimal": decimal, "thousands": thousands}
    assert column(*cells, **stated) == (found, [])
    assert from_csv(path, "y", **stated)[0].x[:, 0].tolist() == found


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["$1,060.50", "$ 5", "-$3", "$-4"], [1060.5, 5, -3, -4]),
        (["40 %", "3.5%"], [40, 3.5]),
        (["5 €", "1.060,50 €"], [5, 1060.5]),
        (["1\u202f060", "1\u00a0200"], [1060, 1200]),
        (["1’060.5", "3"], [1060.5, 3]),
        (["007", "010"], [7, 10]),
    ],
)
def test_units_spaces_and_zeros_are_said(cells, numbers):
    found, said = column(*cells)
    assert found == numbers
    assert re.search(r"is read as (the number )?\d.*\n  Write .*categorical=\['v'\]", said[0])


def test_what_python_reads_is_not_said():
    cells = ["+3", " 4", "1e3", "-2.5E-1", ".5", "5.", "\N{MINUS SIGN}7"]
    assert column(*cells) == ([3, 4, 1000, -0.25, 0.5, 5, -7], [])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1,060", "2,000"], r"row 0 holds '1,060', which is 1060 or 1\.06\.\n  Write .* thousands=','.*decimal=','"),
        ([*map(str, range(50)), "1,060"], "row 50 holds '1,060', which is 1060 or 1.06"),
        ([*map(str, range(49)), "4o"], r"row 49 holds '4o'; expected a number, .*\n.*categorical=\['v'\]"),
        ([*map(str, range(9)), "v", "9"], r"row 9 holds the name of the column.*\n  Remove the line"),
        (["3.5", "3,5", "4.5"], "row 1 holds '3,5'; expected a number"),
        (["40%", "41%", "3"], "row 2 holds '3'; expected a number written like '40%'"),
        (["$5", "$6", "€5"], "row 2 holds '€5'; expected a number written like '\\$5'"),
        (["1", "2", "unknown"], "row 2 holds 'unknown'; expected a number"),
        (["1_000", "2", "3"], "row 0 holds '1_000'"),
    ],
)
def test_what_is_not_guessed(cells, message):
    for target in (None, "v"):
        with pytest.raises(DataError, match=message):
            TableEncoder.fit({"v": cells, "x": ["1"] * len(cells)}, target)
    assert TableEncoder.fit({"v": cells}, categorical=["v"]).features[0].startswith("v=")


def test_a_stated_way_holds_for_all():
    assert column("1,060", "2,000", thousands=",") == ([1060, 2000], [])
    assert column("1,060", "2,000", decimal=",") == ([np.float32(1.06), 2], [])
    assert column("1.060", "2.000", decimal=",")[0] == [1060, 2000]
    assert column("3", "4", decimal=",", thousands=".") == ([3, 4], [])
    with pytest.raises(DataError, match=r"row 0 holds '3\.5'; expected a number written with decimal=','"):
        TableEncoder.fit({"v": ["3.5", "4.5"]}, decimal=",")
    with pytest.raises(ConfigError, match="decimal=';'"):
        TableEncoder.fit({"v": ["3.5"]}, decimal=";")
    with pytest.raises(ConfigError, match="both ','"):
        TableEncoder.fit({"v": ["3.5"]}, decimal=",", thousands=",")


def test_a_point_is_asked_about_where_another_column_has_commas():
    table = {"a": ["3,5", "2,25"], "b": ["1.060", "2.500"]}
    with pytest.raises(DataError, match=r"column 'b': row 0 holds '1\.060', which is 1\.06, or 1060 as column 'a'"):
        TableEncoder.fit(table)
    x, _ = TableEncoder.fit(table, decimal=",", thousands=".")(table)
    assert x.tolist() == [[3.5, 1060], [2.25, 2500]]


def test_a_target_is_numbers_and_the_way_is_kept():
    table = {"x": ["1", "2"], "y": ["3,5", "1.004,5"]}
    with pytest.warns(UserWarning, match="column 'y': numbers are written as '1.004,5', which is read as 1004.5"):
        encoder = TableEncoder.fit(table, "y")
    again = from_json(json.loads(json.dumps(to_json(encoder))), data.ALLOWED)
    assert again == encoder
    assert (again(table)[1].tolist(), again(table)[1].dtype, again.labels) == ([3.5, 1004.5], np.float32, None)
    with pytest.raises(DataError, match=r"column 'y': row 1 holds '4\.5'; expected a number"):
        again({"x": ["1", "2"], "y": ["3,5", "4.5"]})


def test_the_line_of_a_cell_is_said(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('a,y\n\n1,0\n"2",1\n\n3x,0\n4,1\n')
    with pytest.raises(DataError, match=r"column 'a': row 2 holds '3x'.*\n  Mend the cell.*on line 6 of the file"):
        from_csv(path, "y")
    path.write_text('a,b,y\n1,"two\nlines",0\n2,x,1\n,x,0\n')
    with pytest.raises(DataError, match=r"row 2 is missing\.\n.*on line 5 of the file"):
        from_csv(path, "y")
    path.write_text("a,y\n1,0\n2,1\n3,\n")
    with pytest.raises(DataError, match=r"the target 'y': row 2 is missing\.\n.*on line 4 of the file"):
        from_csv(path, "y")
    path.write_text("a,y\n1,0\na,y\n2,1\n")
    with pytest.raises(DataError, match=r"row 1 is the line of names again.*\n  Remove line 3"):
        from_csv(path, "y")


def test_columns_of_dates_are_refused():
    days = [f"2020-01-{day:02d}" for day in range(1, 30)]
    for cells in (days, ["31.01.2020", "1.2.2020"], ["1/2/20 10:30", "1/3/20 11:00"]):
        with pytest.raises(DataError, match=r"column 'day' holds dates.*\n  Write drop=\['day'\]"):
            TableEncoder.fit({"day": cells})
        assert len(TableEncoder.fit({"day": cells}, categorical=["day"]).features) == len(cells)


@pytest.mark.parametrize(
    "text", ["12:30", "1.2.3", "2020-01-05", "1/2", "5kg", "", "%", "1,2,3", "x" * 100, "1" * 100 + "x"]
)
def test_texts_are_no_numbers(text):
    assert not is_number(text)
    assert find_format("v", [text, text, "a"]) is None


def test_a_format_reads_what_is_written_so_alone():
    european = NumberFormat(",", thousands=".")
    assert [european(t) for t in ("1.060,5", "1060,5", ",5", "1.06", "0.125", "1060.5")] == [1060.5, 1060.5, 0.5] + [
        None
    ] * 3
