from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from thalweg.data import (
    ArraySource,
    as_source,
    digest,
    from_arrays,
    from_folder,
    from_npz,
    is_source,
    row_bytes,
    save_folder,
    take,
    walk,
    whole,
)
from thalweg.errors import ConfigError, ContractError, DataError

TREE = {"left": np.arange(12.0, dtype=np.float32).reshape(6, 2), "right": (np.arange(6, dtype=np.uint8),)}
LABELS = np.array([0, 1, 0, 1, 0, 1], np.int32)


class Squares:
    """A source of the user's own."""

    def __len__(self):
        return 10

    def __getitem__(self, indices):
        return np.square(indices).astype(np.float32), indices


def test_rows_of_arrays():
    source = from_arrays(TREE, LABELS.tolist(), np.ones(6))
    assert len(source) == 6
    x, y, weight = source[np.array([4, 1, 4])]
    assert x["left"].tolist() == [[8, 9], [2, 3], [8, 9]]
    assert x["right"][0].tolist() == [4, 1, 4]
    assert (y.tolist(), weight.tolist()) == ([0, 1, 0], [1, 1, 1])
    assert len(from_arrays([1.0, 2.0])[slice(0, 1)][0]) == 1
    assert from_arrays([1.0, 2.0])[np.array([0])][1] is None


def test_a_list_of_inputs_is_known_by_the_targets():
    pair = [np.zeros((6, 2)), np.ones((6, 2))]
    assert isinstance(from_arrays(pair, LABELS).x, tuple)
    assert from_arrays(pair, [0, 1]).x.shape == (2, 6, 2)


def test_lengths_must_agree():
    with pytest.raises(ContractError, match="x has 3, y has 2"):
        from_arrays([1, 2, 3], [1, 2])
    with pytest.raises(ContractError, match=r"x\.left has 6, x\.right\.0 has 6, y has 5"):
        from_arrays(TREE, LABELS[:5])


def test_what_is_a_source():
    assert is_source(Squares())
    assert is_source(ArraySource(LABELS))
    for other in (LABELS, [1], (1,), {"x": 1}, pd.DataFrame({"a": [1]}), range(3), "text", None, 3):
        assert not is_source(other)


def test_as_source():
    squares = Squares()
    assert as_source(squares) is squares
    assert isinstance(as_source([1.0, 2.0], [0, 1]), ArraySource)
    with pytest.raises(ContractError, match="Squares is a source and brings its own targets"):
        as_source(squares, LABELS)


def test_take_whole_and_walk():
    x, y, weight = take(Squares(), np.array([3]))
    assert (x.tolist(), y.tolist(), weight) == ([9.0], [3], None)
    assert whole(Squares())[0].tolist() == [i * i for i in range(10)]
    source = ArraySource(LABELS)
    assert whole(source)[0] is LABELS
    assert [(first, len(rows[1])) for first, rows in walk(Squares(), 4)] == [(0, 4), (4, 4), (8, 2)]
    assert row_bytes(from_arrays(TREE, LABELS)) == 2 * 4 + 1 + 4
    broken = type("Broken", (Squares,), {"__getitem__": lambda self, i: np.zeros(3)})()
    with pytest.raises(DataError, match=r"Broken\[rows\] gave ndarray"):
        take(broken, np.array([0]))


def test_npz(tmp_path):
    path = tmp_path / "set.npz"
    np.savez(path, x_train=TREE["left"].astype(np.float64), y=LABELS, odd=np.array([{}], object))
    source = from_npz(path, x="x_train")
    assert source.x.dtype == np.float32
    assert source.x.tolist() == TREE["left"].tolist()
    assert source.y.tolist() == LABELS.tolist()
    assert from_npz(path, x="x_train", y=None).y is None
    with pytest.raises(DataError, match=r"holds no array 'x_trian'\.\n  Did you mean 'x_train'"):
        from_npz(path, x="x_trian")
    with pytest.raises(DataError, match="Python objects, which are not unpickled"):
        from_npz(path, x="odd")


