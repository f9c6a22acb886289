"""What columns become: against pandas, kept as data, with gaps, with and without a target."""

import json

import numpy as np
import pandas as pd
import pytest

from thalweg import data
from thalweg.data import CodeColumn, NumberColumn, OneHotColumn, TableEncoder, from_csv, read_csv
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


def test_columns_that_name_rows(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("name,y\n" + "".join(f"person {i},{i % 2}\n" for i in range(300)))
    with pytest.raises(DataError, match=r"300 different texts in 300 rows.*\n  Write drop=\['name'\]"):
        from_csv(path, "y")
    assert from_csv(path, "y", codes=["name"])[0].x.shape == (300, 1)


def test_one_hot_columns_are_rows_of_the_identity():
    assert OneHotColumn("c", ("a", "b"))(["b", "a"]).tolist() == [[0, 1], [1, 0]]


def test_targets_of_whole_numbers_are_classes_as_they_stand(people):
    source, encoder = from_csv(people, "class", columns=["age"])
    assert (source.y.tolist(), source.y.dtype, encoder.labels) == ([1, 3, 2, 1], np.int32, None)
    source, encoder = from_csv(people, "class", columns=["age"], categorical=["class"])
    assert (source.y.tolist(), encoder.labels) == ([0, 2, 1, 0], data.Labels(("1", "2", "3")))


def test_a_name_that_stands_twice_is_refused():
    frame = pd.DataFrame([[1, 2, "u"], [3, 4, "v"]], columns=["a", "a", "y"])
    with pytest.raises(DataError, match="the name 'a' twice"):
        TableEncoder.fit(frame, "y")
    with pytest.raises(DataError, match="the name '1' twice"):
        TableEncoder.fit({"1": [1, 2], 1: [3, 4]})


def test_columns_of_several_lengths_are_refused():
    encoder = TableEncoder.fit({"age": [1, 2], "city": ["Kiel", "Oslo"]})
    with pytest.raises(DataError, match="differ in their number of rows"):
        encoder({"age": [1, 2], "city": ["Kiel"]})


@pytest.mark.parametrize("cell", [[1, 2], (1, 2), {"a": 1}, np.ones(2), 1 + 2j])
def test_a_cell_is_one_value(cell):
    with pytest.raises(DataError, match="row 1 holds"):
        TableEncoder.fit({"a": [3, cell]})


def test_whole_targets_beyond_int32_are_quantities():
    table = {"a": [1, 2, 3], "y": ["16777216", "5", "3000000000"]}
    encoder = TableEncoder.fit(table, "y")
    y = encoder(table)[1]
    assert y is not None
    assert (y.tolist(), y.dtype) == ([16777216, 5, 3000000000], np.float32)


@pytest.mark.parametrize(
    "cells",
    [
        [f"202001{day:02d}" for day in range(1, 21)],  # float32 steps by 2 there
        [str(1_600_000_000 + 60 * i) for i in range(30)],
        ["16777217", "16777216", "16777218"],
        ["0.10000000001", "0.10000000002", "0.10000000003"],
    ],
)
def test_numbers_that_float32_makes_one_are_refused(cells):
    with pytest.raises(DataError, match="which float32 rounds to"):
        TableEncoder.fit({"a": cells})
    with pytest.raises(DataError, match="which float32 rounds to"):
        TableEncoder.fit(
            {"a": range(len(cells)), "y": [f"{cell}.5" if "." not in cell else cell for cell in cells]}, "y"
        )


@pytest.mark.parametrize(
    "cells",
    [["1234567891", "987654321"], ["0.1", "0.2"], ["16777217", "16777217"], [f"{y}0101" for y in range(1990, 2020)]],
)
def test_what_float32_rounds_by_little_is_taken(cells):
    x = TableEncoder.fit({"a": cells})({"a": cells})[0]
    np.testing.assert_allclose(x[:, 0], np.array(cells, float), rtol=1e-7)


@pytest.mark.parametrize("rows", [[0, 9], [-1], []])
def test_rows_are_those_of_the_table(rows):
    with pytest.raises(DataError, match="not among the 2 rows"):
        TableEncoder.fit({"a": [1, None]}, missing="mean", rows=rows)


@pytest.mark.parametrize("argument", ["columns", "drop", "categorical", "codes"])
def test_one_name_alone_is_no_list_of_names(argument):
    with pytest.raises(DataError, match=r"Write \['ab'\]"):
        TableEncoder.fit({"a": [1, 2], "b": [3, 4], "ab": [5, 6]}, **{argument: "ab"})
