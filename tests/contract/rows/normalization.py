"""Rows of the normalisation layers."""

import keras
import numpy as np

from tests.contract.row import Row
from thalweg import layers as tw

K = keras.layers


def standardized(w, x, mean, variance, epsilon=1e-3, axis=-1):
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    gamma = w["gamma"].reshape(shape) if "gamma" in w else 1
    beta = w["beta"].reshape(shape) if "beta" in w else 0
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def batch(w, x, axis=-1):
    """Channel by channel, the batch's mean and variance."""
    y = np.empty_like(x)
    for c in range(x.shape[axis]):
        place = [slice(None)] * x.ndim
        place[axis] = slice(c, c + 1)
        part = x[tuple(place)]
        weights = {k: v[c : c + 1] for k, v in w.items()}
        y[tuple(place)] = standardized(weights, part, part.mean(), part.var(), axis=axis)
    return y


def moving(w, x, axis=-1):
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    return standardized(w, x, w["moving_mean"].reshape(shape), w["moving_variance"].reshape(shape), axis=axis)


def layer(w, x):
    """Place by place, the mean and variance of the last axis."""
    y = np.empty_like(x)
    for place in np.ndindex(x.shape[:-1]):
        y[place] = standardized(w, x[place], x[place].mean(), x[place].var())
    return y


def layer_over_two(w, x):
    return np.stack([w["gamma"] * (row - row.mean()) / np.sqrt(row.var() + 1e-5) + w["beta"] for row in x])


def group(w, x, groups):
    """Row by row and group by group of channels."""
    y, size = np.empty_like(x), x.shape[-1] // groups
    for n in range(len(x)):
        for g in range(groups):
            part = x[n, ..., g * size : (g + 1) * size]
            weights = {k: v[g * size : (g + 1) * size] for k, v in w.items()}
            y[n, ..., g * size : (g + 1) * size] = standardized(weights, part, part.mean(), part.var())
    return y


def root_mean_square(w, x):
    y = np.empty_like(x)
    for place in np.ndindex(x.shape[:-1]):
        y[place] = w["scale"] * x[place] / np.sqrt(np.mean(x[place] ** 2) + 1e-6)
    return y


def torch_batch(w):
    import torch

    twin = torch.nn.BatchNorm2d(len(w["gamma"]), eps=1e-3)
    names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
    values = {name: torch.tensor(w[ours]) for name, ours in names.items()}
    twin.load_state_dict(values | {"num_batches_tracked": torch.tensor(0)})
    return ChannelsLast(twin)


def torch_group(w):
    import torch

    twin = torch.nn.GroupNorm(2, len(w["gamma"]), eps=1e-3)
    twin.load_state_dict({"weight": torch.tensor(w["gamma"]), "bias": torch.tensor(w["beta"])})
    return ChannelsLast(twin)


class ChannelsLast:
    """A torch module of [batch, channels, height, width], given and giving channels last."""

    def __init__(self, module):
        self.module = module

    def eval(self):
        self.module.eval()
        return self

    def __call__(self, x):
        return self.module(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def window(w, x, targets=(0, 1, 2)):
    """Window by window and variable by variable: its last value taken away, divided by its spread, and back."""
    last, spread = x[:, -1], np.sqrt(((x - x.mean(1, keepdims=True)) ** 2).mean(1) + 1e-5)
    z, y = np.empty_like(x), np.empty((len(x), 2, len(targets)))
    for n, t, v in np.ndindex(x.shape):
        z[n, t, v] = (x[n, t, v] - last[n, v]) / spread[n, v]
    each = z.transpose(0, 2, 1) @ w["body.layers.1.kernel"] + w["body.layers.1.bias"]  # [batch, variables, horizon]
    for n, h, k in np.ndindex(y.shape):
        v = targets[k]
        y[n, h, k] = last[n, v] + spread[n, v] * each[n, v, h]
    return y


def ahead(*picked):
    """A body that maps each variable's past onto two steps of its future; the first few variables alone."""
    return tw.Sequential([tw.Permute((2, 1)), tw.Dense(2), tw.Permute((2, 1)), *picked])


ROWS = [
    Row(
        tw.BatchNormalization(),
        (4, 2, 3, 3),
        moving,
        K.BatchNormalization,
        train_equation=batch,
        torch=torch_batch,
        id="BatchNormalization",
    ),
    Row(
        tw.BatchNormalization(axis=1, momentum=0.5, center=False),
        (4, 2, 3),
        lambda w, x: moving(w, x, axis=1),
        lambda: K.BatchNormalization(axis=1, momentum=0.5, center=False),
        train_equation=lambda w, x: batch(w, x, axis=1),
        id="BatchNormalization, axis 1, no beta",
    ),
    Row(tw.LayerNormalization(), (4, 2, 5), layer, K.LayerNormalization, id="LayerNormalization"),
    Row(
        tw.LayerNormalization(axis=(-1, 1), epsilon=1e-5),
        (4, 2, 3),
        layer_over_two,
        lambda: K.LayerNormalization(axis=(1, 2), epsilon=1e-5),
        id="LayerNormalization, two axes",
    ),
    Row(
        tw.GroupNormalization(2),
        (4, 2, 2, 6),
        lambda w, x: group(w, x, 2),
        lambda: K.GroupNormalization(2),
        torch=torch_group,
        id="GroupNormalization",
    ),
    Row(
        tw.RMSNormalization(),
        (4, 2, 5),
        root_mean_square,
        K.RMSNormalization,
        id="RMSNormalization",
    ),
    Row(
        tw.WindowNormalization(ahead()),
        (4, 5, 3),
        window,
        why="Keras has none; its parts are in the equation",
        id="WindowNormalization",
    ),
    Row(
        tw.WindowNormalization(ahead(tw.Permute((2, 1)), tw.Cropping1D((1, 1)), tw.Permute((2, 1))), targets=(1,)),
        (4, 5, 3),
        lambda w, x: window(w, x, targets=(1,)),
        why="Keras has none; its parts are in the equation",
        id="WindowNormalization, one target",
    ),
]
