"""Callbacks: Keras's, with memories that survive a killed run."""

from thalweg.train.callbacks.base import Callback, CallbackList, Spared, monitors, needs_batches
from thalweg.train.callbacks.logs import CSVLogger, HistoryLogger, TensorBoard
from thalweg.train.callbacks.monitor import Monitor, check
from thalweg.train.callbacks.rate import LambdaCallback, LearningRateScheduler, TerminateOnNaN
from thalweg.train.callbacks.saving import ModelCheckpoint
from thalweg.train.callbacks.stopping import EarlyStopping, ReduceLROnPlateau

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "HistoryLogger",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "Monitor",
    "ReduceLROnPlateau",
    "Spared",
    "TensorBoard",
    "TerminateOnNaN",
    "check",
    "monitors",
    "needs_batches",
]
