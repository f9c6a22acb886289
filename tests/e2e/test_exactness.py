"""A run killed by SIGKILL at a random step and resumed ends in the same bits, with the same history."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

RUN = Path(__file__).with_name("killed.py")
EPOCHS, STEPS = 6, 5


def start(*arguments, cache):
    environment = {**os.environ, "THALWEG_CACHE": str(cache), "PYTHONPATH": str(RUN.parents[2])}
    environment.pop("XLA_FLAGS", None)
    command = [sys.executable, str(RUN), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finished(process):
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, cache):
    """The uninterrupted run, without checkpoints."""
    out = tmp_path_factory.mktemp("whole") / "weights.npz"
    finished(start("", "no", EPOCHS, out, cache=cache))
    return out


def kill_and_resume(point, whole, folder, cache):
    process = start(folder / "run", "no", EPOCHS, folder / "never.npz", cache=cache)
    assert process.stdout is not None
    for _ in range(point):
        assert process.stdout.readline() == "step\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    out = folder / "weights.npz"
    finished(start(folder / "run", "resume", EPOCHS, out, cache=cache))
    expected, found = np.load(whole), np.load(out)
    assert expected.files == found.files
    for name in expected.files:
        assert expected[name].tobytes() == found[name].tobytes(), f"{name} differs after a kill at step {point}"
    assert json.loads(Path(f"{whole}.json").read_text()) == json.loads(Path(f"{out}.json").read_text())


@pytest.mark.parametrize("point", random.Random(1).sample(range(1, EPOCHS * STEPS), 3))
def test_killed_and_resumed_ends_in_the_same_bits(point, whole, tmp_path, cache):
    kill_and_resume(point, whole, tmp_path, cache)


@pytest.mark.long
@pytest.mark.parametrize("point", random.Random(2).sample(range(1, EPOCHS * STEPS), 20))
def test_twenty_kill_points(point, whole, tmp_path, cache):
    kill_and_resume(point, whole, tmp_path, cache)


def test_the_same_seed_gives_the_same_bits_twice(whole, tmp_path, cache):
    out = tmp_path / "again.npz"
    finished(start("", "no", EPOCHS, out, cache=cache))
    expected, found = np.load(whole), np.load(out)
    assert all(expected[name].tobytes() == found[name].tobytes() for name in expected.files)
