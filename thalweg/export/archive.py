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
from thalweg.export import modelfile
from thalweg.record import Record, freeze, from_json, same, to_json
from thalweg.types import Spec, row_spec

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
        back = from_json(described, allowed(part))
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
    except ConfigError as error:
        raise ModelFileError(f"the network cannot be stored: {error}") from error
    architecture = {
        "module": module,
        "input": _describe(model.input_spec),
        "precision": stored(model.precision, "precision"),
        "seed": int(model.seed),
        "compile": _settings(model.settings),
    }
    preprocessing = {
        "classes": None if model.classes is None else list(model.classes),
        "records": {name: _preprocessing(name, record) for name, record in model.preprocessing.items()},
    }
    created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    modelfile.write(path, architecture, weights, preprocessing, {"created": created, **manifest})
    return Path(path)


def load(path: str | Path, make: Callable[[Module], Any]) -> Any:
    """The model stored at `path`, built by `make(module)`.

    Raises:
        ModelFileError: the file is missing, damaged, or asks for what is not allowed.
    """
    file = modelfile.read(path)
    try:
        module = from_json(file.architecture["module"], allowed("module"))
        model = make(module)
        settings = _read_settings(file.architecture["compile"])
        precision = from_json(file.architecture["precision"], allowed("precision"))
        spec = _spec(file.architecture["input"])
        records = {name: _record(value) for name, value in file.preprocessing.get("records", {}).items()}
    except (AttributeError, KeyError, ThalwegError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{path} does not describe a network of this version: {error}\n  Load it with the version that wrote it."
        ) from error
    if settings:
        optimizer, loss, names = settings
        model.compile(optimizer, loss, names, precision=precision, seed=int(file.architecture["seed"]))
    model.session.precision, model.preprocessing = precision, records
    classes = file.preprocessing.get("classes")
    model.session.classes = None if classes is None else tuple(classes)
    model.build_for(spec)
    model.set_weights(file.weights)
    return model


def _preprocessing(name: str, record: Any) -> Any:
    """A record of preprocessing as JSON holds it: one that would not be read again is refused."""
    try:
        described = stored(record, "preprocessing")
        _record(described)
    except ConfigError as error:
        raise ModelFileError(f"the preprocessing {name!r} cannot be stored: {error}") from error
    return described


def _record(described: Any) -> Record:
    record = from_json(described, allowed("preprocessing"))
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


def _read_settings(described: Any) -> tuple[Any, ...] | None:
    if described is None:
        return None
    return tuple(from_json(value, allowed(part)) for value, part in zip(described, SETTINGS, strict=True))


def _describe(spec: Spec) -> Any:
    if isinstance(spec, dict):
        return {"names": {k: _describe(v) for k, v in spec.items()}}
    if isinstance(spec, tuple | list):
        return {"parts": [_describe(v) for v in spec]}
    return {"shape": list(spec.shape[1:]), "dtype": str(np.dtype(spec.dtype))}


def _spec(stored: Any) -> Spec:
    if "names" in stored:
        return {k: _spec(v) for k, v in stored["names"].items()}
    if "parts" in stored:
        return tuple(_spec(v) for v in stored["parts"])
    return row_spec(stored["shape"], stored["dtype"])
