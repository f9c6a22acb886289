"""thalweg predict: what a model says of the rows in a file, or of a text, as a table, JSON or CSV."""

import json
from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.common import parse_settings, say, show, text

SHOWN = 20  # rows of the table; JSON and files hold all


def predict(
    model: Annotated[Path, typer.Argument(help="A .tw file or a run folder.")],
    file: Annotated[
        Path | None, typer.Argument(help="What the model reads: rows as .npy, .npz or .csv, a picture, texts, a sound.")
    ] = None,
    *,
    texts: Annotated[
        list[str] | None, typer.Option("--text", "--prompt", help="A text instead of a file; may be repeated.")
    ] = None,
    pairs: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="How to answer; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write all rows into a .json or .csv file.")] = None,
) -> None:
    """Show what a model says of each row in a file, or of a text."""
    from thalweg.recipes.answers import flat, writer
    from thalweg.recipes.trained import ask, load

    write = None if out is None else writer(out)
    answers = ask(load(model), file, tuple(texts or ()), parse_settings(pairs or ()))
    if out is not None and write is not None:
        write(out, answers)
        say(f"{len(answers):,} rows written to {out}", err=as_json)
    if as_json:
        say(json.dumps(answers, indent=2, ensure_ascii=False))
    if out is None and not as_json:
        lines = [flat(answer) for answer in answers[:SHOWN]]
        numbers = [i for i, value in enumerate(lines[0].values()) if not isinstance(value, str)]
        show([*lines[0]], ([text(value) for value in line.values()] for line in lines), numbers)
    if len(answers) > SHOWN and out is None and not as_json:
        say(f"... and {len(answers) - SHOWN:,} rows more: --json or --out FILE gives all.")
