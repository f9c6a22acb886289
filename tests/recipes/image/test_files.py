"""Files of rows: every kind gives the same numbers; a wrong file is one clear error."""

import numpy as np
import pytest
from PIL import Image

from thalweg.errors import ContractError, DataError
from thalweg.recipes.image import files

X = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)


def write(path, x=X, y=None):
    flat = x.reshape(len(x), -1)
    names = [f"p{i}" for i in range(flat.shape[1])]
    if path.suffix == ".npz":
        np.savez(path, x=x, **({} if y is None else {"y": y}))
    elif path.suffix == ".npy":
        np.save(path, x)
    else:
        header = names if y is None else [*names, "label"]
        lines = [",".join(map(str, [*row] if y is None else [*row, y[i]])) for i, row in enumerate(flat.tolist())]
        path.write_text("\n".join([",".join(header), *lines]))
    return path


@pytest.mark.parametrize("kind", [".npz", ".npy", ".csv"])
@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (16,), None])
def test_rows_come_in_the_shape_of_the_network(tmp_path, kind, shape):
    x, y = files.read(write(tmp_path / f"rows{kind}"), shape)
    np.testing.assert_array_equal(x, X.reshape(2, *(shape or (4, 4))))
    assert y is None


@pytest.mark.parametrize("kind", [".npz", ".csv"])
def test_labels_come_with_the_rows(tmp_path, kind):
    _, y = files.read(write(tmp_path / f"rows{kind}", y=np.array([7, 3])), (4, 4))
    assert y.tolist() == [7, 3]


def test_one_picture_alone_is_one_row(tmp_path):
    x, _ = files.read(write(tmp_path / "one.npy", x=X[0]), (4, 4))
    np.testing.assert_array_equal(x, X[:1])


def test_a_picture_file_is_brought_to_the_size_and_the_range(tmp_path):
    pixels = np.kron(np.array([[0, 255], [255, 0]], np.uint8), np.ones((4, 4), np.uint8))
    Image.fromarray(pixels).save(tmp_path / "p.png")
    Image.fromarray(np.stack([pixels] * 3, -1)).save(tmp_path / "c.png")
    for name in ("p.png", "c.png"):
        x, _ = files.read(tmp_path / name, (8, 8), 16)
        np.testing.assert_allclose(x[0], pixels / 255 * 16, rtol=1e-6)
        assert files.read(tmp_path / name, (2, 2, 3))[0].shape == (1, 2, 2, 3)
    with pytest.raises(DataError, match="is a picture"):
        files.read(tmp_path / "p.png", (64,))


@pytest.mark.parametrize("name", ["none.npy", "folder"])
def test_a_missing_file_is_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="is no file"):
        files.read(tmp_path / name, (4, 4))


@pytest.mark.parametrize("kind", [".npz", ".npy", ".csv", ".png", ".txt"])
def test_a_damaged_or_unknown_file_is_refused(tmp_path, kind):
    path = tmp_path / f"bad{kind}"
    path.write_bytes(b"\x93\x00not what it says\xff")
    with pytest.raises(DataError, match=r"bad\."):
        files.read(path, (4, 4))


def test_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "o.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read"):
        files.read(tmp_path / "o.npy", (1,))


def test_rows_of_another_size_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"\[2, 4, 4\].*\[5, 5\]"):
        files.read(write(tmp_path / "rows.npy"), (5, 5))
    with pytest.raises(DataError, match=r"\[2, 2, 8\].*\[4, 4\]"):  # as many numbers, in another shape
        files.read(write(tmp_path / "rows.npy", x=X.reshape(2, 2, 8)), (4, 4))
    with pytest.raises(DataError, match="no squares"):
        files.read(write(tmp_path / "flat.npy", x=X.reshape(2, 16)[:, :15]))


def test_a_cell_without_a_number_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c,d\n1,2,3,4\n1,x,3,4\n")
    with pytest.raises(DataError, match="'b', row 1"):
        files.read(tmp_path / "t.csv", (2, 2))


def test_rows_and_labels_must_be_as_many(tmp_path):
    np.savez(tmp_path / "u.npz", x=X, y=np.arange(3))
    with pytest.raises(ContractError, match="x has 2, y has 3"):
        files.read(tmp_path / "u.npz", (4, 4))


@pytest.mark.parametrize(
    ("labels", "classes", "codes"),
    [
        (["dog", "cat"], ("cat", "dog"), [1, 0]),
        ([7, 3], ("3", "7"), [1, 0]),
        ([1, 0], ("cat", "dog"), [1, 0]),
        (["1", "0"], ("0", "1"), [1, 0]),
    ],
)
def test_labels_are_class_names_or_numbers(labels, classes, codes):
    assert files.codes(np.array(labels), classes).tolist() == codes


@pytest.mark.parametrize("label", [2, -1, "dgo"])
def test_an_unknown_label_is_named(label):
    with pytest.raises(DataError, match=f"row 1 holds '{label}'"):
        files.codes(np.array(["cat", label] if isinstance(label, str) else [0, label]), ("cat", "dog"))
