"""The run folder: never shared, never half written, read back with clear errors."""

import json
from concurrent.futures import ThreadPoolExecutor

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
    with pytest.raises(ConfigError, match="no folder can be made"):
        folder.fresh("digits", tmp_path / "file" / "below")


def test_a_configuration_comes_back_as_it_was(tmp_path):
    stored = {
        "recipe": "digits",
        "data": None,
        "epochs": 3,
        "learning_rate": 1e-05,
        "filters": [4, 8],
        "name": "数字: #1",
    }
    folder.write_config(tmp_path, stored)
    assert folder.read_config(tmp_path / "config.yaml") == stored
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == stored


@pytest.mark.parametrize("text", ["", "3", "- a\n- b", "a: [", "1: 2", "a: !!python/object:os.system {}", "\x00"])
def test_what_is_no_configuration_is_refused(tmp_path, text):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"c\.yaml"):
        folder.read_config(tmp_path / "c.yaml")


def test_a_missing_file_and_a_disk_that_cannot_be_written_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        folder.read_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        folder.read_json(tmp_path / "none.json")
    with pytest.raises(ConfigError, match="cannot be written"):
        folder.write_json(tmp_path / "no" / "folder.json", {})


def test_the_versions_say_what_computed():
    found = folder.versions()
    assert {"thalweg", "jax", "jaxlib", "numpy", "python", "platform", "device"} <= found.keys()
    assert json.loads(json.dumps(found)) == found
