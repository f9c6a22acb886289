"""Rows of the convolutions: the equation in loops, Keras as twin."""

import itertools
import math

import numpy as np

from tests.contract.row import Row
from thalweg import layers as L


def keras(name, **settings):
    def make():
        import keras as k

        return getattr(k.layers, name)(**settings)

    return make


def many(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def margins(n, k, s, d, padding):
    reach = d * (k - 1) + 1
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return reach - 1, 0
    missing = max((math.ceil(n / s) - 1) * s + reach - n, 0)
    return missing // 2, missing - missing // 2


def convolved(x, kernel, strides=1, padding="valid", dilation=1, groups=1):
    """y[n, i, o] = sum_{t, c} x[n, s i + d t - lo, c] K[t, c, o], loop by loop."""
    x, kernel = np.asarray(x, np.float64), np.asarray(kernel, np.float64)
    rank = kernel.ndim - 2
    taps, s, d = kernel.shape[:rank], many(strides, rank), many(dilation, rank)
    pads = [margins(n, *rest, padding) for n, *rest in zip(x.shape[1:-1], taps, s, d, strict=True)]
    x = np.pad(x, [(0, 0), *pads, (0, 0)])
    out = [(n - (di * (k - 1) + 1)) // si + 1 for n, k, si, di in zip(x.shape[1:-1], taps, s, d, strict=True)]
    y = np.zeros((x.shape[0], *out, kernel.shape[-1]))
    inputs, outputs = kernel.shape[-2], kernel.shape[-1] // groups
    for i in itertools.product(*map(range, out)):
        for t in itertools.product(*map(range, taps)):
            place = tuple(si * a + di * b for si, a, di, b in zip(s, i, d, t, strict=True))
            for g in range(groups):
                read, written = slice(g * inputs, (g + 1) * inputs), slice(g * outputs, (g + 1) * outputs)
                y[(slice(None), *i, written)] += x[(slice(None), *place, read)] @ kernel[t][:, written]
    return y


def equation(**settings):
    return lambda w, x: convolved(x, w["kernel"], **settings) + w["bias"]


def transposed(strides, padding):
    """Each input place writes its kernel into the output; "same" keeps strides times as many places."""

    def compute(w, x):
        x, kernel = np.asarray(x, np.float64), np.asarray(w["kernel"], np.float64)
        rank = kernel.ndim - 2
        taps, s = kernel.shape[:rank], many(strides, rank)
        full = [(n - 1) * si + max(k, si) for n, si, k in zip(x.shape[1:-1], s, taps, strict=True)]
        y = np.zeros((x.shape[0], *full, kernel.shape[-2]))
        for i in itertools.product(*map(range, x.shape[1:-1])):
            for t in itertools.product(*map(range, taps)):
                place = tuple(si * a + b for si, a, b in zip(s, i, t, strict=True))
                y[(slice(None), *place)] += x[(slice(None), *i)] @ kernel[t].T
        if padding == "same":
            cut = [(f - n * si) // 2 for f, n, si in zip(full, x.shape[1:-1], s, strict=True)]
            y = y[(slice(None), *(slice(c, c + n * si) for c, n, si in zip(cut, x.shape[1:-1], s, strict=True)))]
        return y + w["bias"]

    return compute


def depthwise(kernel, x, **settings):
    *taps, channels, m = kernel.shape
    return convolved(x, kernel.reshape(*taps, 1, channels * m), groups=channels, **settings)


def separable(**settings):
    def compute(w, x):
        return convolved(depthwise(w["depthwise_kernel"], x, **settings), w["pointwise_kernel"]) + w["bias"]

    return compute


def torch_conv2d(w):
    import torch

    kernel = torch.as_tensor(w["kernel"]).float().permute(3, 2, 0, 1)

    class Twin(torch.nn.Module):
        def forward(self, x):
            y = torch.nn.functional.conv2d(x.permute(0, 3, 1, 2), kernel, torch.as_tensor(w["bias"]).float(), stride=2)
            return y.permute(0, 2, 3, 1)

    return Twin()


def row(name, shape, numbers, torch=None, **settings):
    return Row(getattr(L, name)(**settings), shape, numbers, keras(name, **settings), torch=torch)


ROWS = [
    row("Conv1D", (2, 7, 3), equation(padding="causal", dilation=2), filters=4, kernel_size=3, padding="causal",
        dilation_rate=2),
    row("Conv2D", (2, 6, 5, 3), equation(strides=2), torch=torch_conv2d, filters=4, kernel_size=3, strides=2),
    row("Conv2D", (2, 5, 6, 4), equation(padding="same", groups=2), filters=4, kernel_size=(3, 2), padding="same",
        groups=2),
    row("Conv3D", (2, 4, 3, 4, 2), equation(), filters=3, kernel_size=2),
    row("Conv1DTranspose", (2, 4, 3), transposed(2, "valid"), filters=2, kernel_size=3, strides=2),
    row("Conv2DTranspose", (2, 3, 4, 2), transposed(2, "same"), filters=3, kernel_size=3, strides=2, padding="same"),
    row("Conv3DTranspose", (2, 2, 3, 2, 2), transposed(1, "valid"), filters=2, kernel_size=2),
    row("DepthwiseConv1D", (2, 6, 3), lambda w, x: depthwise(w["kernel"], x) + w["bias"], kernel_size=3),
    row("DepthwiseConv2D", (2, 5, 5, 2), lambda w, x: depthwise(w["kernel"], x, padding="same", strides=2) + w["bias"],
        kernel_size=3, depth_multiplier=2, padding="same", strides=2),
    row("SeparableConv1D", (2, 6, 3), separable(), filters=4, kernel_size=3),
    row("SeparableConv2D", (2, 5, 5, 2), separable(padding="same"), filters=3, kernel_size=3, depth_multiplier=2,
        padding="same"),
]  # fmt: skip
