import json

import numpy as np
import pandas as pd
import pytest

from thalweg import data
from thalweg.data import CodeColumn, NumberColumn, OneHotColumn, TableEncoder, as_table, from_csv, read_csv
from thalweg.errors import ConfigError, DataError
from thalweg.record import from_json, to_json

PEOPLE = """age,city,class,pays
31,Oslo,1,no
44.5,"Kiel, North",3,yes
28,Oslo,2,no
50,Bern,1,yes
"""


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE)
    return path


def test_pandas_agrees(people):
    source, encoder = from_csv(people, "pays", categorical=["class"])
    frame = pd.read_csv(people)
    dummies = pd.get_dummies(frame.drop(columns="pays"), columns=["city", "class"], prefix_sep="=")
    assert encoder.features == tuple(dummies.columns)
    np.testing.assert_array_equal(source.x, dummies.to_numpy(np.float32))
    assert source.x.dtype == np.float32
    assert (source.y.tolist(), source.y.dtype) == ([0, 1, 0, 1], np.int32)
    assert encoder.labels is not None
    assert encoder.labels.classes == ("no", "yes")


def test_frames_and_files_are_one(people):
    frame = pd.read_csv(people)
    _, encoder = from_csv(people, "pays")
    again = TableEncoder.fit(frame, "pays")
    assert encoder.features == again.features
    np.testing.assert_array_equal(encoder(frame)[0], encoder(read_csv(people))[0])


def test_it_is_kept_as_data(people):
    _, encoder = from_csv(people, "pays", codes=["city"], missing="mean")
    assert encoder.columns == (
        NumberColumn("age", 38.375), CodeColumn("city", ("Bern", "Kiel, North", "Oslo")), NumberColumn("class", 1.75)
    )  # fmt: skip
    assert from_json(json.loads(json.dumps(to_json(encoder))), data.ALLOWED) == encoder


def test_new_rows_need_no_target(people):
    _, encoder = from_csv(people, "pays", columns=["age", "city"])
    x, y = encoder({"age": [1], "city": ["Bern"], "more": ["not asked for"]})
    assert (x.tolist(), y) == ([[1, 1, 0, 0]], None)
    with pytest.raises(DataError, match=r"no column 'city'\.\n"):
        encoder({"age": [1]})
    with pytest.raises(DataError, match=r"column 'city': row 1 holds 'Rome'; expected one of 'Bern'"):
        encoder({"age": [1, 2], "city": ["Bern", "Rome"]})


def test_missing_cells(tmp_path):
    path = tmp_path / "gaps.csv"
    path.write_text("age,city,y\n10,Oslo,1.5\n?,NA,2\n30,,4.25\n")
    with pytest.raises(DataError, match=r"column 'age': row 1 is missing\.\n  Write missing='mean'"):
        from_csv(path, "y", drop=["city"])
    with pytest.raises(DataError, match=r"column 'city': row 1 is missing"):
        from_csv(path, "y", drop=["age"])
    source, encoder = from_csv(path, "y", missing="mean")
    assert encoder.features == ("age", "city=", "city=Oslo")
    assert source.x.tolist() == [[10, 0, 1], [20, 1, 0], [30, 1, 0]]
    assert (source.y.tolist(), source.y.dtype) == ([1.5, 2, 4.25], np.float32)
    _, on_training = from_csv(path, "y", missing="mean", rows=[0, 1])
    assert on_training.columns[0] == NumberColumn("age", 10.0)
    with pytest.raises(ConfigError, match="missing='median'"):
        from_csv(path, "y", missing="median")
    path.write_text("a,y\n1,2\n2,\n")
    with pytest.raises(DataError, match="the target 'y': row 1 is missing"):
        from_csv(path, "y")


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


def test_columns_that_name_rows(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("name,y\n" + "".join(f"person {i},{i % 2}\n" for i in range(300)))
    with pytest.raises(DataError, match=r"300 different texts in 300 rows.*\n  Write drop=\['name'\]"):
        from_csv(path, "y")
    assert from_csv(path, "y", codes=["name"])[0].x.shape == (300, 1)


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


def test_one_hot_columns_are_rows_of_the_identity():
    assert OneHotColumn("c", ("a", "b"))(["b", "a"]).tolist() == [[0, 1], [1, 0]]


def test_targets_of_whole_numbers_are_classes_as_they_stand(people):
    source, encoder = from_csv(people, "class", columns=["age"])
    assert (source.y.tolist(), source.y.dtype, encoder.labels) == ([1, 3, 2, 1], np.int32, None)
    source, encoder = from_csv(people, "class", columns=["age"], categorical=["class"])
    assert (source.y.tolist(), encoder.labels) == ([0, 2, 1, 0], data.Labels(("1", "2", "3")))
