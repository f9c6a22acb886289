"""Optimizers and schedules: Keras's names and numbers, built on Optax.

    rule = optimizer("adam").build()
    state = rule.init(params)
    updates, state = rule.update(grads, state, params)

Every number of an optimizer lives in its state, so that changing one compiles nothing.
"""

from typing import Any

from thalweg.errors import ConfigError, nearest
from thalweg.optim import schedules
from thalweg.optim.adagrad import Adadelta, Adagrad, RMSprop
from thalweg.optim.adam import Adam, Adamax, AdamW, Lamb, Nadam
from thalweg.optim.base import Optimizer
from thalweg.optim.foreign import Optax
from thalweg.optim.hyper import ema_params, hyper, memory, scheduled_from, settable, with_hyper
from thalweg.optim.lbfgs import LBFGS
from thalweg.optim.lion import Lion
from thalweg.optim.muon import Muon
from thalweg.optim.schedules import LearningRateSchedule
from thalweg.optim.sgd import SGD
from thalweg.record import Record, resolve

OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.__name__.lower(): kind
    for kind in (SGD, Adam, AdamW, Adamax, Nadam, Adagrad, Adadelta, RMSprop, Lion, Lamb, Muon, LBFGS)
}
"""Every optimizer by name; the tests have a row for each."""

SCHEDULES: dict[str, type[LearningRateSchedule]] = {
    kind.__name__: kind for kind in LearningRateSchedule.__subclasses__() if kind.__module__ == schedules.__name__
}
"""Every schedule by class name."""

ALLOWED: dict[str, type[Record]] = {kind.__name__: kind for kind in (*OPTIMIZERS.values(), *SCHEDULES.values())}
"""What a stored description may name."""


def optimizer(value: Any) -> Optimizer:
    """The optimizer of a name, a record, or an Optax transformation.

    >>> optimizer("adam")
    Adam()
    >>> optimizer("adamm")
    Traceback (most recent call last):
    thalweg.errors.ConfigError: unknown optimizer 'adamm'.
      Did you mean 'adam'?
    """
    rule = resolve(value, OPTIMIZERS, "optimizer")
    if isinstance(rule, Optimizer):
        return rule
    if hasattr(rule, "init") and hasattr(rule, "update"):
        return Optax(transformation=rule)
    raise ConfigError(
        f"an optimizer is a name, an Optimizer or an Optax transformation; it received {value!r}.\n"
        f"  {nearest(getattr(value, '__name__', type(value).__name__), OPTIMIZERS)}"
    )


__all__ = [
    "ALLOWED",
    "LBFGS",
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lamb",
    "LearningRateSchedule",
    "Lion",
    "Muon",
    "Nadam",
    "Optax",
    "Optimizer",
    "RMSprop",
    "ema_params",
    "hyper",
    "memory",
    "optimizer",
    "scheduled_from",
    "schedules",
    "settable",
    "with_hyper",
]
