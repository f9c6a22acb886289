"""trained: a model from its file, with what the file says of its inputs, its classes and its recipe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thalweg import recipes
from thalweg.errors import ConfigError, ModelFileError
from thalweg.export import modelfile
from thalweg.files import is_file, is_folder
from thalweg.model import Model
from thalweg.recipes.base import Answer, Application, Asked, Trained
from thalweg.recipes.catalog import NO_RECIPE, resolve
from thalweg.recipes.folder import MODEL
from thalweg.recipes.settings import settle
from thalweg.recipes.verdict import Verdict


def load(path: Path) -> Trained:
    """The model at `path`, a model file or a run folder.

    Raises:
        ModelFileError: there is none, or it is damaged.
    """
    file = path / MODEL if is_folder(path) else path
    if file is not path and not is_file(file):
        raise ModelFileError(f"{path} holds no {MODEL}.\n  If its run was stopped: thalweg train --resume {path}.")
    if not is_file(file):
        raise ModelFileError(f"there is no model file {path}.\n  Give the path that the model was saved to.")
    model, manifest = Model.load(file), modelfile.read(file).manifest
    name = manifest.get("recipe")
    return Trained(model, manifest, recipes.load(name) if isinstance(name, str) and name in recipes.RECIPES else None)


def application(trained: Trained) -> Application:
    """The kind of application that the model is for; a model that no recipe made reads rows of numbers."""
    return resolve(NO_RECIPE)() if trained.recipe is None else trained.recipe.application


def evaluate(trained: Trained, data: Path | None) -> Verdict:
    """The model judged on labelled data of a person's own, or on the test part of its recipe's data.

    Raises:
        ConfigError: no data is given, and the model is no recipe's.
        DataError: the data is missing, damaged or without labels.
    """
    kind = application(trained)
    if data is not None:
        return kind.judge(trained.model, kind.exam(trained, data))
    place = trained.config.get("data")
    return kind.judge(trained.model, kind.gather(Path(place) if place else None, trained.settings))


def ask(trained: Trained, file: Path | None, texts: tuple[str, ...], how: Mapping[str, Any]) -> list[Answer]:
    """What the model says of a file or of texts, a record a row.

    Args:
        trained: the model.
        file: what a person typed.
        texts: the same, each a row.
        how: values for the kind's `asking`, by name.

    Raises:
        ConfigError: both or neither are given, or a value that does not fit.
        DataError: the file is missing, damaged, or does not fit the model's input.
    """
    if (file is None) == (not texts):
        raise ConfigError(
            "a file or texts are what a model answers.\n  Write thalweg predict MODEL FILE, or --text TEXT."
        )
    kind = application(trained)
    return kind.answers(trained, Asked(file, texts, settle(kind.asking, how)))
