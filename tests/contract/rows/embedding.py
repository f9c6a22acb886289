"""Rows of Embedding, TiedDense and Masking."""

import keras
import numpy as np

from tests.contract.row import Row
from thalweg import layers as tw

K = keras.layers


def looked_up(w, x, name="embeddings"):
    """y[n, t] = E[x[n, t]], place by place."""
    y = np.zeros((*x.shape, w[name].shape[1]))
    for place, index in np.ndenumerate(x.astype(int)):
        y[place] = w[name][index]
    return y


def without_padding(w, x):
    return np.where((x == 3)[..., None], 0, looked_up(w, x))


def torch_embedding(w):
    import torch

    table = w["embeddings"].copy()
    table[3] = 0
    layer = torch.nn.Embedding(*table.shape, padding_idx=3)
    layer.load_state_dict({"weight": torch.tensor(table)})
    return layer


def tied(w, x):
    """h = E[x]; y = h E^T + b."""
    h = looked_up(w, x, "layers.0.embeddings")
    return np.einsum("ntd,vd->ntv", h, w["layers.0.embeddings"]) + w["layers.1.bias"]


class KerasTied(keras.layers.Layer):
    """Keras's own way: `ReversibleEmbedding`, which has no bias of this kind."""

    def __init__(self):
        super().__init__()
        self.inner = K.Embedding(10, 4)
        self.inner.build((None, 5))
        self.b = self.add_weight(shape=(10,), name="b")
        self.built = True

    def call(self, x):
        return keras.ops.matmul(self.inner(x), keras.ops.transpose(self.inner.embeddings)) + self.b

    def set_weights(self, values):
        self.inner.set_weights(values[:1])
        self.b.assign(values[1])


ROWS = [
    Row(tw.Embedding(10, 4), (2, 5), looked_up, lambda: K.Embedding(10, 4), inputs="int", id="Embedding"),
    Row(
        tw.Embedding(10, 4, embeddings_regularizer="l2", padding_index=3),
        (2, 5),
        without_padding,
        torch=torch_embedding,
        inputs="int",
        why="a padding index that stays 0 is PyTorch's",
        id="Embedding, padding index",
    ),
    Row(
        tw.Sequential([tw.Embedding(10, 4), tw.TiedDense("layers.0")]),
        (2, 5),
        tied,
        KerasTied,
        inputs="int",
        id="Embedding and TiedDense",
    ),
    Row(tw.Masking(), (2, 5, 3), lambda w, x: x, lambda: K.Masking(), id="Masking"),
]
