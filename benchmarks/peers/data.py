"""The same data for every contender, as NumPy arrays, without any contender's library.

Real digits for the networks of digits. The others are timed on numbers from a seed: a step takes the same time whatever
its pictures and words mean.
"""

import gzip
import os
from pathlib import Path

import numpy as np

BATCH = {"mlp": 32, "cnn": 128, "lstm": 128, "gru": 64, "resnet18": 64, "gpt": 32, "transformer": 64}
STEPS = {"mlp": 1000, "cnn": 30, "lstm": 30, "gru": 6, "resnet18": 3, "gpt": 4, "transformer": 4}  # of one turn's epoch
CHARACTERS, WORDS = 65, 8000  # the vocabularies of gpt and transformer


def data(network):
    """Inputs, a tuple of arrays, and targets of one epoch."""
    rows = BATCH[network] * STEPS[network]
    rng = np.random.default_rng(0)
    if network == "gru":
        lengths = rng.integers(20, 101, rows).astype(np.int32)
        x = rng.normal(size=(rows, 100, 64)).astype(np.float32)
        x[np.arange(100) >= lengths[:, None]] = 0
        return (x, lengths), rng.integers(0, 10, rows)
    if network == "resnet18":
        return (rng.normal(size=(rows, 32, 32, 3)).astype(np.float32),), rng.integers(0, 10, rows)
    if network == "gpt":
        text = rng.integers(0, CHARACTERS, (rows, 129)).astype(np.int32)
        return (text[:, :-1],), text[:, 1:]
    if network == "transformer":
        source, target = (rng.integers(0, WORDS, (rows, 32 + i)).astype(np.int32) for i in range(2))
        return (source, target[:, :-1]), target[:, 1:]
    x, y = _mnist()
    return (x[:rows].astype(np.float32) / 255,), y[:rows].astype(np.int64)


def _mnist():
    folder = Path(os.environ["THALWEG_DATA"]) / "mnist"
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as f:
        x = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as f:
        return x, np.frombuffer(f.read(), np.uint8, offset=8)
