"""The run folder: never shared, never half written, read back with clear errors."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from thalweg.errors import ConfigError
from thalweg.recipes import folder


def test_runs_are_numbered_and_never_shared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "digits-2").mkdir(parents=True)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: folder.fresh("digits").name, range(8)))
    assert sorted(made) == ["digits-1", *(f"digits-{n}" for n in range(3, 10))]


def test_a_named_folder_must_be_new_or_empty(tmp_path):
    assert folder.fresh("digits", tmp_path / "a" / "b").is_dir()
    assert folder.fresh("digits", tmp_path / "a" / "b").is_dir()
    (tmp_path / "a" / "b" / "config.yaml").write_text("epochs: 1")
    with pytest.raises(ConfigError, match="holds something already"):
        folder.fresh("digits", tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        folder.fresh("digits", tmp_path / "file")
    for place in (tmp_path / "file" / "below", tmp_path / ("x" * 300), tmp_path / "a\0b"):
        with pytest.raises(ConfigError, match="no folder can be made"):
            folder.fresh("digits", place)


def test_a_configuration_comes_back_as_it_was(tmp_path):
    stored = {
        "recipe": "digits",
        "data": None,
        "epochs": 3,
        "learning_rate": 1e-05,
        "filters": [4, 8],
        "name": "数字: #1",
    }
    folder.begin(tmp_path, stored, {})
    assert folder.read_config(tmp_path / "config.yaml") == stored
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == stored


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)
MANIFEST = {
    "recipe": "digits",
    "command": "",
    "seed": 0,
    "started": "",
    "versions": {},
    "data": {"source": "", "rows": {}, "sha256": {}},
    "config": {},
}
NO_CONFIGURATION = {
    "empty": "",
    "a number": "3",
    "a list": "- a\n- b",
    "cut": "a: [",
    "a number for a name": "1: 2",
    "a class": "a: !!python/object:os.system {}",
    "a tag": "a: !!bool maybe",
    "control characters": "\x00",
    "no day": "a: 2020-13-45",
    "aliases": BOMB,
    "a merge of names": "<<: {a: 1}",
    "twice": "epochs: 3\nepochs: 5",
    "deep": "a: " + "[" * 2000,
    "deep and closed": "a: " + "[" * 2000 + "]" * 2000,
    "long": "a: " + "x" * 300_000,
    "more digits than Python reads": "a: " + "9" * 5000,
    "no UTF-8": b"a: \xff",
    "a recipe that is no text": "recipe: 3",
    "data that is no text": "data: [a]",
}


@pytest.mark.parametrize("text", NO_CONFIGURATION.values(), ids=NO_CONFIGURATION)
def test_what_is_no_configuration_is_refused(tmp_path, text):
    (tmp_path / "c.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=r"c\.yaml(.|\n)*\n  (Write|Leave it out) ") as caught:
        folder.read_config(tmp_path / "c.yaml")
    assert len(str(caught.value)) < 1000


def test_a_device_or_a_pipe_is_no_configuration(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(ConfigError, match="no regular file"):
            folder.read_config(path)
        with pytest.raises(ConfigError, match="no regular file"):
            folder.read_manifest(path)


def test_a_missing_file_and_a_disk_that_cannot_be_written_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        folder.read_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        folder.read_manifest(tmp_path / "none.json")
    with pytest.raises(ConfigError, match="cannot be written"):
        folder.write_json(tmp_path / "no" / "folder.json", {})


def test_a_run_that_was_cut_before_it_began_begins_anew_and_a_file_of_ones_own_is_kept(tmp_path):
    left = tmp_path / "cut"
    left.mkdir()
    folder.begin(left, {"epochs": 1}, MANIFEST)
    (left / "config.yaml").rename(left / ".config.yaml.4711.tmp")
    (left / ".lock").touch()
    with pytest.warns(UserWarning, match="cut before it began; it begins anew"):
        folder.fresh("digits", left)
    with folder.held(left):
        assert sorted(path.name for path in left.iterdir()) == [".lock", "manifest.json"]
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "manifest.json").write_text('{"name": "a web page"}')
    with pytest.raises(ConfigError, match="holds something already"):
        folder.fresh("digits", tmp_path / "own")


def test_the_versions_say_what_computed():
    found = folder.versions()
    assert {"thalweg", "jax", "jaxlib", "numpy", "python", "platform", "device"} <= found.keys()
    assert json.loads(json.dumps(found)) == found
