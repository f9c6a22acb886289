"""The main road, as people type it: train digits, stop it in every way, go on, use it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from thalweg.export import modelfile

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """`start("train", "digits")` is that process, in a folder of the module's own."""
    place = tmp_path_factory.mktemp("home")
    cache = {"THALWEG_CACHE": str(place / "cache")}

    def process(*arguments):
        command = [sys.executable, "-u", "-m", "thalweg", *arguments]
        source = {"PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))}
        env = {**os.environ, **cache, **source, "XLA_FLAGS": ""}  # one device, as people have
        return subprocess.Popen(command, cwd=place, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    process.place = place
    return process


def ended(process):
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def whole(start):
    """The run folder of `thalweg train digits`, and what was printed."""
    code, out, err = ended(start("train", "digits"))
    assert code == 0, err
    return start.place / "runs" / "digits-1", out


def test_digits_is_learned(whole):
    folder, out = whole
    found = json.loads((folder / "evaluation.json").read_text())
    assert found["accuracy"] >= 0.98
    assert found["baseline"] < 0.15
    assert "thalweg predict runs/digits-1/model.tw runs/digits-1/samples.npz" in out


def test_a_run_that_is_killed_then_interrupted_ends_in_the_same_bits(start, whole):
    killed = start("train", "digits", "--run-dir", "other")
    wait_for(killed, lambda: checkpoints(start.place / "other"))
    killed.send_signal(signal.SIGKILL)
    ended(killed)
    assert not (start.place / "other" / "model.tw").exists()

    before = checkpoints(start.place / "other")
    stopped = start("train", "--resume", "other")
    wait_for(stopped, lambda: set(checkpoints(start.place / "other")) - set(before))
    stopped.send_signal(signal.SIGINT)
    code, out, _ = ended(stopped)
    if code == 130:  # on a fast machine the last chunk may have been under way
        assert "thalweg train --resume other" in out or "Epoch 20/20" in out  # or while the report was being written
        code, _, err = ended(start("train", "--resume", "other"))
        assert code == 0, err

    one, two = (modelfile.read(folder / "model.tw") for folder in (whole[0], start.place / "other"))
    assert [*one.weights] == [*two.weights]
    for name, array in one.weights.items():
        assert array.tobytes() == two.weights[name].tobytes(), name
    assert history(whole[0]) == history(start.place / "other")


def checkpoints(folder):
    return sorted(p.name for p in (folder / "checkpoints").glob("[0-9]*"))


def history(folder):
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("seconds", "time")} for line in lines]


def wait_for(process, condition):
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
