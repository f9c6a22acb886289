"""Rows of the embedding layers."""

import keras

from tests.contract.row import Row
from thalweg import layers as tw

ROWS = [
    Row(
        tw.Embedding(10, 3),
        (4, 5),
        lambda w, x: w["embeddings"][x.astype(int)],
        lambda: keras.layers.Embedding(10, 3),
        inputs="int",
        id="Embedding",
    ),
]
