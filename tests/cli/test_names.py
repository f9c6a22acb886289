"""Run folders of odd names: they work, what is printed can be typed, or an error says why not."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from thalweg import layers
from thalweg.cli.common import typed
from thalweg.errors import ConfigError
from thalweg.model import Sequential
from thalweg.recipes import folder

BYTES = os.fsdecode(b"r\xff")
NAMES = ["a line\nand more", "[red]markup[/red]", "-dash", "数字 é", "$HOME `ls` 'q\"", "n" * 200, "tab\there"]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_folder_of_that_name_is_used_and_what_is_printed_can_be_typed(
    name, thalweg, trained, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained, tmp_path / name)
    ended = thalweg("train", "--resume", name)
    assert ended.code == 0, ended.err
    command = ended.out.splitlines()[-1].strip()
    words = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True).stdout
    program, *arguments = (os.fsdecode(word) for word in words.split(b"\0")[:-1])
    assert program == "thalweg"
    assert thalweg(*arguments).code == 0
    assert thalweg("summary", f"./{name}").code == 0
    assert thalweg("evaluate", f"./{name}").code == 0
    again = thalweg("train", "digits", "--run-dir", name)
    assert (again.code, "holds something already" in again.err) == (2, True)


@pytest.mark.parametrize(
    "word", ["plain", "two words", "it's", "a\nb", BYTES, "\x1b[31m", "back\\slash\n'", "数字", "\x0101"]
)
def test_a_word_as_a_shell_reads_it(word):
    out = subprocess.run(["bash", "-c", f"printf %s {typed(word)}"], capture_output=True, check=True).stdout
    assert out == os.fsencode(word)
    assert typed(word).isprintable()


def test_a_name_that_is_no_utf_8_is_refused_before_anything_is_made(tmp_path, thalweg):
    with pytest.raises(ConfigError, match=r"is not read as UTF-8 here(.|\n)*\n  Set PYTHONUTF8=1"):
        folder.fresh("digits", tmp_path / BYTES)
    assert thalweg("train", "digits", "--run-dir", tmp_path / BYTES).code == 2
    made = Sequential([layers.Dense(1, input_shape=(1,))])
    made.compile("sgd", "mse")
    with pytest.raises(ConfigError, match="is not read as UTF-8 here"):
        made.fit([[1.0]], [[1.0]], run_dir=tmp_path / BYTES, verbose=0)
    assert not list(tmp_path.iterdir())


def test_a_model_in_a_folder_of_bytes_is_used(tmp_path, thalweg, trained):
    shutil.copytree(trained, tmp_path / BYTES)
    assert thalweg("summary", tmp_path / BYTES).code == 0
    assert thalweg("predict", tmp_path / BYTES / "model.tw", tmp_path / BYTES / "samples.npz").code == 0


@pytest.mark.parametrize("command", ["predict", "evaluate", "summary", "train --resume", "train digits --run-dir"])
@pytest.mark.parametrize("name", ["n" * 300, "a/" * 3000], ids=["long", "deep"])
def test_a_name_that_the_system_does_not_take(command, name, thalweg):
    rest = ["x.npz"] if command == "predict" else []
    ended = thalweg(*shlex.split(command), name, *rest)
    assert ended.code == 2
    assert "\n  " in ended.err


C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_in_a_locale_of_ascii(tmp_path, trained):
    shutil.copytree(trained, tmp_path / "é")
    environment = {**os.environ, **C, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = [sys.executable, "-m", "thalweg"]

    def ended(*arguments):
        return subprocess.run([*run, *arguments], cwd=tmp_path, env=environment, capture_output=True, check=False)

    summary = ended("summary", "é")
    assert summary.returncode == 0, summary.stderr
    assert b"Conv2D" in summary.stdout
    resumed = ended("train", "--resume", "é")
    assert resumed.returncode == 2
    assert b"Set PYTHONUTF8=1" in resumed.stderr
    assert b"Traceback" not in resumed.stderr
    assert ended("predict", "é/model.tw", "é/samples.npz").returncode == 0
