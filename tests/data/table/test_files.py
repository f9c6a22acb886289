"""CSV files and frames: dialects, gaps, and files that cannot be used."""

import numpy as np
import pandas as pd
import pytest

from thalweg.data import as_table, from_csv, read_csv
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


def test_frames_with_gaps():
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [None, "x"], "c": [np.nan, 0.1]})
    assert as_table(frame) == {"a": ["1", ""], "b": ["", "x"], "c": ["", "0.1"]}
