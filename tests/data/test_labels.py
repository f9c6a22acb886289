import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_class_weight

from thalweg import data
from thalweg.data import Labels, class_weight, encode_labels, strata
from thalweg.errors import DataError
from thalweg.record import from_json, to_json


@pytest.mark.parametrize(
    "y",
    [
        ["dog", "cat", "dog"],
        np.array(["dog", "cat", "dog"]),
        np.array(["dog", "cat", "dog"], object),
        pd.Series(["dog", "cat", "dog"]),
        pd.Series(["dog", "cat", "dog"], dtype="category"),
        [["dog"], ["cat"], ["dog"]],
    ],
)
def test_texts_become_codes_and_come_back(y):
    codes, classes = encode_labels(y)
    assert codes.dtype == np.int32
    assert (codes.tolist(), classes) == ([1, 0, 1], ("cat", "dog"))
    labels = Labels(classes)
    assert labels.inverse(codes).tolist() == ["dog", "cat", "dog"]
    assert from_json(to_json(labels), data.ALLOWED) == labels


def test_integers_booleans_and_minus_one():
    assert encode_labels([3, 7, -1, 7]) == (pytest.approx([1, 2, 0, 2]), (-1, 3, 7))
    assert encode_labels([True, False])[1] == (False, True)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "a"], r"one class only, \['a'\]"),
        (np.array(["a", None], object), "row 1 holds None"),
        ([1.0, np.nan, 2.0], "row 1 holds no label"),
        (np.zeros((2, 3)), r"shape \(2, 3\)"),
    ],
)
def test_labels_that_cannot_be_learned(y, message):
    with pytest.raises(DataError, match=message):
        encode_labels(y)


def test_a_new_label_is_refused_with_its_row():
    labels = Labels(("cat", "dog"))
    with pytest.raises(DataError, match=r"row 1 holds 'dgo', which is not among the classes\.\n  Did you mean 'dog'"):
        labels(["cat", "dgo"])
    with pytest.raises(DataError, match="the classes are <U3"):
        labels([0, 1])
    with pytest.raises(DataError, match="row 0 holds 9"):
        Labels((1, 2))([9])


def test_class_weight_is_scikit_learns():
    y = np.random.default_rng(0).choice([0, 2, 5], 100, p=[0.1, 0.3, 0.6])
    expected = compute_class_weight("balanced", classes=np.array([0, 2, 5]), y=y)
    np.testing.assert_allclose(list(class_weight(y).values()), expected)
    assert list(class_weight(y[:, None])) == [0, 2, 5]
    with pytest.raises(DataError, match="need integer classes"):
        class_weight(["a", "b"])


def test_what_names_classes():
    codes = [0, 1, 1, 0]
    for y in ([3, 5, 5, 3], [0.0, 1.0, 1.0, 0.0], ["a", "b", "b", "a"], [[3], [5], [5], [3]], np.eye(2)[codes]):
        found = strata(y)
        assert found is not None
        assert found.tolist() == codes
    for y in ([0.1, 0.2, 0.3, 0.4], [1, 2, 3, 4], np.ones((4, 3)), np.zeros((4, 2, 2)), [np.nan, 1, 1, 1]):
        assert strata(y) is None
