"""The catalogue: what is entered there, and nowhere else, is listed, loaded by name, and a module of `datasets`."""

import hashlib
import importlib
import subprocess
import sys
import types

import pytest

from thalweg import datasets
from thalweg.datasets.catalog import CATALOG
from thalweg.datasets.entry import Entry, Published
from thalweg.errors import ConfigError, DataError

PLACED = [entry for entry in CATALOG.values() if entry.files]
every = pytest.mark.parametrize("entry", CATALOG.values(), ids=lambda e: e.name)
placed = pytest.mark.parametrize("entry", PLACED, ids=lambda e: e.name)


@every
def test_the_place_of_a_set_is_a_function_of_its_module(entry):
    module, _, function = entry.place.partition(":")
    assert importlib.import_module(module) is getattr(datasets, entry.name)
    assert callable(getattr(datasets, entry.name).load_data)
    assert callable(getattr(getattr(datasets, entry.name), function))


@every
def test_checksums_are_whole(entry):
    for file in (*entry.files, *filter(None, [entry.archive])):
        assert len(file.sha256) in (0, 64)
        assert file.sha256 or entry.archive
        assert file.size > 0
    assert all(mirror.endswith("/") for mirror in entry.mirrors)


@every
def test_pictures_have_ten_classes(entry):
    assert len(entry.classes) == 10 or entry.task != "image classes"


@placed
def test_the_files_are_those_that_were_published(public_data, entry):
    if entry.archive or not (public_data / entry.folder).is_dir():
        pytest.skip("the set is not here, or its files come in an archive")
    for file in entry.files:
        content = (public_data / entry.folder / file.name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256), file.name
    assert next(line for line in datasets.table() if line.entry == entry).complete


@placed
def test_a_file_that_is_nowhere_says_where_to_put_it(home, tmp_path, entry):
    with pytest.raises(DataError, match=r"is not on this machine.*\n(.*\n)*.*(copy|Unpack) ") as caught:
        datasets.load(entry.name, tmp_path)
    assert f"DATA/{entry.folder}/" in str(caught.value)
    assert "set THALWEG_DATA=DATA" in str(caught.value)


def test_one_entry_makes_a_data_set(home, tmp_path, monkeypatch):
    module = types.ModuleType("tests.clouds")
    module.load_pictures = lambda data: ("clouds of", data)
    monkeypatch.setitem(sys.modules, "tests.clouds", module)
    files = (Published("clouds.csv", 8, "0" * 64),)
    entry = Entry("clouds", "tests.clouds:load_pictures", "Clouds", "series", 1, 0, (1,), (), "clouds", files)
    monkeypatch.setitem(CATALOG, "clouds", entry)
    assert datasets.load("clouds", tmp_path) == ("clouds of", tmp_path)
    assert datasets.clouds is module
    assert "clouds" in dir(datasets)
    assert next(line for line in datasets.table() if line.entry.name == "clouds") == datasets.Listing(entry, 0, None)


def test_the_table(home, tmp_path, monkeypatch):
    lines = {line.entry.name: line for line in datasets.table()}
    assert list(lines) == sorted(CATALOG)
    assert [n for n in lines if lines[n].complete] == ["digits"]
    assert lines["mnist"].where is None
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    monkeypatch.setenv("THALWEG_DATA", str(tmp_path / "data"))
    for n, file in enumerate(CATALOG["mnist"].files, start=1):
        (folder / file.name).touch()
        line = next(line for line in datasets.table() if line.entry.name == "mnist")
        assert (line.found, line.complete, line.where) == (n, n == 4, str(folder))


def test_sets_by_name(home):
    assert datasets.load("Digits")[0][0].shape == (1437, 8, 8)
    with pytest.raises(DataError, match="Fashion-MNIST clothes"):
        datasets.load("fashion-mnist", home)
    with pytest.raises(ConfigError, match=r"unknown data set 'mnits'\.\n  Did you mean 'mnist'"):
        datasets.load("mnits")
    with pytest.raises(AttributeError, match=r"thalweg\.datasets has no 'mnits'\.\n  Did you mean 'mnist'"):
        _ = datasets.mnits


def test_the_list_loads_no_jax(home):
    code = "import sys; from thalweg.datasets import table; table(); print('jax' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_the_command_line_lists_them(home):
    out = subprocess.run(
        [sys.executable, "-m", "thalweg", "datasets"],
        capture_output=True, text=True, check=True, env={"COLUMNS": "200", "PATH": "", "HOME": str(home)},
    ).stdout  # fmt: skip
    assert all(name in out for name in CATALOG)
    assert "goes into DATA/tatoeba/" in out
