"""The published data: known counts, labels and pixels."""

import hashlib
import shutil

import numpy as np
import pytest
import sklearn.datasets

from thalweg.datasets import cifar10, digits, fashion_mnist, mnist
from thalweg.datasets.catalog.pictures import CIFAR10
from thalweg.errors import DataError


def test_digits_are_scikit_learns():
    (x, y), (xt, yt) = digits.load_data()
    assert x.dtype == y.dtype == np.uint8
    assert (x.shape, xt.shape) == ((1437, 8, 8), (360, 8, 8))
    bunch = sklearn.datasets.load_digits()
    ours = np.concatenate([np.c_[x.reshape(-1, 64), y], np.c_[xt.reshape(-1, 64), yt]])
    theirs = np.c_[bunch.data, bunch.target].astype(np.uint8)
    assert sorted(map(bytes, ours)) == sorted(map(bytes, theirs))
    share = np.bincount(bunch.target) * 360 / 1797
    assert abs(np.bincount(yt) - share).max() < 1
    assert hashlib.sha256(xt.tobytes()).hexdigest()[:16] == TEST_SPLIT  # the test rows are the same for ever


TEST_SPLIT = "81a13ba8fbb94a27"


def test_mnist(public_data):
    (x, y), (xt, yt) = mnist.load_data()
    assert x.dtype == y.dtype == np.uint8
    assert (x.shape, y.shape, xt.shape, yt.shape) == ((60000, 28, 28), (60000,), (10000, 28, 28), (10000,))
    assert y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert yt[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(y).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert x.mean() == pytest.approx(33.318421, abs=1e-6)
    assert x.std() == pytest.approx(78.567490, abs=1e-6)
    assert xt.mean() == pytest.approx(33.791224, abs=1e-6)


def test_cifar10_loads_what_is_there_and_says_so(public_data):
    there = sum((public_data / CIFAR10.folder / file.name).is_file() for file in CIFAR10.files[:5])
    if there == 5:
        pytest.skip("the whole set is here")
    said = rf"CIFAR-10.*: {there} of 5 training batches .*, {there * 10_000:,} of 50,000"
    with pytest.warns(UserWarning, match=said):
        (x, y), (xt, yt) = cifar10.load_data()
    assert (x.shape, y.shape) == ((there * 10_000, 32, 32, 3), (there * 10_000, 1))
    assert (xt.shape, yt.shape) == ((10_000, 32, 32, 3), (10_000, 1))
    assert [cifar10.CLASSES[k] for k in y[:6, 0]] == ["frog", "truck", "truck", "deer", "automobile", "automobile"]
    assert [cifar10.CLASSES[k] for k in yt[:4, 0]] == ["cat", "ship", "ship", "airplane"]
    assert x[0, 0, 0].tolist() == [59, 62, 63]
    assert np.bincount(yt[:, 0]).tolist() == [1000] * 10
    assert xt.mean((0, 1, 2)) == pytest.approx([126.0, 123.7, 114.9], abs=0.1)


def test_cifar10_files_that_are_damaged(tmp_path):
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    record = np.zeros((2, cifar10.RECORD), np.uint8)
    for file in CIFAR10.files:
        (folder / file.name).write_bytes(record.tobytes())
    (x, _), _ = cifar10.load_data(tmp_path)
    assert len(x) == 10
    (folder / "data_batch_3.bin").write_bytes(record.tobytes()[:-1])
    with pytest.raises(DataError, match=r"data_batch_3\.bin is no whole number of records of 3073 bytes: 3072 left"):
        cifar10.load_data(tmp_path)
    record[1, 0] = 10
    (folder / "data_batch_3.bin").write_bytes(record.tobytes())
    with pytest.raises(DataError, match=r"data_batch_3\.bin: record 1 has label 10; there are 10 classes"):
        cifar10.load_data(tmp_path)
    shutil.rmtree(folder)
    with pytest.raises(DataError, match=r"CIFAR-10.*is not on this machine"):
        cifar10.load_data(tmp_path)


def test_class_names():
    assert fashion_mnist.CLASSES[9] == "Ankle boot"
