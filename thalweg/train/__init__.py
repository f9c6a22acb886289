"""Training: contract checks, programs of many steps, fit, callbacks, checkpoints. It knows no layer."""

from thalweg.train.fit import Fit, Plan
from thalweg.train.history import History
from thalweg.train.task import Session, Task, TrainState

__all__ = ["Fit", "History", "Plan", "Session", "Task", "TrainState"]
