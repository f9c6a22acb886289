"""The networks that Thalweg is timed with."""

from typing import Any

import jax.numpy as jnp

from benchmarks.peers.data import CHARACTERS, WORDS
from thalweg import architectures
from thalweg import layers as L
from thalweg.core import Module


class Ragged(Module):
    """A network behind the mask that lengths say, of [batch, time, features] and lengths."""

    network: Module

    def __call__(self, cx, inputs):
        x, lengths = inputs
        return self.network(cx, cx.masked(x, jnp.arange(x.shape[1])[None] < lengths[:, None]))

    def outlet(self):
        return ("network",)


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
    return architectures.GPT(CHARACTERS, 128, 4, 4, d)


def transformer(d=256):
    return architectures.Transformer(WORDS, WORDS, 3, 8, d, dropout=0.0, mask_zero=False)


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
    body = L.GRU(128, return_sequences=True), L.GRU(128), L.Dense(10, activation="softmax")
    return Ragged(L.Sequential(body))


NETWORKS = {
    "mlp": mlp, "cnn": cnn, "lstm": lstm, "gru": gru, "resnet18": resnet18, "gpt": gpt, "transformer": transformer,
}  # fmt: skip
