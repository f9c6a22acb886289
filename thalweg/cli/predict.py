"""thalweg predict: what a model says of the rows in a file, as a table, JSON or CSV."""

import json
from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.common import show, text

SHOWN = 20  # rows of the table; JSON and files hold all


def predict(
    model: Annotated[Path, typer.Argument(help="A .tw file or a run folder.")],
    file: Annotated[Path, typer.Argument(help="Rows as .npy, .npz or .csv, or a picture (.png, .jpg, ...).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write all rows into a .json or .csv file.")] = None,
) -> None:
    """Show what a model says of each row in a file."""
    from thalweg.recipes.answers import answers, flat, writer
    from thalweg.recipes.trained import opened

    write = None if out is None else writer(out)
    said = answers(opened(model), file)
    if out is not None and write is not None:
        write(out, said)
        typer.echo(f"{len(said):,} rows written to {out}", err=as_json)
    if as_json:
        typer.echo(json.dumps(said, indent=2))
    if out is None and not as_json:
        lines = [flat(answer) for answer in said[:SHOWN]]
        numbers = [i for i, name in enumerate(lines[0]) if name not in ("answer", "then")]
        show([*lines[0]], ([text(value) for value in line.values()] for line in lines), numbers)
    if len(said) > SHOWN and out is None and not as_json:
        typer.echo(f"... and {len(said) - SHOWN:,} rows more: --json or --out FILE gives all.")
