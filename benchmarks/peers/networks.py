"""The networks that Thalweg is timed with. Those whose layers are still to come are modules over `ops`."""

from typing import Any

import jax.numpy as jnp

from benchmarks.peers.data import CHARACTERS, WORDS
from thalweg import layers as L
from thalweg import ops
from thalweg.core import Module


class Ragged(Module):
    """A network behind the mask that lengths say, of [batch, time, features] and lengths."""

    network: Module

    def __call__(self, cx, inputs):
        x, lengths = inputs
        return self.network(cx, cx.masked(x, jnp.arange(x.shape[1])[None] < lengths[:, None]))

    def outlet(self):
        return ("network",)


def embedding(rows, size):
    return L.Embedding(rows, size, "random_normal")


class Attention(Module):
    query: Module
    key_value: Module
    out: Module
    heads: int
    causal: bool = False

    def __call__(self, cx, inputs):
        x, memory = inputs
        batch, time, d = x.shape
        q = self.query(cx, x).reshape(batch, time, self.heads, d // self.heads)
        kv = self.key_value(cx, memory).reshape(batch, memory.shape[1], 2, self.heads, d // self.heads)
        y = ops.attention(q, kv[:, :, 0], kv[:, :, 1], causal=self.causal)
        return self.out(cx, y.reshape(batch, time, d))


def attention(d, heads, causal):
    return Attention(L.Dense(d), L.Dense(2 * d), L.Dense(d), heads, causal)


class Block(Module):
    """A Transformer's block, norms first; with `cross`, one that reads a memory too."""

    norms: tuple[Module, ...]
    own: Module
    up: Module
    down: Module
    cross: Module | None = None

    def __call__(self, cx, inputs):
        x, memory = inputs
        y = self.norms[0](cx, x)
        x = x + self.own(cx, (y, y))
        if self.cross is not None:
            x = x + self.cross(cx, (self.norms[2](cx, x), memory))
        return x + self.down(cx, self.up(cx, self.norms[1](cx, x)))


def block(d, heads, *, causal, cross=False, activation="gelu"):
    norms = tuple(L.LayerNormalization(epsilon=1e-5) for _ in range(2 + cross))
    other = attention(d, heads, causal=False) if cross else None
    return Block(norms, attention(d, heads, causal), L.Dense(4 * d, activation=activation), L.Dense(d), other)


class Gpt(Module):
    words: Module
    places: Module
    blocks: tuple[Module, ...]
    norm: Module
    head: Module

    def __call__(self, cx, tokens):
        x = self.words(cx, tokens) + self.places(cx, jnp.arange(tokens.shape[1]))[None]
        for one in self.blocks:
            x = one(cx, (x, x))
        return self.head(cx, self.norm(cx, x))

    def outlet(self):
        return ("head",)


class EncoderDecoder(Module):
    source: Module
    target: Module
    places: Module
    encoder: tuple[Module, ...]
    decoder: tuple[Module, ...]
    norms: tuple[Module, ...]
    head: Module

    def __call__(self, cx, inputs):
        source, target = inputs
        places = self.places(cx, jnp.arange(source.shape[1]))[None]
        memory, x = self.source(cx, source) + places, self.target(cx, target) + places
        for one in self.encoder:
            memory = one(cx, (memory, memory))
        memory = self.norms[0](cx, memory)
        for one in self.decoder:
            x = one(cx, (x, memory))
        return self.head(cx, self.norms[1](cx, x))

    def outlet(self):
        return ("head",)


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
    blocks = tuple(block(d, 4, causal=True) for _ in range(4))
    head = L.Dense(CHARACTERS, activation="softmax")
    return Gpt(embedding(CHARACTERS, d), embedding(128, d), blocks, L.LayerNormalization(epsilon=1e-5), head)


def transformer(d=256):
    return EncoderDecoder(
        embedding(WORDS, d), embedding(WORDS, d), embedding(32, d),
        tuple(block(d, 8, causal=False, activation="relu") for _ in range(3)),
        tuple(block(d, 8, causal=True, cross=True, activation="relu") for _ in range(3)),
        (L.LayerNormalization(epsilon=1e-5), L.LayerNormalization(epsilon=1e-5)),
        L.Dense(WORDS, activation="softmax"),
    )  # fmt: skip


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
