"""Writing to a name: links are followed, what is no regular file is refused, permissions stay."""

import os
import stat
from pathlib import Path

import pytest

from thalweg import layers
from thalweg.errors import ConfigError, ModelFileError
from thalweg.files import replacing
from thalweg.model import Sequential, load_model
from thalweg.recipes import folder


def replace(path):
    with replacing(path) as temporary:
        temporary.write_text("new")


def save(path):
    Sequential([layers.Dense(2, input_shape=(3,))]).save(path)


def write(path):
    folder.write_text(path, "new")


WRITERS = {"replacing": (replace, OSError), "save": (save, ModelFileError), "write_text": (write, ConfigError)}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_file_is_written(tmp_path, name, there):
    (tmp_path / "store").mkdir()
    (tmp_path / "links").mkdir()
    target, link = tmp_path / "store" / "v1", tmp_path / "links" / "latest"
    if there:
        target.write_text("old")
    (tmp_path / "links" / "between").symlink_to("../store/v1")
    link.symlink_to("between")
    WRITERS[name][0](link)
    assert link.is_symlink()
    assert link.readlink() == Path("between")
    assert not target.is_symlink()
    assert target.read_bytes() not in (b"", b"old")
    assert [p.name for p in target.parent.iterdir()] == ["v1"]
    if name == "save":
        assert load_model(link).count_params() == 8


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "link to a pipe", "circle", "below a file"])
def test_what_is_no_regular_file_is_refused_and_stays(tmp_path, name, kind):
    writer, error = WRITERS[name]
    path = tmp_path / "m.tw"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        except OSError:
            pytest.skip("only root makes a device")
    elif kind == "link to a pipe":
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to("pipe")
    elif kind == "circle":
        path.symlink_to("other")
        (tmp_path / "other").symlink_to("m.tw")
    else:
        path.write_text("file")
        path = path / "m.tw"
    before = {p.name: p.lstat().st_mode for p in tmp_path.iterdir()}
    with pytest.raises(error) as caught:
        writer(path)
    assert {p.name: p.lstat().st_mode for p in tmp_path.iterdir()} == before
    assert name == "replacing" or "\n  " in str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "f"
    path.write_text("old")
    path.chmod(mode)
    replace(path)
    assert (stat.S_IMODE(path.stat().st_mode), path.read_text()) == (mode, "new")


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    replace(tmp_path / "f")
    (tmp_path / "g").write_text("")
    assert (tmp_path / "f").stat().st_mode == (tmp_path / "g").stat().st_mode


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written_is_left(tmp_path):
    path = tmp_path / "f"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(PermissionError):
        replace(path)
    assert path.read_text() == "old"
