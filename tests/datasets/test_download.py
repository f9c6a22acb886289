"""Downloads against a server on this machine: good bytes, wrong bytes, too few, too many, another mirror, none."""

import gzip
import hashlib
import io
import re
import tarfile

import numpy as np
import pytest

from tests.datasets.test_idx import idx
from thalweg.datasets import cifar10, store
from thalweg.datasets import idx as reader
from thalweg.datasets.download import download
from thalweg.datasets.entry import Entry, Published
from thalweg.errors import DataError

CONTENT = b"the published bytes" * 50_000
FILE = Published("file.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def test_good_bytes_arrive(tmp_path, serve):
    address, log = serve({"/file.bin": CONTENT})
    assert download(FILE, (address,), tmp_path / "new") == []
    assert (tmp_path / "new" / "file.bin").read_bytes() == CONTENT
    assert log == ["/file.bin"]
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["file.bin"]


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (CONTENT[:-1] + b"!", "its sha256 is .*, not the published"),
        (CONTENT[:1000], "stopped after 1,000 of 950,000 bytes"),
        ((CONTENT[:1000], len(CONTENT)), "stopped after 1,000|IncompleteRead"),
        (CONTENT + b"!", "longer than the published 950,000 bytes"),
        (b"", "stopped after 0"),
        (None, "HTTP Error 404"),
    ],
)
def test_a_bad_mirror_leaves_nothing_and_the_next_is_tried(tmp_path, serve, page, reason):
    bad, _ = serve({} if page is None else {"/file.bin": page})
    failed = download(FILE, (bad,), tmp_path)
    assert len(failed) == 1
    assert list(tmp_path.iterdir()) == []
    assert re.search(f"^{bad}file.bin: .*({reason})", failed[0])
    good, log = serve({"/file.bin": CONTENT})
    assert len(download(FILE, (bad, "ftp://nowhere/", good), tmp_path)) == 2
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert log == ["/file.bin"]


def test_a_person_sees_it_come(tmp_path, serve, monkeypatch):
    address, _ = serve({"/file.bin": CONTENT})
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", screen)
    assert download(FILE, (address,), tmp_path) == []
    assert screen.getvalue().endswith("\rfile.bin: 0.9 of 0.9 MB\n")


def test_an_older_file_is_not_touched_by_a_failure(tmp_path, serve):
    (tmp_path / "file.bin").write_bytes(b"older")
    bad, _ = serve({"/file.bin": CONTENT[:-1] + b"!"})
    assert download(FILE, (bad,), tmp_path)
    assert (tmp_path / "file.bin").read_bytes() == b"older"


def published(name, content):
    return Published(name, len(content), hashlib.sha256(content).hexdigest())


def small_set(address=""):
    """A set in four IDX files, small, with the files' contents."""
    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(0, 256, (5, 4, 4), dtype=np.uint8), np.arange(5, dtype=np.uint8),
        rng.integers(0, 256, (2, 4, 4), dtype=np.uint8), np.arange(2, dtype=np.uint8),
    ]  # fmt: skip
    names = ["train-images.gz", "train-labels.gz", "test-images.gz", "test-labels.gz"]
    contents = {n: gzip.compress(idx(a), mtime=0) for n, a in zip(names, arrays, strict=True)}
    files = tuple(published(n, c) for n, c in contents.items())
    entry = Entry(
        "small", "tests:none", "Small", "image classes", 5, 2, (4, 4), tuple("01234"), "small", files, (address,)
    )
    return entry, contents, arrays


def test_a_set_is_fetched_once_and_then_found(home, serve):
    _, contents, arrays = small_set()
    address, log = serve({f"/{name}": content for name, content in contents.items()})
    entry, _, _ = small_set(address)
    for _ in range(2):
        (x, y), (xt, yt) = reader.load(entry)
        for read, written in zip((x, y, xt, yt), arrays, strict=True):
            assert np.array_equal(read, written)
    assert len(log) == 4
    assert sorted(p.name for p in (home / "small").iterdir()) == sorted(contents)


