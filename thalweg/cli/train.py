"""thalweg train: run a recipe, or go on with a run that was stopped."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from thalweg.cli.common import parse_settings, say, typed
from thalweg.errors import ConfigError

STOPPED = 130  # as a shell reports a process that Ctrl-C ended


def train(
    recipe: Annotated[str | None, typer.Argument(help="One of `thalweg recipes`; a --config file may name it.")] = None,
    *,
    data: Annotated[Path | None, typer.Option(help="The data set's folder, or a file or folder of your own.")] = None,
    pairs: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting; may be repeated.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A YAML file of settings; --set overrides it.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with the run in this folder, to the same bits.")] = None,
    run_dir: Annotated[Path | None, typer.Option(help="The run folder; by default runs/RECIPE-1, -2, ...")] = None,
) -> None:
    """Train a recipe, judge it on its test data, and write a run folder with the model and a report."""
    from thalweg import recipes
    from thalweg.recipes import paths

    if resume is not None:
        if recipe or pairs or config or run_dir:
            raise ConfigError(f"a resumed run keeps its recipe and settings.\n  Write thalweg train --resume {resume}.")
        _conclude(recipes.resume(paths.given(resume, ConfigError), data=data and paths.given(data)))
        return
    stored = _settings(config)
    name, place = _name(recipe, stored.pop("recipe", None)), stored.pop("data", None)
    command = shlex.join(["thalweg", *sys.argv[1:]])
    settings = {**stored, **parse_settings(pairs or ())}
    _conclude(recipes.run(name, settings, data=data or place, run_dir=run_dir, command=command))


def _settings(config: Path | None) -> dict[str, Any]:
    if config is None:
        return {}
    from thalweg.recipes.folder import read_config

    return read_config(config)


def _name(typed: str | None, stored: str | None) -> str:
    if typed and stored and typed.lower() != stored:
        raise ConfigError(f"the file's settings are for the recipe {stored!r}.\n  Write thalweg train --config FILE.")
    if not (typed or stored):
        raise ConfigError("no recipe is named.\n  Write thalweg train digits; `thalweg recipes` lists all.")
    return str(typed or stored)


def _conclude(result: Any) -> None:
    place = str(result.folder)
    folder, model, report = (typed(f"{place}{inside}", place) for inside in ("", "/model.tw", "/report.html"))
    if result.verdict is None:
        say(f"Stopped and saved. To go on, type:\n  thalweg train --resume {folder}")
        raise typer.Exit(STOPPED)
    say(
        f"{result.verdict.line}\n"
        f"The run is in {folder}; open {report}. To use the model, type:\n"
        f"  thalweg predict {model} {' '.join(typed(word, place) for word in result.trial)}"
    )
