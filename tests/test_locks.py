"""A folder that a call is at work in is closed to the next, in this process and in others, as long as it lives."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from thalweg import locks
from thalweg.errors import ConfigError

HOLDER = """
import sys
from pathlib import Path
from thalweg.locks import alone
with alone(Path(sys.argv[1])):
    print(1, flush=True)
    sys.stdin.read()
"""


def held(folder):
    with pytest.raises(ConfigError, match=r"another run is at work in .*\n  Wait"), locks.alone(folder):
        pass
    return True


def test_one_at_a_time(tmp_path):
    with locks.alone(tmp_path / "a"):
        assert held(tmp_path / "a")
        other = threading.Thread(target=lambda: locks.alone(tmp_path / "b").__enter__())
        other.start()
        other.join()
    assert not list((tmp_path / "a").iterdir())
    with locks.alone(tmp_path / "a"), locks.alone(tmp_path / "c"):
        pass


def test_an_error_inside_lets_go(tmp_path):
    for _ in range(2):
        with pytest.raises(KeyError), locks.alone(tmp_path):
            raise KeyError


def test_a_killed_process_lets_go_and_what_it_leaves_locks_nothing(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(ConfigError, match=rf"process {other.pid} on "), locks.alone(tmp_path):
            pass
        other.kill()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    with locks.alone(tmp_path):
        assert held(tmp_path)


def test_a_lock_whose_owner_has_just_deleted_it_is_none(tmp_path, monkeypatch):
    hold = locks._hold

    def late(descriptor, path):
        path.unlink()
        return hold(descriptor, path)

    monkeypatch.setattr(locks, "_hold", late)
    assert held(tmp_path)


def test_a_folder_that_cannot_be_made_and_a_disk_without_locks(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / ("x" * 300), tmp_path / "a\0b"):
        with pytest.raises(ConfigError, match=r"cannot be written to: .*\n  Name another"), locks.alone(folder):
            pass

    def unknown(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(locks.fcntl, "flock", unknown)
    with pytest.warns(UserWarning, match="cannot be locked"), locks.alone(tmp_path / "a"):
        pass
