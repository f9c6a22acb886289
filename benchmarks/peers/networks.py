"""The networks that Thalweg is timed with. Those whose layers are still to come are modules over `ops`."""

from typing import Any

import jax.numpy as jnp

from benchmarks.peers.data import CHARACTERS, WORDS
from thalweg import layers as L
from thalweg import models, ops
from thalweg.core import Module
from thalweg.ops.initializers import initializer


class Gru(Module):
    """A GRU over ragged sequences, [batch, time, features] and their lengths."""

    units: int
    return_sequences: bool = False

    def __call__(self, cx, inputs):
        x, lengths = inputs
        glorot, zeros, n = initializer("glorot_uniform"), initializer("zeros"), self.units
        steps = (jnp.arange(x.shape[1])[None] < lengths[:, None]).astype(x.dtype)
        hs, (h,) = ops.gru(
            x, cx.param("kernel", glorot, (x.shape[-1], 3 * n)), cx.param("recurrent_kernel", glorot, (n, 3 * n)),
            cx.param("bias", zeros, (3 * n,)), cx.param("recurrent_bias", zeros, (3 * n,)),
            (jnp.zeros((x.shape[0], n), x.dtype),), steps=steps,
        )  # fmt: skip
        return (hs, lengths) if self.return_sequences else h


def _residual(ins, outs, stride) -> Any:
    body = [
        L.Conv2D(outs, 3, strides=stride, padding="same", use_bias=False), L.BatchNormalization(), L.Activation("relu"),
        L.Conv2D(outs, 3, padding="same", use_bias=False), L.BatchNormalization(),
    ]  # fmt: skip
    skip = [L.Conv2D(outs, 1, strides=stride, use_bias=False), L.BatchNormalization()]
    same = ins == outs and stride == 1
    joined = (
        L.Residual(L.Sequential(tuple(body)))
        if same
        else L.Parallel((L.Sequential(tuple(body)), L.Sequential(tuple(skip))), "add")
    )
    return L.Sequential((joined, L.Activation("relu")))


def resnet18():
    parts, ins = [], 64
    for stage, outs in enumerate((64, 128, 256, 512)):
        for i in range(2):
            parts.append(_residual(ins, outs, 2 if stage and not i else 1))
            ins = outs
    stem = [L.Conv2D(64, 3, padding="same", use_bias=False), L.BatchNormalization(), L.Activation("relu")]
    return L.Sequential((*stem, *parts, L.GlobalAveragePooling2D(), L.Dense(10, activation="softmax")))


def gpt(d=128):
    return models.GPT(CHARACTERS, 128, 4, 4, d)


def transformer(d=256):
    return models.Transformer(WORDS, WORDS, 3, 8, d, dropout=0.0, mask_zero=False)


def mlp():
    hidden = L.Dense(128, activation="relu")
    return L.Sequential((L.Flatten(), hidden, L.Dropout(0.2), L.Dense(10, activation="softmax")))


def cnn():
    return L.Sequential((
        L.Reshape((28, 28, 1)), L.Conv2D(32, 3, activation="relu"), L.MaxPooling2D(),
        L.Conv2D(64, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(128, activation="relu"),
        L.Dense(10, activation="softmax"),
    ))  # fmt: skip


def lstm():
    return L.Sequential((L.LSTM(64, return_sequences=True), L.LSTM(64), L.Dense(10, activation="softmax")))


def gru():
    return L.Sequential((Gru(128, return_sequences=True), Gru(128), L.Dense(10, activation="softmax")))


NETWORKS = {
    "mlp": mlp, "cnn": cnn, "lstm": lstm, "gru": gru, "resnet18": resnet18, "gpt": gpt, "transformer": transformer,
}  # fmt: skip
