"""What a model file describes, held against its own arrays and `thalweg.limits` before anything is built or allocated.

The network is walked over abstract inputs. Each weight that a layer asks for has to lie in the file with this shape,
so the walk ends at the first that does not, however many layers or units are claimed; and what a layer makes of one row
has to be of a size that people have.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from thalweg import tree
from thalweg.core import Module, Policy, trace, walk
from thalweg.errors import ConfigError, ModelFileError
from thalweg.limits import within
from thalweg.losses import Loss
from thalweg.optim import Optimizer
from thalweg.train import Training
from thalweg.train.weights import Fitting
from thalweg.types import Spec, row_spec

KINDS = ("bool", "bfloat16", *(f"{kind}{8 * n}" for kind in ("int", "uint", "float") for n in (1, 2, 4, 8)))
DTYPES = ("bfloat16", "float16", "float32", "float64")
WINDOWS = ("kernel_size", "pool_size")
REMEDY = "The file is damaged or was made by something else."


def module(described: Any, read: Callable[[Any], Any]) -> Module:
    """The network that `described` says, which `read` builds, of so many layers and calls as are allowed.

    Raises:
        ConfigError: it is no module.
        ModelFileError: it has too many layers.
    """
    count(described, "the layers and settings of the network")
    made = read(described)
    if not isinstance(made, Module):
        raise ConfigError(f"{made!r:.100} is no network.\n  {REMEDY}")
    within("model_layers", sum(1 + len(getattr(m, "wiring", ())) for _, m in walk(made)), "the network", ModelFileError)
    _check_switches(made)
    within("model_windows", sum(_places(m) for _, m in walk(made)), "the network", ModelFileError)
    return made


def _check_switches(network: Module) -> None:
    """A setting that is yes or no is one: another value would reach the compiler."""
    for _, layer in walk(network):
        for field in dataclasses.fields(layer):
            value = getattr(layer, field.name)
            if field.type in (bool, "bool") and value is not None and not isinstance(value, bool):
                raise ConfigError(
                    f"{type(layer).__name__}: {field.name}={value!r:.100} is not true or false.\n  {REMEDY}"
                )


def _places(layer: Module) -> int:
    """How many places one window of the layer reads: its computation is written out place by place."""
    size = next((v for name in WINDOWS if (v := getattr(layer, name, None))), 0)
    return math.prod(size) if isinstance(size, tuple) else size ** max(1, len(layer.axes.split()) - 2)


def count(described: Any, what: str) -> None:
    """Refuse a description of too many records and texts.

    Raises:
        ModelFileError: there are too many.
    """
    number, level = 0, [described]
    while level:
        number += sum(isinstance(v, dict | str) for v in level)
        level = [c for v in level if isinstance(v, dict | list) for c in (v.values() if isinstance(v, dict) else v)]
    within("model_records", number, what, ModelFileError)


def spec(described: Any) -> Spec:
    """A row of the inputs.

    Raises:
        ConfigError: it is none.
        ModelFileError: it is too large.
    """
    if "names" in described:
        return {name: spec(part) for name, part in described["names"].items()}
    if "parts" in described:
        return tuple(spec(part) for part in described["parts"])
    shape = described["shape"]
    if not isinstance(shape, list) or not all(n is None or (type(n) is int and 0 <= n < 2**48) for n in shape):
        raise ConfigError(f"the inputs have the shape {shape!r:.100}.\n  {REMEDY}")
    if described["dtype"] not in KINDS:
        raise ConfigError(f"the inputs have the dtype {described['dtype']!r:.100}.\n  {REMEDY}")
    row = row_spec(shape, described["dtype"])
    within("model_row", math.prod(row.shape), "a row of the inputs", ModelFileError)
    return row


def seed(described: Any) -> int:
    """What fixes every random number.

    Raises:
        ConfigError: it is no whole number, or none of 64 bits.
    """
    if type(described) is not int or not -(2**63) <= described < 2**63:
        raise ConfigError(f"the seed is {described!r:.100}.\n  {REMEDY}")
    return described


def check(network: Module, row: Spec, precision: Any, weights: Mapping[str, np.ndarray]) -> None:
    """Hold what the layers of `network` ask for, one by one, against `weights`, and what they make of a row.

    Raises:
        ConfigError: the precision is none.
        ContractError: the weights are not those of the network.
        ModelFileError: what a layer makes is too large.
    """
    if not isinstance(precision, Policy) or not {precision.param, precision.compute, precision.output} <= {*DTYPES}:
        raise ConfigError(f"the precision is {precision!r:.100}.\n  {REMEDY}")
    with precision.scope():
        call, _ = trace(network, row, precision, train=False, slots=functools.partial(Fitting, weights))
    within("model_layers", len(call.trail), "the network as it is called", ModelFileError)
    for path, _, _, output in call.trail:
        within("model_row", tree.size(output), f"what {'.'.join(path) or 'the network'} makes of a row", ModelFileError)


def check_settings(settings: Sequence[Any], weights: Mapping[str, np.ndarray]) -> None:
    """Hold the number of metrics against the limits, and what the optimizer keeps against the weights.

    Raises:
        ConfigError: there is no optimizer, no loss or no list of metrics.
        ModelFileError: it is too much.
    """
    optimizer, loss, metrics = settings
    if not (isinstance(optimizer, Optimizer) and isinstance(loss, Loss) and isinstance(metrics, tuple)):
        raise ConfigError(f"{settings!r:.200} are no optimizer, loss and metrics.\n  {REMEDY}")
    within("model_metrics", len(metrics), "the training", ModelFileError)
    params = {name: jax.ShapeDtypeStruct(a.shape, np.float32) for name, a in weights.items() if a.size}
    kept = jax.eval_shape(optimizer.mover(None, 1).init, params)
    each = tree.size(kept) // max(1, tree.size(params))
    within("model_copies", each if tree.size(kept) > 2**20 else 0, "the optimizer", ModelFileError)


def check_metrics(training: Training, spec: Spec) -> None:
    """Hold what the metrics add up against the limits.

    Raises:
        ModelFileError: it is too much.
    """
    sums = jax.eval_shape(lambda: training.task.tally(1, training.output(spec)))
    within("model_row", tree.size(sums), "what the metrics add up", ModelFileError)


def classes(described: Any) -> tuple[Any, ...] | None:
    """The texts that labels stand for.

    Raises:
        ConfigError: they are no texts or numbers.
    """
    if described is None:
        return None
    if not isinstance(described, list) or any(type(name) not in (str, int, float) for name in described):
        raise ConfigError(f"the classes are {described!r:.100}.\n  {REMEDY}")
    return tuple(described)
