"""A run folder whose files a hand or a disk has changed: an error that names the file, or the run as it was."""

import json
import random
import shutil
import warnings

import numpy as np
import pytest
import yaml

from tests.edits import REMOVED, edited
from thalweg import recipes
from thalweg.datasets import digits
from thalweg.errors import ConfigError, ThalwegError
from thalweg.recipes import folder, running

SMALL = {"epochs": 1, "filters": [2], "units": 4}
MAY_CHANGE = {"epochs", "patience"}
VALUES = [REMOVED, None, [], [1], {}, {"a": 1}, "x", "", "\ud800", 7, -1, 0.5, True, float("nan"), 1e308, 10**400]
ODD = b'{}[]:,"&*!-0e\n\t \x00\xff\xc3x'
READ = {"config.yaml": yaml.safe_load, "manifest.json": json.loads}
WRITE = {"config.yaml": yaml.safe_dump, "manifest.json": json.dumps}


class Reached(Exception):
    """The run would train now."""


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A run that has begun and not trained yet."""
    place = tmp_path_factory.mktemp("edited")
    (x, y), _ = digits.load_data()
    np.savez(place / "own.npz", x=x[:60], y=y[:60])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "_train", reached)
        with pytest.raises(Reached):
            recipes.run("digits", SMALL, data=place / "own.npz", run_dir=place / "run")
    return place / "run"


def reached(job, *_, **__):
    raise Reached(job)


def keys(value, path=()):
    """The path of every key."""
    for name, inside in value.items():
        yield (*path, name)
        if isinstance(inside, dict):
            yield from keys(inside, (*path, name))


def edits(begun):
    """Each key of each file, with each value in its place."""
    for name, read in READ.items():
        value = read((begun / name).read_text())
        for path in keys(value):
            for new in VALUES:
                yield name, ".".join(path), WRITE[name](edited(value, path, new)).encode(errors="surrogatepass")


def spoiled(begun, rng):
    """A file that was cut, or in which a few bytes are others."""
    name = rng.choice(sorted(READ))
    data = bytearray((begun / name).read_bytes())
    if rng.random() < 0.2:
        return name, "cut", bytes(data[: rng.randrange(len(data))])
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data))
        data[place : place + rng.randint(0, 2)] = bytes(
            rng.choices(b'{}[]:,"&*!-0e\n\t \x00\xff\xc3x', k=rng.randint(0, 2))
        )
    return name, "spoiled", bytes(data)


def resumed(case):
    """The error of ours that a resumed run ends in, or the job that it would do; and what it warned of."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(record=True) as said:
        patch.setattr(running, "_train", reached)
        warnings.simplefilter("always")
        try:
            recipes.resume(case)
        except (Reached, ThalwegError) as end:
            return end, [str(w.message) for w in said]


def hold(begun, case, name, text):
    """Resume with `text` as the file `name`."""
    shutil.rmtree(case, ignore_errors=True)
    shutil.copytree(begun, case)
    (case / name).write_bytes(text)
    end, said = resumed(case)
    if isinstance(end, ThalwegError):
        assert "\n  " in str(end), text
        assert name in str(end) or "data is not the run's" in str(end), (text, str(end))
        assert len(str(end)) < 2000
        return
    (job,) = end.args
    then, now = (yaml.safe_load((run / "config.yaml").read_text()) for run in (begun, case))
    settings = job.settings.model_dump(mode="json")
    changed = {key for key, value in settings.items() if value != then[key]}
    assert changed <= MAY_CHANGE, text
    assert all(any(key in line for line in said) for key in changed), text
    manifest = folder.read_manifest(case / "manifest.json")
    assert manifest["config"] == {"recipe": "digits", "data": now.get("data"), **settings}


def test_the_files_as_they_were_go_on(begun, tmp_path):
    for name in READ:
        hold(begun, tmp_path / "r", name, (begun / name).read_bytes())


def test_edits_by_hand(begun, tmp_path):
    rng = random.Random(0)
    for name, _, text in rng.sample(list(edits(begun)), 120):
        hold(begun, tmp_path / "r", name, text)
    for _ in range(60):
        name, _, text = spoiled(begun, rng)
        hold(begun, tmp_path / "r", name, text)


@pytest.mark.long
def test_every_edit_by_hand(begun, tmp_path):
    for name, _, text in edits(begun):
        hold(begun, tmp_path / "r", name, text)
    rng = random.Random(1)
    for _ in range(3000):
        name, _, text = spoiled(begun, rng)
        hold(begun, tmp_path / "r", name, text)


def line(begun, case, old, new):
    shutil.copytree(begun, case)
    text = (case / "config.yaml").read_text()
    assert old in text
    (case / "config.yaml").write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("learning_rate: ", "learning_rate: 1", r"learning_rate: .*0\.002 in manifest"),
        ("units: 4", "units: 5", r"units: 5 \(4 in manifest"),
        ("seed: 0", "seed: 1", r"seed: 1 \(0 in manifest"),
        ("filters:\n- 2", "", r"filters: \(32, 64\) \(\(2,\) in manifest"),
        ("recipe: digits", "recipe: mnist-mlp", r"names the recipe 'mnist-mlp', and manifest\.json 'digits'"),
    ],
)
def test_a_setting_that_was_changed_is_refused(begun, tmp_path, old, new, said):
    line(begun, tmp_path / "r", old, new)
    with pytest.raises(ConfigError, match=rf"config\.yaml.*{said}(.|\n)*\n  "):
        recipes.resume(tmp_path / "r")


def test_more_epochs_are_said_and_the_manifest_follows(begun, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_train", reached)
    line(begun, tmp_path / "r", "epochs: 1", "epochs: 3")
    with pytest.warns(UserWarning, match=r"config\.yaml.* epochs: 3 \(1 in manifest"), pytest.raises(Reached):
        recipes.resume(tmp_path / "r")
    assert json.loads((tmp_path / "r" / "manifest.json").read_text())["config"]["epochs"] == 3


def test_a_run_without_its_manifest_says_how_to_begin_anew(begun, tmp_path):
    shutil.copytree(begun, tmp_path / "r")
    (tmp_path / "r" / "manifest.json").unlink()
    with pytest.raises(ConfigError, match=r"manifest\.json cannot be read(.|\n)*thalweg train --config .*config\.yaml"):
        recipes.resume(tmp_path / "r")


def test_a_run_whose_files_say_little_still_ends_in_its_report(begun, tmp_path):
    shutil.copytree(begun, tmp_path / "r")
    manifest = json.loads((begun / "manifest.json").read_text())
    manifest["data"] |= {"source": "\ud800", "rows": {}}
    odd = {**manifest, "command": "\ud800", "started": "", "versions": {}, "seconds": 1e300, "seed": 9}
    (tmp_path / "r" / "manifest.json").write_text(json.dumps(odd))
    with pytest.warns(UserWarning, match="other versions"):
        result = recipes.resume(tmp_path / "r", verbose=0)
    assert result.verdict is not None
    assert (tmp_path / "r" / "report.html").is_file()
    after = json.loads((tmp_path / "r" / "manifest.json").read_text())
    assert (after["seed"], after["data"]["rows"]["train"]) == (0, 43)