def test_npz_files_that_are_damaged(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        from_npz(tmp_path / "none.npz")
    whole_file = tmp_path / "set.npz"
    np.savez(whole_file, x=np.zeros(1000), y=np.zeros(1000))
    for name, content in {
        "cut.npz": whole_file.read_bytes()[:3000],
        "text.npz": b"not a zip file",
        "empty.npz": b"",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="cannot be read"):
            from_npz(tmp_path / name)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(DataError, match="one array, not an archive"):
        from_npz(tmp_path / "one.npy")


def test_a_header_that_announces_too_much_is_refused(tmp_path):
    huge = tmp_path / "huge.npz"
    np.savez(huge, x=np.zeros(8), y=np.zeros(8))
    content = huge.read_bytes()
    assert content.count(b"'shape': (8,), }       ") == 2
    huge.write_bytes(content.replace(b"'shape': (8,), }       ", b"'shape': (2**59,), }   "))
    with pytest.raises(DataError):
        from_npz(huge)


def test_a_folder_is_mapped_and_gives_the_same_rows(tmp_path):
    source = from_arrays(TREE, LABELS)
    folder = save_folder(source, tmp_path / "set")
    assert sorted(p.name for p in folder.iterdir()) == ["x.left.npy", "x.right.0.npy", "y.npy"]
    mapped = from_folder(folder)
    assert mapped.mapped
    assert not source.mapped
    rows = np.array([5, 0, 5])
    x, y = mapped[rows]
    assert type(x["left"]) is np.ndarray  # in memory, not a view of the file
    np.testing.assert_array_equal(x["left"], TREE["left"][rows])
    np.testing.assert_array_equal(x["right"][0], TREE["right"][0][rows])
    np.testing.assert_array_equal(y, LABELS[rows])
    assert digest(mapped) == digest(source)
    with pytest.raises(ConfigError, match="exists"):
        save_folder(source, folder)


def test_a_folder_is_written_a_chunk_at_a_time(tmp_path, monkeypatch):
    asked = []

    class Counting(Squares):
        def __getitem__(self, indices):
            asked.append(len(indices))
            return Squares.__getitem__(self, indices)

    monkeypatch.setattr("thalweg.data.sources.CHUNK_BYTES", 3 * row_bytes(Squares()))
    folder = save_folder(Counting(), tmp_path / "squares")
    assert max(asked) == 3
    assert from_folder(folder).x.tolist() == [i * i for i in range(10)]


def test_folders_that_are_damaged(tmp_path):
    with pytest.raises(DataError, match=r"holds no x\.npy"):
        from_folder(tmp_path)
    np.save(tmp_path / "x.npy", np.zeros(3))
    np.save(tmp_path / "y.npy", np.zeros(4))
    with pytest.raises(DataError, match="differ in their number of rows"):
        from_folder(tmp_path)
    (tmp_path / "y.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-9])
    with pytest.raises(DataError, match="cannot be mapped"):
        from_folder(tmp_path)
    np.save(tmp_path / "y.npy", np.array([{}], object))
    with pytest.raises(DataError, match="cannot be mapped"):
        from_folder(tmp_path)


def test_digest_covers_content_shape_type_and_names():
    base = np.arange(6, dtype=np.float32)
    alike = digest(from_arrays(base, LABELS))
    assert digest(from_arrays(base.copy(), LABELS.copy())) == alike
    others = [
        digest(base),
        digest(base.reshape(2, 3)),
        digest(base.astype(np.int32)),
        digest({"a": base}),
        digest({"b": base}),
        digest(np.roll(base, 1)),
        digest(from_arrays(base, 1 - LABELS)),
    ]
    assert len({alike, *others}) == 8
    assert all(len(d) == 64 for d in others)


def test_digest_does_not_depend_on_the_chunks(monkeypatch):
    source = from_arrays(TREE, LABELS)
    before = digest(source)
    monkeypatch.setattr("thalweg.data.sources.CHUNK_BYTES", 30)
    assert digest(source) == before


@pytest.mark.parametrize("name", ["file/a", "/proc/a", "full"])
def test_a_folder_that_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path, monkeypatch, name):
    (tmp_path / "file").write_text("")
    if name == "full":
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(total=10, used=0, free=10))
    with pytest.raises(ConfigError, match=r"cannot be written: .*\n  Name another place"):
        save_folder(from_arrays(np.zeros((9, 2), np.float32)), tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
