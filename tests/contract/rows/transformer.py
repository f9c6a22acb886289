"""Rows of the Transformer's blocks, beside PyTorch's; Keras has them in keras_hub."""

import math

import numpy as np

from tests.contract.row import Row
from tests.contract.rows.attention import multi_head, to_torch
from thalweg import layers as tw

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: x * (1 + np.vectorize(math.erf)(x / np.sqrt(2))) / 2,
}


def below(w, name):
    return {k.removeprefix(f"{name}."): v for k, v in w.items() if k.startswith(f"{name}.")}


def norm(w, x):
    mu, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return w["gamma"] * (x - mu) / np.sqrt(var + 1e-5) + w["beta"]


def dense(w, x):
    return x @ w["kernel"] + w["bias"]


def around(w, name, x, first, branch):
    normed = below(w, f"{name}_norm")
    return x + branch(norm(normed, x)) if first else norm(normed, x + branch(x))


def feed_forward(w, x, activation):
    return dense(below(w, "down"), ACTIVATIONS[activation](dense(below(w, "up"), x)))


def heads(w, name, x, **settings):
    return multi_head(below(w, name), x, 2, x.shape[-1] // 2, **settings)


def encoder(w, x, activation="relu", first=False, **seen):
    x = around(w, "attention", x, first, lambda y: heads(w, "attention", y, **seen))
    return around(w, "feed_forward", x, first, lambda y: feed_forward(w, y, activation))


def decoder(w, x, activation="relu", first=False, of_memory=None):
    x, memory = x
    x = around(w, "attention", x, first, lambda y: heads(w, "attention", y, causal=True))
    other = {"memory": memory, "real": of_memory}
    x = around(w, "cross_attention", x, first, lambda y: heads(w, "cross_attention", y, **other))
    return around(w, "feed_forward", x, first, lambda y: feed_forward(w, y, activation))


def _linears(w):
    import torch

    names = {"linear1": "up", "linear2": "down"}
    found = {f"{theirs}.weight": w[f"{ours}.kernel"].T for theirs, ours in names.items()}
    found |= {f"{theirs}.bias": w[f"{ours}.bias"] for theirs, ours in names.items()}
    return {k: torch.tensor(v) for k, v in found.items()}


def _norms(w, *names):
    import torch

    kinds = {"weight": "gamma", "bias": "beta"}
    return {
        f"norm{i}.{theirs}": torch.tensor(w[f"{name}_norm.{ours}"])
        for i, name in enumerate(names, 1)
        for theirs, ours in kinds.items()
    }


def torch_encoder(w, activation="relu", first=False, causal=False):
    import torch

    class Twin(torch.nn.Module):
        def __init__(self):
            super().__init__()
            d, hidden = w["up.kernel"].shape
            self.inner = torch.nn.TransformerEncoderLayer(
                d, 2, hidden, 0.0, activation, batch_first=True, norm_first=first
            )
            own = to_torch(below(w, "attention"), "self_attn.")
            self.inner.load_state_dict(own | _linears(w) | _norms(w, "attention", "feed_forward"))

        def forward(self, x):
            unseen = torch.nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype)
            return self.inner(x, src_mask=unseen if causal else None)

    return Twin()


def torch_decoder(w, activation="relu", first=False):
    import torch

    class Twin(torch.nn.Module):
        def __init__(self):
            super().__init__()
            d, hidden = w["up.kernel"].shape
            self.inner = torch.nn.TransformerDecoderLayer(
                d, 2, hidden, 0.0, activation, batch_first=True, norm_first=first
            )
            own = to_torch(below(w, "attention"), "self_attn.")
            other = to_torch(below(w, "cross_attention"), "multihead_attn.")
            norms = _norms(w, "attention", "cross_attention", "feed_forward")
            self.inner.load_state_dict(own | other | _linears(w) | norms)

        def forward(self, x, memory):
            unseen = torch.nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype)
            return self.inner(x, memory, tgt_mask=unseen)

    return Twin()


ROWS = [
    Row(
        tw.TransformerEncoderBlock(5, 2),
        (4, 3, 6),
        encoder,
        torch=torch_encoder,
        id="TransformerEncoderBlock",
    ),
    Row(
        tw.TransformerEncoderBlock(5, 2, dropout=0.5, activation="gelu", norm_first=True, causal=True),
        (4, 3, 6),
        lambda w, x: encoder(w, x, "gelu", first=True, causal=True),
        torch=lambda w: torch_encoder(w, "gelu", first=True, causal=True),
        random=True,
        id="TransformerEncoderBlock, GPT's",
    ),
    Row(
        tw.TransformerDecoderBlock(5, 2),
        ((4, 3, 6), (4, 4, 6)),
        decoder,
        torch=torch_decoder,
        id="TransformerDecoderBlock",
    ),
    Row(
        tw.TransformerDecoderBlock(5, 2, attention_dropout=0.5, activation="gelu", norm_first=True),
        ((4, 3, 6), (4, 4, 6)),
        lambda w, x: decoder(w, x, "gelu", first=True),
        torch=lambda w: torch_decoder(w, "gelu", first=True),
        random=True,
        id="TransformerDecoderBlock, norms first",
    ),
]
