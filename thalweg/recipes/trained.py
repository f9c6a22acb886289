"""trained: a model from its file, with what the file says of its inputs, its classes and its recipe."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from thalweg import forms, recipes
from thalweg.errors import ConfigError, DataError, FormatError, ModelFileError, ThalwegError
from thalweg.export import modelfile
from thalweg.model import Model
from thalweg.recipes import paths
from thalweg.recipes.base import Answer, Application, Asked, Facts, Material, Trained, judge
from thalweg.recipes.catalog import NO_RECIPE, resolve
from thalweg.recipes.folder import MODEL
from thalweg.recipes.settings import settle
from thalweg.recipes.verdict import Verdict


def load(path: Path) -> Trained:
    """The model at `path`, a model file or a run folder.

    Raises:
        ModelFileError: there is none, or it is damaged.
    """
    path = paths.given(path, ModelFileError)
    file = path / MODEL if path.is_dir() else path
    if file is not path and not file.is_file():
        raise ModelFileError(f"{path} holds no {MODEL}.\n  If its run was stopped: thalweg train --resume {path}.")
    if not file.is_file():
        raise ModelFileError(f"there is no model file {path}.\n  Give the path that the model was saved to.")
    model, manifest = Model.load(file), modelfile.read(file).manifest
    _check(file, Facts, manifest)
    name = manifest.get("recipe")
    found = Trained(model, manifest, recipes.load(name) if name in recipes.RECIPES else None)
    _check(file, application(found).facts, manifest)
    return found


def _check(file: Path, form: type[Facts], manifest: Mapping[str, Any]) -> None:
    try:
        forms.check(form, manifest)
    except FormatError as error:
        raise ModelFileError(
            f"{file}: in its {modelfile.MANIFEST} {error}.\n  Take a whole copy of it, or train it anew."
        ) from None


def application(trained: Trained) -> Application:
    """The kind of application that the model is for; a model that no recipe made reads rows of numbers."""
    return resolve(NO_RECIPE)() if trained.recipe is None else trained.recipe.application


def evaluate(trained: Trained, data: Path | None, say: Callable[[str], object] = str) -> Verdict:
    """The model judged on labelled data of a person's own, or on the test part of its recipe's data.

    Args:
        trained: the model.
        data: a file or a folder; None for the recipe's own.
        say: receives a line that tells which data it is, before the judgement; by default nobody hears it.

    Raises:
        ConfigError: no data is given, and the model is no recipe's.
        DataError: the data is missing, damaged or without labels.
        ModelFileError: the parts of the model's file do not go together.
    """
    kind = application(trained)
    with _together():
        material = _material(kind, trained, data)
        say(material.line)
        return judge(kind, trained.model, material)


def _material(kind: Application, trained: Trained, data: Path | None) -> Material:
    if data is not None:
        return kind.exam(trained, paths.given(data))
    place = trained.config.get("data")
    return kind.gather(Path(place) if place else None, trained.settings)


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
        ModelFileError: the parts of the model's file do not go together.
    """
    if (file is None) == (not texts):
        raise ConfigError(
            "a file or texts are what a model answers.\n  Write thalweg predict MODEL FILE, or --text TEXT."
        )
    half = next((text for text in texts if not _whole(text)), None)
    if half is not None:
        raise DataError(f"the text {half[:40]!r} is not UTF-8.\n  Write it in a terminal whose encoding is UTF-8.")
    kind = application(trained)
    with _together():
        answers = kind.answers(trained, Asked(file and paths.given(file), texts, settle(kind.asking, how)))
    if not answers:
        raise DataError(f"{file} holds nothing that could be answered.\n  Write at least one row into it.")
    return answers


def _whole(text: str) -> bool:
    return text == text.encode(errors="ignore").decode()


@contextmanager
def _together() -> Iterator[None]:
    """Where the parts of a model file do not go together (other classes than outputs, a tokenizer of another kind)."""
    try:
        yield
    except ThalwegError:
        raise
    except Exception as error:
        raise ModelFileError(
            f"the parts of the model's file do not go together: {type(error).__name__}: {error!s:.500}\n"
            "  Train it anew with thalweg train; if it comes from there, report this as a fault of Thalweg's."
        ) from error
