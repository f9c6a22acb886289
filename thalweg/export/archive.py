"""A model as a file, and back: what `Model.save` writes and `load_model` reads.

Everything that is loaded is built from names on an allow-list: layers, initialisers, losses, optimizers, metrics. A
setting that is a function of the user's own cannot be stored; the model is saved without it and says so.
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
from thalweg.record import Record, from_json, to_json
from thalweg.types import Spec, row_spec


def allowed() -> dict[str, Callable[..., Any]]:
    """Every name that a model file may ask for."""
    networks = {cls.__name__: cls for cls in architectures.ARCHITECTURES}
    return {**optim.ALLOWED, **losses.ALLOWED, **metrics.ALLOWED, **layers.ALLOWED, **networks, "Policy": Policy}


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
        module = to_json(model.module)
    except ConfigError as error:
        raise ModelFileError(f"the network cannot be stored: {error}") from error
    architecture = {
        "module": module,
        "input": _describe(model.input_spec),
        "precision": to_json(model.precision),
        "seed": model.seed,
        "compile": _settings(model.settings),
    }
    preprocessing = {
        "classes": None if model.classes is None else list(model.classes),
        "records": {name: _stored(name, record) for name, record in model.preprocessing.items()},
    }
    created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    modelfile.write(path, architecture, weights, preprocessing, {"created": created, **manifest})
    return Path(path)


def load(path: str | Path, make: Callable[[Module], Any]) -> Any:
    """The model stored at `path`, built by `make(module)`.

    Raises:
        ModelFileError: the file is missing, damaged, or asks for what is not allowed.
    """
    stored = modelfile.read(path)
    try:
        module = from_json(stored.architecture["module"], allowed())
        model = make(module)
        settings = from_json(stored.architecture["compile"], allowed()) if stored.architecture["compile"] else None
        precision = from_json(stored.architecture["precision"], allowed())
        spec = _spec(stored.architecture["input"])
        records = {name: _record(value) for name, value in stored.preprocessing.get("records", {}).items()}
    except (AttributeError, KeyError, ThalwegError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{path} does not describe a network of this version: {error}\n  Load it with the version that wrote it."
        ) from error
    if settings:
        optimizer, loss, names = settings
        model.compile(optimizer, loss, names, precision=precision, seed=int(stored.architecture["seed"]))
    model.session.precision, model.preprocessing = precision, records
    classes = stored.preprocessing.get("classes")
    model.session.classes = None if classes is None else tuple(classes)
    model.build_for(spec)
    model.set_weights(stored.weights)
    return model


def _stored(name: str, record: Any) -> Any:
    """A record of preprocessing as JSON holds it: one that would not be read again is refused."""
    try:
        described = to_json(record)
        _record(described)
    except ConfigError as error:
        raise ModelFileError(f"the preprocessing {name!r} cannot be stored: {error}") from error
    return described


def _record(described: Any) -> Record:
    record = from_json(described, data.ALLOWED)
    if not isinstance(record, Record):
        raise ConfigError(f"{record!r:.100} is no record.\n  Preprocessing is made of the records of thalweg.data.")
    return record


def _settings(settings: tuple[Any, ...] | None) -> Any:
    if settings is None:
        return None
    try:
        return [to_json(setting) for setting in settings]  # the optimizer, the loss, the metrics
    except ConfigError as error:
        warnings.warn(f"the model is saved without its compile settings: {error}", stacklevel=4)
        return None


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
