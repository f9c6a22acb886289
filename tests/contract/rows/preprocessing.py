"""Rows of the preprocessing layers."""

import keras
import numpy as np

from tests.contract.row import Row
from thalweg import layers as tw

K = keras.layers
MEAN, VARIANCE = (0.5, -1.0, 2.0), (4.0, 0.25, 1.0)

ROWS = [
    Row(
        tw.Rescaling(1 / 255, offset=-0.5),
        (4, 5),
        lambda w, x: x / 255 - 0.5,
        lambda: K.Rescaling(1 / 255, offset=-0.5),
        inputs="int",
        id="Rescaling",
    ),
    Row(
        tw.Normalization(mean=MEAN, variance=VARIANCE),
        (4, 2, 3),
        lambda w, x: (x - np.array(MEAN)) / np.sqrt(VARIANCE),
        lambda: K.Normalization(mean=MEAN, variance=VARIANCE),
        id="Normalization",
    ),
    Row(
        tw.Normalization(axis=(1, 2), mean=[[1.0], [2.0]], variance=[[4.0], [9.0]], invert=True),
        (4, 2, 3),
        lambda w, x: x * np.array([[2.0], [3.0]]) + np.array([[1.0], [2.0]]),
        lambda: K.Normalization(axis=(1, 2), mean=[[1.0], [2.0]], variance=[[4.0], [9.0]], invert=True),
        id="Normalization, inverted, two axes",
    ),
]
