"""thalweg recipes: what can be trained, and with which settings."""

from typing import Annotated

import typer

from thalweg.cli.common import show


def recipes(name: Annotated[str | None, typer.Argument(help="A recipe, to see its settings.")] = None) -> None:
    """List the recipes, or the settings of one."""
    from thalweg.recipes import RECIPES, load

    if name is None:
        show(["recipe", "what it trains"], [(recipe, title) for recipe, (_, title) in RECIPES.items()])
        typer.echo("thalweg recipes NAME shows the settings of one, thalweg train NAME runs it.")
        return
    from thalweg.recipes.settings import table

    show(["setting", "default", "meaning"], table(load(name).settings))
