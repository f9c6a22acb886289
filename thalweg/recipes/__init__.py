"""Recipes: a folder for each kind of application, a file for each recipe of it. `thalweg train NAME` runs one.

>>> load("digits").settings().epochs
20
"""

from typing import Any

from thalweg.errors import ConfigError, nearest
from thalweg.recipes.catalog import RECIPES, Line, resolve

FACE = {name: f"thalweg.recipes.running:{name}" for name in ("Result", "resume", "run")}

__all__ = ["RECIPES", "Line", "Result", "load", "resume", "run"]  # pyright: ignore[reportUnsupportedDunderAll]


def load(name: str) -> Any:
    """The `Recipe` of that name.

    Raises:
        ConfigError: no recipe has it.
    """
    if name.lower() not in RECIPES:
        raise ConfigError(f"unknown recipe {name!r}.\n  {nearest(name, RECIPES)}")
    return resolve(RECIPES[name.lower()].place)


def __getattr__(name: str) -> Any:
    if name not in FACE:
        raise AttributeError(f"thalweg.recipes has no {name!r}.\n  {nearest(name, FACE)}")
    return resolve(FACE[name])
