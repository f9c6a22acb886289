"""Rows of the attention layers; masks, caches and calls with several inputs are in tests/layers/test_attention.py."""

import keras
import numpy as np

from tests.contract.row import Row
from thalweg import layers as tw

K = keras.layers


def softmax(s):
    e = np.exp(s - s.max())
    return e / e.sum()


def one_head(q, v, k, score, causal=False, real=None):
    """Query by query: the mean of the values, weighted by softmax over `score(q_t, k_s)` of the seen keys."""
    y = np.zeros((*q.shape[:2], v.shape[-1]))
    for b, t in np.ndindex(q.shape[:2]):
        seen = [s for s in range(k.shape[1]) if (s <= t or not causal) and (real is None or real[b, s])]
        if seen:
            p = softmax(np.array([score(q[b, t], k[b, s]) for s in seen]))
            y[b, t] = sum(w * v[b, s] for w, s in zip(p, seen, strict=True))
    return y


def projected(w, name, x):
    return x @ w[f"{name}_kernel"] + w.get(f"{name}_bias", 0)


def taken_apart(w, queries):
    """The weights of self-attention, where all projections stand side by side, as those of attention to another."""
    out = dict(w)
    for kind in ("kernel", "bias"):
        if f"query_key_value_{kind}" in w:
            out[f"query_{kind}"], out[f"key_value_{kind}"] = np.split(
                out.pop(f"query_key_value_{kind}"), [queries], axis=-1
            )
    return out


def turned(x, base=10000.0):
    """[batch, time, heads, size] with the pair (i, i + size / 2) of step t turned by the angle t base^(-2i / size)."""
    y, half = np.empty_like(x), x.shape[-1] // 2
    for t in range(x.shape[1]):
        for i in range(half):
            angle = t * base ** (-2 * i / x.shape[-1])
            a, b = x[:, t, :, i], x[:, t, :, i + half]
            y[:, t, :, i] = a * np.cos(angle) - b * np.sin(angle)
            y[:, t, :, i + half] = a * np.sin(angle) + b * np.cos(angle)
    return y


