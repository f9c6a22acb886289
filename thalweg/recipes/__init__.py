"""Recipes: an application a file: data, network, training and report. `thalweg train NAME` runs one.

>>> sorted(RECIPES)
['digits', 'mnist-cnn', 'mnist-lstm', 'mnist-mlp']
"""

import importlib
from typing import Any

from thalweg.errors import ConfigError, nearest

RECIPES = {
    "digits": ("thalweg.recipes.digits:RECIPE", "1,797 scanned digits of 8 x 8 pixels, a small convolutional network"),
    "mnist-cnn": ("thalweg.recipes.mnist:CNN", "70,000 handwritten digits, three convolutions"),
    "mnist-lstm": ("thalweg.recipes.mnist:RECURRENT", "70,000 handwritten digits, read row by row by two LSTM layers"),
    "mnist-mlp": ("thalweg.recipes.mnist:MLP", "70,000 handwritten digits, one hidden layer"),
}
"""Where each recipe is and what it does. Listing them loads none."""

FACE = {name: f"thalweg.recipes.running:{name}" for name in ("Result", "resume", "run")}

__all__ = ["RECIPES", "Result", "load", "resume", "run"]  # pyright: ignore[reportUnsupportedDunderAll]


def load(name: str) -> Any:
    """The `Recipe` of that name.

    Raises:
        ConfigError: no recipe has it.
    """
    if name.lower() not in RECIPES:
        raise ConfigError(f"unknown recipe {name!r}.\n  {nearest(name, RECIPES)}")
    return _found(RECIPES[name.lower()][0])


def __getattr__(name: str) -> Any:
    if name not in FACE:
        raise AttributeError(f"thalweg.recipes has no {name!r}.\n  {nearest(name, FACE)}")
    return _found(FACE[name])


def _found(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)
