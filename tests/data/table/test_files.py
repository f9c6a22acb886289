"""CSV files and frames: dialects, gaps, and files that cannot be used."""

import gzip
import time

import numpy as np
import pandas as pd
import pytest

from thalweg.data import as_table, from_csv, read_csv, read_series
from thalweg.errors import DataError


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (b"", {}, "is empty"),
        (b"\n\n", {}, "is empty"),
        (b"a,y\n", {}, "no data"),
        (b"a,y\n1,0\n2\n", {}, r"row 1 has 1 cells; the table has 2 columns"),
        (b"a,y\n1,0\n1,2,3\n", {}, "row 1 has 3 cells"),
        (b"a,a\n1,0\n", {}, "the name 'a' twice"),
        (b"a,\n1,0\n", {}, "a column without a name"),
        (b"1,2\n3,4\n", {}, "first line holds numbers, .*\n.*names="),
        (b"5.1,setosa\n4.9,setosa\n", {}, "first line holds numbers"),
        (
            b"a,y\nM\xfcller,1\nb,0\n",
            {},
            r"is not UTF-8: byte 5 is 0xfc\.\n  Save it as UTF-8, or write encoding='latin-1'",
        ),
        (b'a,y\n"' + b"x" * 200_000, {}, "is no CSV file"),
        (b"a,y\n1,0\n2,1\n", {"target": "z"}, r"no column 'z'"),
        (b"age,y\n1,0\n2,1\n", {"drop": ["agee"]}, r"no column 'agee'\.\n  Did you mean 'age'"),
        (b"a,y\n1,0\n2,0\n", {}, "one class only"),
        (b"a,y\n1,0\ninf,1\n", {}, "column 'a': row 1 holds 'inf'; expected a number"),
        (b"a,y\n?,0\n,1\n", {"missing": "mean"}, "column 'a' is empty"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, content, arguments, message):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        from_csv(path, **{"target": "y", **arguments})


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="cannot be opened: No such file"):
        read_csv(tmp_path / "none.csv")


def test_dialects(tmp_path):
    path = tmp_path / "file.csv"
    for content, options in (
        ("a;y\n1;0\n2;1\n", {}),
        ("a\ty\n1\t0\n2\t1\n", {}),
        ("a, y\n 1, 0\n 2, 1\n", {}),
        ("1,0\n2,1\n", {"names": ["a", "y"]}),
        ("\ufeffa,y\r\n1,0\r\n\r\n2,1\r\n", {}),
    ):
        path.write_text(content, encoding="utf-8", newline="")
        assert read_csv(path, **options) == {"a": ["1", "2"], "y": ["0", "1"]}
    path.write_bytes("a,y\nMüller,0\n".encode("latin-1"))
    assert read_csv(path, encoding="latin-1")["a"] == ["Müller"]


@pytest.mark.parametrize("content", ['a,b\n1,"x', 'a,b\n1,"x\n2,y\n3,z\n', 'a\n"', 'a,b\n1,"x ""y"\n2,"z\n'])
def test_a_quote_that_is_never_closed_takes_no_rows(tmp_path, content):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(DataError, match=r"t\.csv, line \d, opens a quote that is never closed\.\n  Close it"):
        read_csv(tmp_path / "t.csv")


@pytest.mark.parametrize("content", ['a,b\n1,"x\ny"\n', 'a,b\n1,5"\n', 'a,b\n1,"x"y\n', 'a,b\n1,""\n', 'a,b\n1,"x\n"'])
def test_quotes_that_are_closed(tmp_path, content):
    (tmp_path / "t.csv").write_text(content)
    assert read_csv(tmp_path / "t.csv")["a"] == ["1"]


def test_a_row_of_nothing_is_a_missing_value(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text('v\n1\n\n3\n  \n""\n6\n\n\n')
    assert read_csv(path) == {"v": ["1", "", "3", "", "", "6"]}
    assert (
        read_csv(path)["v"]
        == pd.read_csv(path, skip_blank_lines=False, dtype=str)["v"].fillna("").str.strip().tolist()[:6]
    )
    with pytest.raises(DataError, match=r"variable 'v': row 1 is missing\.\n"):
        read_series(path)
    assert read_series(path, missing="forward").values.ravel().tolist() == [1, 1, 3, 3, 3, 6]
    path.write_text('v\n1\n""\n\n')
    assert read_csv(path) == {"v": ["1", ""]}
    path.write_text("\n1\n\n3\n")
    assert read_csv(path, names=["v"]) == {"v": ["", "1", "", "3"]}
    path.write_text("\n\na,b\n\n1,2\n,\n\n3,\n,\n\n")
    assert read_csv(path) == {"a": ["1", "", "3", ""], "b": ["2", "", "", ""]}


def test_the_delimiter_is_one_that_fits_the_names(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("3,5;4,25\n1,5;2,0\n")
    assert read_csv(path, names=["a", "y"]) == {"a": ["3,5", "1,5"], "y": ["4,25", "2,0"]}
    path.write_text("3,5\n1,5\n")
    assert read_csv(path, names=["a"]) == {"a": ["3,5", "1,5"]}
    with pytest.raises(DataError, match="the first line holds numbers"):
        read_csv(path, delimiter=";")
    path.write_text("\ufeffa;y\n3,5;1\n4,5;0\n", encoding="utf-8")
    assert list(read_csv(path, encoding="utf-8")) == ["a", "y"]


@pytest.mark.parametrize(
    ("name", "most", "content"),
    [
        ("csv_bytes", 20, "a,b\n" + "1,2\n" * 5),
        ("csv_columns", 3, "a,b,c,d\n1,2,3,4\n"),
        ("csv_columns", 3, "a,b\n1,2\n" + "1," * 50 + "1\n"),
        ("csv_cells", 7, "a,b\n" + "1,2\n" * 3),
        ("csv_cells", 7, "v\n" + "\n" * 50 + "1\n"),
        ("csv_characters", 8, "a,b\n1,123456789\n"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_limit_is_named_and_raised_by_a_setting(tmp_path, monkeypatch, name, most, content, packed):
    path = tmp_path / ("file.csv.gz" if packed else "file.csv")
    path.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    monkeypatch.setenv(f"THALWEG_LIMIT_{name.upper()}", str(most))
    with pytest.raises(DataError, match=rf"has more than {most} .*{name}\.\n.*THALWEG_LIMIT_{name.upper()}[ =]"):
        read_csv(path)
    monkeypatch.setenv(f"THALWEG_LIMIT_{name.upper()}", "1000")
    if "1,1,1" not in content:
        assert read_csv(path)


def test_a_header_of_many_names_is_looked_at_once(tmp_path):
    path = tmp_path / "file.csv"
    names = [f"n{i}" for i in range(100_000)]
    path.write_text(",".join(names) + "\n" + ",".join(["1"] * len(names)) + "\n")
    began = time.process_time()
    assert len(read_csv(path)) == len(names)
    assert time.process_time() - began < 10  # looking for each name among all takes minutes


def test_frames_with_gaps():
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [None, "x"], "c": [np.nan, 0.1]})
    assert as_table(frame) == {"a": ["1", ""], "b": ["", "x"], "c": ["", "0.1"]}
