"""Help and listings: what they say, and that they answer without JAX."""

import re
import subprocess
import sys

import pytest

COMMANDS = ("train", "evaluate", "predict", "summary", "recipes", "datasets", "doctor", "bench")


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"], ["recipes"], ["tarin"]])
def test_help_version_and_the_list_of_recipes_load_no_jax(arguments):
    code = (
        "import sys\nfrom thalweg.cli import main\n"
        f"try: main({arguments})\nexcept SystemExit: pass\n"
        "print(sorted({'jax', 'numpy', 'sklearn', 'matplotlib', 'PIL'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]", ended.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["recipes", "digits"], ["recipes", "digist"], ["tarin"]])
def test_the_package_run_as_a_module_is_the_command(arguments, thalweg):
    ended = subprocess.run([sys.executable, "-m", "thalweg", *arguments], capture_output=True, text=True, check=False)
    command = thalweg(*arguments)
    assert (ended.returncode, ended.stdout) == (command.code, command.out)
    assert ended.stderr.splitlines()[-2:] == command.err.splitlines()[-2:]  # above them stands how it was called


def test_every_command_has_help(thalweg):
    text = thalweg("--help").out
    for command in COMMANDS:
        assert command in text
        ended = thalweg(command, "--help")
        assert ended.code == 0
        assert "Usage" in ended.out


def test_the_version_is_that_of_the_package(thalweg):
    import thalweg as package

    assert thalweg("--version").out == f"thalweg {package.__version__}\n"


def test_a_wrong_command_or_option_is_refused(thalweg):
    for arguments in (["tarin"], ["train", "digits", "--epochs", "3"], ["predict"]):
        ended = thalweg(*arguments)
        assert ended.code == 2
        assert "Usage" in ended.err
        assert "Traceback" not in ended.err


def test_the_recipes_are_listed(thalweg):
    text = thalweg("recipes").out
    for name in ("digits", "mnist-mlp", "mnist-cnn", "mnist-lstm"):
        assert name in text


def test_a_recipe_lists_its_settings_with_defaults(thalweg):
    text = thalweg("recipes", "mnist-lstm").out
    assert re.search(r"batch_size\W+128", text)
    assert re.search(r"units\W+64", text)


def test_the_data_sets_are_listed_with_their_place(thalweg, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    text = " ".join(thalweg("datasets").out.split())
    for part in ("mnist", "fashion_mnist", "cifar10", "digits", "scikit-learn", "60,000 + 10,000", "28 x 28"):
        assert part in text, part
