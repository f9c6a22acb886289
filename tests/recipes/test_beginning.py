"""A run killed, or out of disk, while it begins leaves a run or room for one; and a folder has one run at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONWARNINGS": "ignore"}

# One process imports once and forks a run for each moment. The moments are the system calls that touch the folder: at
# the given one the child dies by SIGKILL, or the disk says that it is full.
BEGINNINGS = """
import errno, os, resource, signal, sys
from pathlib import Path
import numpy as np
from thalweg import recipes
from thalweg.datasets import digits
from thalweg.errors import ConfigError
from thalweg.recipes import folder, running

class Reached(Exception):
    pass

def reached(*_, **__):
    raise Reached

def begin(place):
    try:
        recipes.run("digits", {"units": 4}, data=own, run_dir=place)
    except Reached:
        return 0
    except ConfigError as error:
        assert "\\n  " in str(error) and "No space left" in str(error) or "File too large" in str(error), error
        return 3
    return 4

def watched(place, moment, kill):
    seen = 0
    def hook(event, arguments):
        nonlocal seen
        if event in ("open", "os.mkdir", "os.rename", "os.remove") and str(place) in str(arguments[0]):
            seen += 1
            if seen == moment:
                if kill:
                    os.kill(os.getpid(), signal.SIGKILL)
                if event in ("os.mkdir", "os.rename") or event == "open" and arguments[2] & os.O_CREAT:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    sys.addaudithook(hook)
    return begin(place)

def forked(do):
    child = os.fork()
    if not child:
        try:
            code = do()
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\\n")
            code = 5
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def limited(place, size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    return begin(place)

running._train = reached
folder.versions = lambda: {"thalweg": "0"}  # without JAX's threads, which a fork does not take along
top = Path(sys.argv[1])
own = top / "own.npz"
(x, y), _ = digits.load_data()
np.savez(own, x=x[:60], y=y[:60])
for kill in (True, False):
    ends = []
    for moment in range(1, 100):
        place = top / f"{kill}-{moment}"
        ends.append(forked(lambda: watched(place, moment, kill)))
        if kill and folder.is_run(place):  # whole, so that it goes on
            folder.read_config(place / "config.yaml")
            folder.read_manifest(place / "manifest.json")
        elif ends[-1]:
            assert kill or not place.exists() or not list(place.iterdir()), list(place.iterdir())
            assert forked(lambda: begin(place)) == 0, (kill, moment)
            assert sorted(path.name for path in place.iterdir()) == ["config.yaml", "manifest.json"]
        if not ends[-1] and moment > 10:
            break
    assert ends.count(-signal.SIGKILL if kill else 3) >= (10 if kill else 4), ends
    assert set(ends) <= {0, -signal.SIGKILL if kill else 3}, ends
for size in (0, 100, 400):
    place = top / f"limit-{size}"
    assert forked(lambda: limited(place, size)) == 3
    assert forked(lambda: begin(place)) == 0
"""


def test_a_run_killed_or_out_of_disk_at_any_moment_of_its_beginning(tmp_path):
    command = [sys.executable, "-c", BEGINNINGS, str(tmp_path)]
    ended = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.long
def test_two_processes_of_one_run(tmp_path):
    """The second says so and changes nothing; killed, the first lets go of the folder at once."""
    run = [sys.executable, "-m", "thalweg", "train"]
    begin = [*run, "digits", "--run-dir", "r", "--set", "epochs=10000", "--set", "filters=2,2"]
    environment = {**ENVIRONMENT, "PYTHONWARNINGS": "default"}
    options = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
    first = subprocess.Popen(begin, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    try:
        checkpoints = tmp_path / "r" / "checkpoints"
        while not any(checkpoints.glob("0*")):
            assert first.poll() is None
        before = {path.name for path in (tmp_path / "r").iterdir()}
        second = subprocess.run([*run, "--resume", "r"], check=False, timeout=60, **options)
        assert second.returncode == 2
        assert f"another run is at work in r (process {first.pid} on " in second.stderr
        assert before <= {path.name for path in (tmp_path / "r").iterdir()}
        assert first.poll() is None
    finally:
        first.kill()
        first.wait()
    text = (tmp_path / "r" / "config.yaml").read_text()
    (tmp_path / "r" / "config.yaml").write_text(text.replace("epochs: 10000", "epochs: 1"))
    third = subprocess.run([*run, "--resume", "r"], check=False, timeout=120, **options)
    assert third.returncode == 0, third.stderr
    assert "goes on by it: epochs: 1 (10000 in manifest.json)" in third.stderr
    assert not (tmp_path / "r" / ".lock").exists()
