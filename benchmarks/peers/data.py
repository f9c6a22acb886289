"""The same real digits for every contender, as float32 in [0, 1], without any contender's library."""

import gzip
import os
from pathlib import Path

import numpy as np

BATCH = {"mlp": 32, "cnn": 128, "lstm": 128}
STEPS = {"mlp": 1000, "cnn": 30, "lstm": 30}  # of one turn's epoch


def mnist(network):
    """Inputs and labels of one epoch."""
    folder = Path(os.environ["THALWEG_DATA"]) / "mnist"
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as f:
        x = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as f:
        y = np.frombuffer(f.read(), np.uint8, offset=8)
    rows = BATCH[network] * STEPS[network]
    return x[:rows].astype(np.float32) / 255, y[:rows].astype(np.int64)