def multi_head(w, x, heads, key, value=None, groups=None, memory=None, causal=False, real=None, turn=lambda a: a):
    """Head by head, one head of attention on its own slice of the projections."""
    value, groups, memory = value or key, groups or heads, x if memory is None else memory
    w = taken_apart(w, heads * key)
    q, kv = projected(w, "query", x), projected(w, "key_value", memory)
    q = turn(q.reshape(*x.shape[:2], heads, key))
    k = turn(kv[..., : groups * key].reshape(*memory.shape[:2], groups, key))
    v = kv[..., groups * key :].reshape(*memory.shape[:2], groups, value)
    each = heads // groups
    outs = [
        one_head(q[:, :, h], v[:, :, h // each], k[:, :, h // each], lambda a, b: a @ b / np.sqrt(key), causal, real)
        for h in range(heads)
    ]
    return projected(w, "output", np.concatenate(outs, axis=-1))


class Self(keras.layers.Layer):
    """A Keras attention of a sequence to itself."""

    def __init__(self, inner, causal=False):
        super().__init__()
        self.inner, self.causal = inner, causal

    def build(self, shape):
        self.inner.build(shape, shape)
        self.built = True

    def call(self, x):
        return self.inner(x, x, use_causal_mask=self.causal)


def to_keras(w, heads, key, value=None, groups=None):
    """Our weights as Keras keeps them: [features, heads, size] for each of query, key, value, and the output's."""
    value, groups, w, parts = value or key, groups or heads, taken_apart(w, heads * key), {}
    for kind in ("kernel", "bias"):
        if f"query_{kind}" not in w:
            continue
        q, kv = w[f"query_{kind}"], w[f"key_value_{kind}"]
        k, v = np.split(kv, [groups * key], axis=-1)
        parts["query", kind] = q.reshape(*q.shape[:-1], heads, key)
        parts["key", kind] = k.reshape(*kv.shape[:-1], groups, key)
        parts["value", kind] = v.reshape(*kv.shape[:-1], groups, value)
    parts["output", "kernel"] = w["output_kernel"].reshape(heads, value, -1)
    if "output_bias" in w:
        parts["output", "bias"] = w["output_bias"]
    names = ("query", "key", "value", "output")
    return [parts[n, kind] for n in names for kind in ("kernel", "bias") if (n, kind) in parts]


def to_torch(w, at=""):
    """Our weights as torch.nn.MultiheadAttention names and keeps them."""
    import torch

    joined = {k: w.get(f"query_key_value_{k}") for k in ("kernel", "bias")}
    for kind, value in joined.items():
        if value is None:
            joined[kind] = np.concatenate([w[f"query_{kind}"], w[f"key_value_{kind}"]], axis=-1)
    projections = {"in_proj_weight": joined["kernel"].T, "in_proj_bias": joined["bias"]}
    out = {"out_proj.weight": w["output_kernel"].T, "out_proj.bias": w["output_bias"]}
    return {at + name: torch.tensor(value) for name, value in (projections | out).items()}


def torch_multi_head(w):
    import torch

    class Twin(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.MultiheadAttention(len(w["query_key_value_kernel"]), 2, batch_first=True)
            self.inner.load_state_dict(to_torch(w))

        def forward(self, x):
            return self.inner(x, x, x)[0]

    return Twin()


def additive(w, x):
    q, v = x
    return one_head(q, v, v, lambda a, b: (w["scale"] * np.tanh(a + b)).sum())


def concatenated(w, x):
    q, v, k = x
    g = w["scale"]
    return one_head(q, v, k, lambda a, b: w["concat_score_weight"] * np.tanh(g * (a + b)).sum())


ROWS = [
    Row(
        tw.Attention(),
        ((4, 3, 5), (4, 2, 5)),
        lambda w, x: one_head(x[0], x[1], x[1], np.dot),
        K.Attention,
        id="Attention",
    ),
    Row(
        tw.Attention(use_scale=True, dropout=0.5),
        ((4, 3, 5), (4, 2, 3), (4, 2, 5)),
        lambda w, x: one_head(*x, lambda a, b: w["scale"] * (a @ b)),
        lambda: K.Attention(use_scale=True),
        random=True,
        id="Attention, scaled, with keys",
    ),
    Row(
        tw.Attention(use_scale=True, score_mode="concat"),
        ((4, 3, 5), (4, 2, 3), (4, 2, 5)),
        concatenated,
        lambda: K.Attention(use_scale=True, score_mode="concat"),
        id="Attention, concat",
    ),
    Row(tw.AdditiveAttention(), ((4, 3, 5), (4, 2, 5)), additive, K.AdditiveAttention, id="AdditiveAttention"),
    Row(
        tw.MultiplicativeAttention(),
        ((4, 3, 5), (4, 2, 4)),
        lambda w, x: one_head(x[0], x[1], x[1], lambda a, b: a @ w["kernel"] @ b),
        why="Keras has the scores of Luong et al. without their matrix",
        id="MultiplicativeAttention",
    ),
    Row(
        tw.MultiHeadAttention(2, 3),
        (4, 5, 6),
        lambda w, x: multi_head(w, x, 2, 3),
        lambda: Self(K.MultiHeadAttention(2, 3)),
        lambda w: to_keras(w, 2, 3),
        torch=torch_multi_head,
        id="MultiHeadAttention",
    ),
    Row(
        tw.MultiHeadAttention(
            2, 4, value_dim=3, dropout=0.5, use_bias=False, output_shape=5, activity_regularizer="l2", causal=True
        ),  # Keras with dropout, without which it asks JAX for values as wide as the keys
        (4, 5, 6),
        lambda w, x: multi_head(w, x, 2, 4, 3, causal=True),
        lambda: Self(K.MultiHeadAttention(2, 4, value_dim=3, dropout=0.5, use_bias=False, output_shape=5), causal=True),
        lambda w: to_keras(w, 2, 4, 3),
        random=True,
        id="MultiHeadAttention, causal, other sizes",
    ),
    Row(
        tw.MultiHeadAttention(2, 4, rotary=tw.RotaryEmbedding(100.0), kernel_regularizer="l2"),
        (4, 5, 6),
        lambda w, x: multi_head(w, x, 2, 4, turn=lambda a: turned(a, 100.0)),
        why="Keras has no rotary positions",
        id="MultiHeadAttention, rotary",
    ),
    Row(
        tw.GroupQueryAttention(3, 4, 2),
        (4, 5, 6),
        lambda w, x: multi_head(w, x, 4, 3, groups=2),
        lambda: Self(K.GroupQueryAttention(3, 4, 2)),
        lambda w: to_keras(w, 4, 3, groups=2),
        id="GroupQueryAttention",
    ),
]
