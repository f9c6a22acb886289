"""Thalweg: deep learning on JAX, fast where people are, with no silent mistakes, exact to the bit.

    import thalweg

    model = thalweg.Sequential([thalweg.layers.Dense(128, "relu"), thalweg.layers.Dense(10, "softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=5, validation_split=0.1)

Every name below is loaded when it is first used, so that `import thalweg` costs nothing: JAX comes with the first
layer.
"""

import importlib
from typing import TYPE_CHECKING, Any

from thalweg.version import __version__ as __version__

if TYPE_CHECKING:
    from thalweg import (
        architectures,
        bridge,
        core,
        data,
        datasets,
        errors,
        export,
        layers,
        losses,
        metrics,
        models,
        ops,
        random,
        recipes,
    )
    from thalweg import optim as optimizers
    from thalweg.core import Module
    from thalweg.data import utils
    from thalweg.layers import Input
    from thalweg.model import Model, Sequential, load_model
    from thalweg.ops import activations, constraints, initializers, regularizers
    from thalweg.train import callbacks

FACE = {
    "Input": "thalweg.layers:Input",
    "Model": "thalweg.model:Model",
    "Module": "thalweg.core:Module",
    "Sequential": "thalweg.model:Sequential",
    "activations": "thalweg.ops.activations",
    "architectures": "thalweg.architectures",
    "bridge": "thalweg.bridge",
    "callbacks": "thalweg.train.callbacks",
    "constraints": "thalweg.ops.constraints",
    "core": "thalweg.core",
    "data": "thalweg.data",
    "datasets": "thalweg.datasets",
    "errors": "thalweg.errors",
    "export": "thalweg.export",
    "initializers": "thalweg.ops.initializers",
    "layers": "thalweg.layers",
    "load_model": "thalweg.model:load_model",
    "losses": "thalweg.losses",
    "metrics": "thalweg.metrics",
    "models": "thalweg.models",
    "ops": "thalweg.ops",
    "optimizers": "thalweg.optim",
    "random": "thalweg.random",
    "recipes": "thalweg.recipes",
    "regularizers": "thalweg.ops.regularizers",
    "utils": "thalweg.data.utils",
}
"""Where each public name is."""

__all__ = [
    "Input", "Model", "Module", "Sequential", "activations", "architectures", "bridge", "callbacks", "constraints",
    "core", "data", "datasets", "errors", "export", "initializers", "layers", "load_model", "losses", "metrics",
    "models", "ops", "optimizers", "random", "recipes", "regularizers", "utils",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in FACE:
        from thalweg.errors import nearest  # noqa: PLC0415  not for what succeeds

        raise AttributeError(f"thalweg has no {name!r}.\n  {nearest(name, FACE)}")
    module, _, attribute = FACE[name].partition(":")
    room = importlib.import_module(module)
    value = getattr(room, attribute) if attribute else room
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
