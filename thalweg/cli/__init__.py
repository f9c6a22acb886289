"""The command line: `thalweg train digits`. Arguments are parsed here and nowhere else.

A command imports what it runs inside its function, so that help and listings answer before JAX is loaded. An error of
Thalweg's is one message on stderr and exit code 2; any other error is a bug, and keeps its traceback.
"""

import io
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated

import typer

from thalweg.cli.bench import bench
from thalweg.cli.common import say
from thalweg.cli.datasets import datasets
from thalweg.cli.doctor import doctor
from thalweg.cli.evaluate import evaluate
from thalweg.cli.predict import predict
from thalweg.cli.recipes import recipes
from thalweg.cli.summary import summary
from thalweg.cli.train import train
from thalweg.errors import ThalwegError
from thalweg.version import __version__

REFUSED = 2  # the exit code for what was asked wrongly, as for a wrong option

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for command in (train, evaluate, predict, summary, recipes, datasets, doctor, bench):
    app.command()(command)


def _print_version(wanted: bool) -> bool:
    if wanted:
        say(f"thalweg {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def thalweg(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Deep learning on JAX: train a network, see why it learns, use it."""
    del version


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line on `arguments`, by default those of the process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a locale without a letter shows its number
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            app(arguments)
        except ThalwegError as error:
            say(f"{type(error).__name__}: {error}", err=True)
            sys.exit(REFUSED)


def _show_warning(message: Warning | str, *_: object) -> None:
    say(f"Warning: {message}", err=True)
