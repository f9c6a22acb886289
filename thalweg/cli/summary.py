"""thalweg summary: a network layer by layer."""

from pathlib import Path
from typing import Annotated

import typer

from thalweg.cli.common import parse_settings
from thalweg.errors import ConfigError, nearest
from thalweg.files import is_file, is_folder


def summary(
    model: Annotated[str, typer.Argument(metavar="MODEL_OR_RECIPE", help="A .tw file, a run folder, or a recipe.")],
    pairs: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A recipe's setting; may be repeated.")
    ] = None,
) -> None:
    """Show a network's layers: output shapes, parameters, FLOPs, memory."""
    from thalweg.recipes import RECIPES, load, trained
    from thalweg.recipes.settings import settle

    if model.lower() in RECIPES:
        recipe = load(model)
        recipe.untrained_model(settle(recipe.settings, parse_settings(pairs or ()))).summary(typer.echo)
    elif not (is_file(Path(model)) or is_folder(Path(model))):
        raise ConfigError(f"{model} is neither a file nor a recipe.\n  {nearest(model, RECIPES)}")
    elif pairs:
        raise ConfigError(f"{model} is trained; its settings are what they are.\n  Leave --set out.")
    else:
        trained.load(Path(model)).model.summary(typer.echo)
