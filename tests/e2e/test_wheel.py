"""The wheel: built for every instruction set, installed where there is no compiler."""

import os
import platform
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from thalweg.kernels import library

ROOT = Path(__file__).resolve().parents[2]
LINUX = platform.system() == "Linux" and platform.machine() == "x86_64"
TRAIN = """
import numpy, thalweg
from thalweg.kernels import library
model = thalweg.Sequential([thalweg.layers.Dense(64, "relu"), thalweg.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
x = numpy.random.default_rng(0).normal(size=(256, 64)).astype("float32")
losses = model.fit(x, x[:, :1], epochs=5, verbose=0).history["loss"]
print(thalweg.__file__, library.level(), losses[-1] < losses[0])
"""


@pytest.mark.long
@pytest.mark.skipif(not LINUX, reason="the libraries' names and instruction sets are those of x86-64 Linux")
def test_a_wheel_brings_every_instruction_set_to_a_machine_without_a_compiler(tmp_path):
    subprocess.run([ROOT / "scripts" / "build"], check=True, capture_output=True)
    (wheel,) = (ROOT / "dist").glob("*.whl")
    assert "-manylinux_" in wheel.name
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    alone = {"PATH": str(python.parent), "HOME": str(tmp_path), "THALWEG_CACHE": "off"}

    def said(*command):
        return subprocess.run(
            [python, *command], check=True, capture_output=True, text=True, env=alone, cwd=tmp_path
        ).stdout

    said("-m", "pip", "install", "--no-index", "--no-deps", str(wheel))
    installed = Path(said("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    built = {path.stem.removeprefix("libthalweg-") for path in (installed / "thalweg" / "kernels").glob("libthalweg-*")}
    assert built == set(library.LEVELS)
    (installed / "what_it_depends_on.pth").write_text(sysconfig.get_path("purelib") + os.linesep)
    where, level, learned = said("-c", TRAIN).split()
    assert Path(where).is_relative_to(installed)
    assert level in built
    assert learned == "True"