def test_the_data_folder_comes_before_the_cache(home, tmp_path, monkeypatch):
    entry, contents, arrays = small_set()
    for folder in (tmp_path / "data" / "small", home / "small"):
        folder.mkdir(parents=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    monkeypatch.setenv("THALWEG_DATA", str(tmp_path / "data"))
    assert store.find(entry, "train-labels.gz") == tmp_path / "data" / "small" / "train-labels.gz"
    (tmp_path / "data" / "small" / "train-labels.gz").unlink()
    assert store.find(entry, "train-labels.gz") == home / "small" / "train-labels.gz"
    (tmp_path / "data" / "small" / "train-labels").write_bytes(gzip.decompress(contents["train-labels.gz"]))
    assert np.array_equal(reader.load(entry)[0][1], arrays[1])  # unpacked is as good
    assert store.find(entry, "train-images.gz", data=home / "small") == home / "small" / "train-images.gz"


def test_without_a_network_it_says_what_was_tried(home, serve):
    address, _ = serve({})
    entry, _, _ = small_set(address)
    with pytest.raises(DataError) as caught:
        reader.load(entry)
    message = str(caught.value)
    assert "Small: train-images.gz is not on this machine" in message
    assert f"looked in {home / 'small'}" in message
    assert f"{address}train-images.gz: HTTP Error 404" in message
    assert "copy train-images.gz, train-labels.gz, test-images.gz, test-labels.gz into DATA/small/" in message
    assert "set THALWEG_DATA=DATA" in message


def test_a_named_folder_is_never_replaced_by_a_download(home, serve, tmp_path):
    _, contents, _ = small_set()
    address, log = serve({f"/{name}": content for name, content in contents.items()})
    entry, _, _ = small_set(address)
    with pytest.raises(DataError, match=f"looked in {tmp_path / 'mine' / 'small'}"):
        reader.load(entry, tmp_path / "mine")
    assert log == []


def test_pictures_and_labels_must_fit(home):
    entry, contents, _ = small_set()
    folder = home / "small"
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "test-labels.gz").write_bytes(gzip.compress(idx(np.arange(3, dtype=np.uint8))))
    with pytest.raises(DataError, match=r"test-images\.gz holds pictures of shape \(2, 4, 4\), .* 3 labels"):
        reader.load(entry)
    (folder / "test-labels.gz").write_bytes(gzip.compress(idx(np.array([0, 7], np.uint8))))
    with pytest.raises(DataError, match="row 1 holds 7; there are 5 classes"):
        reader.load(entry)


RECORDS = np.random.default_rng(1).integers(0, 10, (4, cifar10.RECORD), dtype=np.uint8)


def archive(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def small_cifar(address, content):
    files = (Published("data_batch_1.bin", 2 * cifar10.RECORD), Published("test_batch.bin", 2 * cifar10.RECORD))
    return Entry(
        "cifar10", "tests:none", "CIFAR-10", "image classes", 2, 2, (32, 32, 3), tuple("0123456789"),
        "cifar10/cifar-10-batches-bin", files, (address,), published("cifar.tar.gz", content),
    )  # fmt: skip


def test_an_archive_gives_its_known_members_only(home, serve, tmp_path):
    content = archive(
        {
            "../../evil.bin": b"evil",
            "cifar-10-batches-bin/readme.html": b"<html>",
            "elsewhere/data_batch_1.bin": b"x" * 2 * cifar10.RECORD,
            "cifar-10-batches-bin/data_batch_1.bin": RECORDS[:2].tobytes(),
            "cifar-10-batches-bin/test_batch.bin": RECORDS[2:].tobytes(),
        }
    )
    address, log = serve({"/cifar.tar.gz": content})
    entry = small_cifar(address, content)
    for _ in range(2):
        (x, y), (xt, yt) = cifar10.load(entry)
    assert log == ["/cifar.tar.gz"]
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["data_batch_1.bin", "test_batch.bin"]
    assert y.tolist() == RECORDS[:2, :1].tolist()
    for n in range(2):  # the equation of the format, pixel by pixel
        for row, column, channel in [(0, 0, 0), (3, 7, 1), (31, 31, 2)]:
            assert xt[n, row, column, channel] == RECORDS[2 + n, 1 + channel * 1024 + row * 32 + column]
    assert np.array_equal(yt, RECORDS[2:, :1])
    assert x.shape == (2, 32, 32, 3)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"cifar-10-batches-bin/data_batch_1.bin": RECORDS[:2].tobytes()}, "lacks cifar-10-batches-bin/test_batch.bin"),
        ({"cifar-10-batches-bin/data_batch_1.bin": None}, "lacks cifar-10-batches-bin/data_batch_1.bin"),
        ({"cifar-10-batches-bin/data_batch_1.bin": b"short"}, "lacks cifar-10-batches-bin/data_batch_1.bin"),
        (None, "is damaged"),
    ],
)
def test_archives_that_are_not_what_they_should_be(home, serve, members, reason):
    content = b"no archive" if members is None else archive(members)
    address, _ = serve({"/cifar.tar.gz": content})
    with pytest.raises(DataError, match=reason):
        cifar10.load(small_cifar(address, content))
    assert [p.name for p in home.rglob("*") if p.is_file()] == ["cifar.tar.gz"]
