"""Rows of the architectures, made of the rows of their layers: being modules, they keep the contract of a layer."""

import numpy as np

from tests.contract.row import Row
from tests.contract.rows.attention import one_head
from tests.contract.rows.position import sinusoid
from tests.contract.rows.recurrent import lstm
from tests.contract.rows.transformer import below, decoder, dense, encoder, norm
from thalweg import architectures
from thalweg import layers as tw


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def rows_of(w, name, tokens):
    return w[f"{name}.embeddings"][tokens.astype(int)]


def gpt(w, tokens, tied=False):
    x = rows_of(w, "embedding", tokens) + w["positions.embeddings"][: tokens.shape[1]]
    for i in range(2):
        x = encoder(below(w, f"blocks.{i}"), x, "gelu", first=True, causal=True)
    x = norm(below(w, "norm"), x)
    return softmax(x @ w["embedding.embeddings"].T if tied else dense(below(w, "head"), x))


def transformer(w, x, first=True):
    source, target = x
    real = source != 0
    a, b = (
        sinusoid(np.sqrt(6) * rows_of(w, f"{name}_embedding", tokens), 10000.0)
        for name, tokens in (("source", source), ("target", target))
    )
    a = encoder(below(w, "encoder.0"), a, first=first, real=real)
    a = norm(below(w, "encoder_norm"), a) if first else a
    b = decoder(below(w, "decoder.0"), (b, a), first=first, of_memory=real)
    b = norm(below(w, "decoder_norm"), b) if first else b
    return softmax(dense(below(w, "head"), b) if first else b @ w["target_embedding.embeddings"].T)


def recurrent(w, tokens):
    x = rows_of(w, "embedding", tokens)
    for i in range(2):
        x, _ = lstm(below(w, f"recurrent.{i}"), x)
    return softmax(x @ w["embedding.embeddings"].T)


def from_state(w, x, h, c):
    """An LSTM from a state on, by a first step whose input makes nothing: the equation, step by step."""
    hs = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4, axis=-1)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        hs.append(h)
    return np.stack(hs, axis=1), h, c


def seq2seq(w, x):
    source, target = (
        rows_of(w, f"{name}_embedding", tokens) for name, tokens in zip(("source", "target"), x, strict=True)
    )
    zero = np.zeros((len(source), 3))
    ahead = from_state(below(w, "encoder.0.forward"), source, zero, zero)
    back = from_state(below(w, "encoder.0.backward"), source[:, ::-1], zero, zero)
    memory = np.concatenate([ahead[0], back[0][:, ::-1]], axis=-1)
    h, c = (
        np.tanh(dense(below(w, f"bridge.0.{n}"), np.concatenate([ahead[k], back[k]], axis=-1)))
        for k, n in ((1, "h"), (2, "c"))
    )
    y, _, _ = from_state(below(w, "decoder.0"), target, h, c)
    scale = w["attention.scale"]
    seen = one_head(
        y @ w["query.kernel"], memory, memory @ w["keys.kernel"], lambda a, b: (scale * np.tanh(a + b)).sum()
    )
    y = np.tanh(dense(below(w, "combine"), np.concatenate([seen, y], axis=-1)))
    return softmax(dense(below(w, "head"), y))


WHY = "an architecture of ours; its layers have their twins"

ROWS = [
    Row(architectures.GPT(10, 6, 2, 2, 4, 5, dropout=0.5), (4, 5), gpt, inputs="int", random=True, why=WHY, id="GPT"),
    Row(
        architectures.GPT(10, 6, 2, 2, 4, tied=True),
        (4, 3),
        lambda w, x: gpt(w, x, tied=True),
        inputs="int",
        why=WHY,
        id="GPT, tied",
    ),
    Row(
        architectures.Transformer(10, None, 1, 2, 6, 5),
        ((4, 5), (4, 3)),
        transformer,
        inputs="int",
        random=True,
        why=WHY,
        id="Transformer",
    ),
    Row(
        architectures.Transformer(10, None, 1, 2, 6, 5, 0.0, norm_first=False, tied=True),
        ((4, 5), (4, 3)),
        lambda w, x: transformer(w, x, first=False),
        inputs="int",
        why=WHY,
        id="Transformer, norms last, tied",
    ),
    Row(
        architectures.RecurrentLM(10, (tw.LSTM(3), tw.LSTM(3)), tied=True),
        (4, 5),
        recurrent,
        inputs="int",
        why=WHY,
        id="RecurrentLM",
    ),
    Row(
        architectures.Seq2Seq(10, None, 3, 2, mask_zero=False),
        ((4, 5), (4, 3)),
        seq2seq,
        inputs="int",
        why=WHY,
        id="Seq2Seq",
    ),
]
