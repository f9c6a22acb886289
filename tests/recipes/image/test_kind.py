"""Pictures: which rows train, steer and judge; from named sets and files of one's own."""

import dataclasses

import numpy as np
import pytest

from thalweg.datasets import CATALOG, digits
from thalweg.errors import DataError
from thalweg.recipes.image.kind import PictureClasses, labelled
from thalweg.recipes.settings import Settings

DIGITS, MNIST = PictureClasses(CATALOG["digits"]), PictureClasses(CATALOG["mnist"])


def gather(kind, path, validation, seed):
    return kind.gather(path, Settings(validation_split=validation, seed=seed))


def rows_of(x):
    return {row.tobytes() for row in x}


def test_the_test_part_is_the_published_one_and_training_is_split_by_seed():
    (x, y), (xt, yt) = digits.load_data()
    one, two = (gather(DIGITS, None, 0.1, seed) for seed in (0, 1))
    for p in (one, two):
        np.testing.assert_array_equal(p.test[0], xt)
        np.testing.assert_array_equal(p.test[1], yt)
        assert sorted(map(bytes, np.concatenate([p.train[0], p.validation[0]]))) == sorted(map(bytes, x))
        assert len(p.validation[1]) == round(len(y) / 10)
    assert rows_of(one.validation[0]) != rows_of(two.validation[0])
    assert one.classes == tuple("0123456789")
    assert one.facts == {"brightest": 16}


def own(path, labels):
    rng = np.random.default_rng(0)
    np.savez(path, x=rng.integers(0, 200, (len(labels), 6, 6)).astype(np.uint8), y=np.array(labels))
    return path


def test_a_file_of_ones_own_is_split_by_class_and_its_labels_become_class_numbers(tmp_path):
    p = gather(DIGITS, own(tmp_path / "o.npz", [3, 7] * 50), 0.25, 0)
    assert p.classes == ("3", "7")
    assert [np.bincount(part[1]).tolist() for part in (p.train, p.validation, p.test)] == [[30, 30], [10, 10], [10, 10]]
    assert not rows_of(p.train[0]) & (rows_of(p.validation[0]) | rows_of(p.test[0]))
    x, y = labelled(tmp_path / "o.npz", (6, 6), ("3", "7"))
    assert x.shape == (100, 6, 6)
    assert y.tolist() == [0, 1] * 50


def test_the_digests_change_with_the_numbers_and_the_labels(tmp_path):
    path = own(tmp_path / "o.npz", [3, 7] * 50)
    p = gather(DIGITS, path, 0.1, 0)
    before = p.description()
    assert gather(DIGITS, path, 0.1, 0).description() == before
    assert before["rows"] == {"train": 72, "validation": 8, "test": 20}
    x, y = p.train
    for other in ((x ^ 1, y), (x, 1 - y)):
        assert dataclasses.replace(p, train=other).description()["sha256"]["train"] != before["sha256"]["train"]


def test_data_that_is_not_there_or_has_no_labels_is_refused(tmp_path):
    with pytest.raises(DataError, match="is a folder; Digits"):
        gather(DIGITS, tmp_path, 0.1, 0)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is not on this machine"):
        gather(MNIST, tmp_path, 0.1, 0)
    with pytest.raises(DataError, match="is no file"):
        gather(DIGITS, tmp_path / "no.npz", 0.1, 0)
    np.save(tmp_path / "x.npy", np.zeros((4, 8, 8)))
    with pytest.raises(DataError, match="holds no labels"):
        gather(DIGITS, tmp_path / "x.npy", 0.1, 0)
