"""Keras's names for whole networks, where listings of Keras look for them (`keras.models`)."""

from pathlib import Path
from typing import Any

from thalweg.architectures import __all__ as architectures
from thalweg.errors import nearest
from thalweg.model import Model, Sequential, load_model

__all__ = ["Model", "Sequential", "load_model", "save_model"]


def save_model(model: Model, filepath: str | Path) -> Path:
    """Write `model` to `filepath`. See `Model.save`."""
    return model.save(filepath)


def __getattr__(name: str) -> Any:
    if name in architectures:
        raise ImportError(  # of an AttributeError, `from thalweg.models import GPT` would drop the words
            f"thalweg.models has Keras's names alone, not {name!r}.\n  Write thalweg.architectures.{name}."
        )
    raise AttributeError(f"thalweg.models has no {name!r}.\n  {nearest(name, __all__)}")
