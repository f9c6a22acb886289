"""A model as a file, and back: what `Model.save` writes and `load_model` reads.

Everything that is loaded is built from names on an allow-list, one for each part of the file: `Constant` is a schedule
in an optimizer and an initialiser in a network. What would not be read back as it is, is not written: of a network or
of preprocessing that is an error, of the settings of training (a function of the user's own) a warning.
"""

import datetime as dt
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from thalweg import architectures, data, layers, losses, metrics, optim
from thalweg.core import Module, Policy
from thalweg.errors import ConfigError, ModelFileError, ThalwegError
from thalweg.export import bounds, modelfile
from thalweg.limits import limit
from thalweg.record import MAX_DEPTH, Record, freeze, from_json, same, to_json
from thalweg.types import Spec

SETTINGS = ("optimizer", "loss", "metrics")


def allowed(part: str) -> dict[str, Callable[..., Any]]:
    """Every name that a part of a model file may ask for: those of its room, then what `layers.register` was given.

    The part is "module", "optimizer", "loss", "metrics", "precision" or "preprocessing".
    """
    closed: dict[str, dict[str, Callable[..., Any]]] = {
        "precision": {"Policy": Policy},
        "preprocessing": dict(data.ALLOWED),
    }
    rooms: dict[str, dict[str, Callable[..., Any]]] = {
        "module": {cls.__name__: cls for cls in architectures.ARCHITECTURES},
        "optimizer": dict(optim.ALLOWED),
        "loss": dict(losses.ALLOWED),
        "metrics": {**losses.ALLOWED, **metrics.ALLOWED},
    }
    return closed[part] if part in closed else {**layers.ALLOWED, **rooms[part]}


def stored(value: Any, part: str) -> Any:
    """`value` as JSON holds it in a part of the file, once it has been read back.

    Raises:
        ConfigError: it cannot be stored, or would come back as something else.
    """
    described = to_json(value)
    try:
        back = _read(part)(described)
    except ConfigError as error:
        what = str(error).partition("\n")[0]
        raise ConfigError(f"{what}\n  Write @layers.register above a class of your own.") from error
    if not same(back, freeze(value)):
        raise ConfigError(
            f"{value!r:.200} would be read back as something else.\n  Its class has the name of another one: rename it."
        )
    return described


def save(path: str | Path, model: Any, manifest: Mapping[str, Any]) -> Path:
    """Write `model` to `path`.

    Raises:
        ModelFileError: the network is not one of Thalweg's modules, or holds what cannot be stored.
    """
    if not isinstance(model.module, Module):
        raise ModelFileError(
            f"{type(model.module).__name__} is a network of another library and cannot be stored in a model file.\n"
            "  Save its weights with that library: model.weights gives them."
        )
    weights = model.weights
    try:
        module = stored(model.module, "module")
        bounds.module(module, _read("module"))
    except ConfigError as error:
        raise ModelFileError(f"the network cannot be stored: {error}") from error
    architecture = {
        "module": module,
        "input": _describe(model.input_spec),
        "precision": stored(model.precision, "precision"),
        "seed": int(model.seed),
        "split_seed": int(model.session.split_seed),
        "compile": _settings(model.settings),
    }
    preprocessing = {
        "classes": None if model.classes is None else list(model.classes),
        "records": {name: _preprocessing(name, record) for name, record in model.preprocessing.items()},
    }
    if model.session.columns is not None:
        preprocessing["columns"] = list(model.session.columns)
    created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    modelfile.write(path, architecture, weights, preprocessing, {"created": created, **manifest})
    return Path(path)


def load(path: str | Path, make: Callable[[Module], Any]) -> Any:
    """The model stored at `path`, built by `make(module)`.

    What the file says is held against its arrays and against `thalweg.limits` before anything is made for it.

    Raises:
        ModelFileError: the file is missing, damaged, asks for what is not allowed, or for more than it holds.
    """
    file = modelfile.read(path)
    try:
        return _built(file, make)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error.__cause__
    except Exception as error:  # an enemy's numbers reach places of layers and of JAX that nobody foresaw
        said = f"{type(error).__name__}: {error}" if not isinstance(error, ThalwegError) else str(error)
        raise ModelFileError(
            f"{path} does not describe a network of this version: {said:.2000}\n"
            "  Load it with the version that wrote it."
        ) from error


def _built(file: modelfile.ModelFile, make: Callable[[Module], Any]) -> Any:
    described = file.architecture
    module, precision = bounds.module(described["module"], _read("module")), _read("precision")(described["precision"])
    spec, seed = bounds.spec(described["input"]), bounds.seed(described["seed"])
    split_seed = bounds.seed(described.get("split_seed", seed))
    bounds.check(module, spec, precision, file.weights)
    model = make(module)
    if described["compile"] is not None:
        bounds.count(described["compile"], "the settings of training and the metrics")
        settings = [_read(part)(value) for value, part in zip(described["compile"], SETTINGS, strict=True)]
        with precision.scope():
            bounds.check_settings(settings, file.weights)
        model.compile(*settings, precision=precision)
    model.session.seeded(seed, split_seed)
    model.session.precision, model.session.classes = precision, bounds.classes(file.preprocessing.get("classes"))
    columns = bounds.classes(file.preprocessing.get("columns"))
    model.session.columns = None if columns is None else tuple(map(str, columns))
    records = file.preprocessing.get("records", {})
    model.preprocessing = {name: _record(value) for name, value in records.items()}
    model.session.take(spec, file.weights)
    if described["compile"] is not None:
        with precision.scope():
            bounds.check_metrics(model.session.training, spec)
    return model


def _read(part: str) -> Callable[[Any], Any]:
    """What makes a value of a part of the file, built of its names alone."""
    return lambda described: from_json(described, allowed(part), MAX_DEPTH - limit("model_depth"))


def _preprocessing(name: str, record: Any) -> Any:
    """A record of preprocessing as JSON holds it: one that would not be read again is refused."""
    try:
        described = stored(record, "preprocessing")
        _record(described)
    except ConfigError as error:
        raise ModelFileError(f"the preprocessing {name!r} cannot be stored: {error}") from error
    return described


def _record(described: Any) -> Record:
    record = _read("preprocessing")(described)
    if not isinstance(record, Record):
        raise ConfigError(f"{record!r:.100} is no record.\n  Preprocessing is made of the records of thalweg.data.")
    return record


def _settings(settings: tuple[Any, ...] | None) -> Any:
    if settings is None:
        return None
    try:
        return [stored(setting, part) for setting, part in zip(settings, SETTINGS, strict=True)]
    except ConfigError as error:
        warnings.warn(f"the model is saved without its compile settings: {error}", stacklevel=4)
        return None


def _describe(spec: Spec) -> Any:
    if isinstance(spec, dict):
        return {"names": {k: _describe(v) for k, v in spec.items()}}
    if isinstance(spec, tuple | list):
        return {"parts": [_describe(v) for v in spec]}
    return {"shape": list(spec.shape[1:]), "dtype": str(np.dtype(spec.dtype))}
