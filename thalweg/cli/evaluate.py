"""thalweg evaluate: a model on labelled data, beside its baseline."""

import json
from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.common import say, show, text


def evaluate(
    model: Annotated[Path, typer.Argument(help="A .tw file or a run folder.")],
    data: Annotated[
        Path | None, typer.Option(help="Labelled data of your own, or the data set's folder; by default the test data.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge a model on its recipe's test data, or on labelled data of your own."""
    from thalweg.recipes import trained

    verdict = trained.evaluate(trained.load(model), data, lambda line: typer.echo(line, err=True))
    if as_json:
        say(json.dumps({**verdict.scores, **verdict.details}, indent=2))
    else:
        show(["measure", "value"], [(name, text(value)) for name, value in verdict.scores.items()])
