"""Training: contract checks, programs of many steps, fit, callbacks, checkpoints. It knows no layer."""

from thalweg.train.fit import Fit, Plan
from thalweg.train.history import History
from thalweg.train.session import Session
from thalweg.train.task import Task, TrainState
from thalweg.train.training import Settings, Training

__all__ = ["Fit", "History", "Plan", "Session", "Settings", "Task", "TrainState", "Training"]
