"""trained: a model from its file, with what the file says of its inputs, its classes and its recipe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg.errors import ConfigError, ModelFileError
from thalweg.export import modelfile
from thalweg.model import Model
from thalweg.recipes.folder import MODEL
from thalweg.recipes.judged import Judged, judge
from thalweg.recipes.pictures import gather, labelled
from thalweg.recipes.running import restored


class Trained(NamedTuple):
    """A trained model, what its manifest says, the shape of a row of its input, and its classes' names."""

    model: Model
    manifest: Mapping[str, Any]
    shape: tuple[int, ...]
    classes: tuple[str, ...]


def opened(path: Path) -> Trained:
    """The model at `path`, a model file or a run folder.

    Raises:
        ModelFileError: there is none, or it is damaged.
    """
    file = path / MODEL if path.is_dir() else path
    if path.is_dir() and not file.is_file():
        raise ModelFileError(f"{path} holds no {MODEL}.\n  If its run was stopped: thalweg train --resume {path}.")
    model, manifest = Model.load(file), modelfile.read(file).manifest
    outputs = model.summary(print_fn=None).rows[-1].output[0][-1]
    known = manifest.get("classes") or model.classes or range(outputs)
    return Trained(model, manifest, model.input_spec.shape[1:], tuple(map(str, known)))


def evaluated(trained: Trained, data: Path | None) -> tuple[Judged, dict[str, Any]]:
    """The model judged on a labelled file, or on the test part of its recipe's data; and its scores.

    Raises:
        ConfigError: no data is given, and the model is no recipe's.
        DataError: the data is missing, damaged or without labels.
    """
    (x, y), reference = _file(trained, data) if data is not None and not data.is_dir() else _recipe(trained, data)
    judged = judge(trained.model, x, y, trained.classes)
    return judged, judged.scores(reference)


def _file(trained: Trained, path: Path) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    x, y = labelled(path, trained.shape, trained.classes)
    return (x, y), y


def _recipe(trained: Trained, folder: Path | None) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    if "config" not in trained.manifest:
        raise ConfigError("the model is no recipe's, so its test data is not known.\n  Write --data FILE.npz.")
    recipe, place, settings = restored(trained.manifest["config"])
    pictures = gather(recipe.entry, folder or place, settings.validation_split, settings.seed)
    return pictures.test, pictures.train[1]
