"""A command line run inside the test's process, and one small trained model for all."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from thalweg.cli import main
from thalweg.datasets import digits

SMALL = {"epochs": 3, "filters": "8,8", "units": 32, "dropout": 0.1, "learning_rate": 0.01}


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def sets(**values):
    return [part for name, value in values.items() for part in ("--set", f"{name}={value}")]


@pytest.fixture
def thalweg(capsys):
    """`thalweg("train", "digits")` gives the exit code and what was printed."""

    def run(*arguments):
        capsys.readouterr()
        try:
            main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """The folder of a short run of `digits`."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    with pytest.raises(SystemExit) as stop:
        main(["train", "digits", "--run-dir", str(folder), *sets(**SMALL)])
    assert not stop.value.code
    return folder


@pytest.fixture(scope="session")
def own(tmp_path_factory) -> Path:
    """A file of pictures, as people have them: the first 300 of the digits."""
    (x, y), _ = digits.load_data()
    path = tmp_path_factory.mktemp("own") / "own.npz"
    np.savez(path, x=x[:300], y=y[:300])
    return path


@pytest.fixture
def evaluation(trained):
    return json.loads((trained / "evaluation.json").read_text())
