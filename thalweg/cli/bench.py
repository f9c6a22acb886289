"""thalweg bench: whole training steps beside the peers."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from thalweg.errors import ConfigError

KNOWN = "mlp, cnn, lstm, gru, resnet18, gpt, transformer; all unless said."


def bench(
    networks: Annotated[list[str] | None, typer.Argument(help=KNOWN)] = None,
    rounds: Annotated[int, typer.Option(help="Turns that each contender takes.")] = 3,
) -> None:
    """Time training steps beside PyTorch, Keras and Flax, whichever are installed. In a clone of the project."""
    if not Path("benchmarks", "training", "networks.py").exists():
        raise ConfigError("the benchmarks are not part of the package.\n  Run thalweg bench in a clone of the project.")
    options = ["--networks", *networks] if networks else []
    command = [sys.executable, "-m", "benchmarks.training.networks", "--rounds", str(rounds), *options]
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603  our own module
