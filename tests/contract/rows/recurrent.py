"""Rows of the recurrent layers."""

import keras
import numpy as np

from tests.contract.row import Row
from thalweg import layers as tw

K = keras.layers


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def hard_sigmoid(x):
    return np.clip(x / 6 + 0.5, 0, 1)


def simple_rnn(w, x, activation=np.tanh):
    """h of every step, [batch, time, units]."""
    U, h, hs = w["recurrent_kernel"], np.zeros((len(x), len(w["recurrent_kernel"]))), []
    for t in range(x.shape[1]):
        h = activation(x[:, t] @ w["kernel"] + h @ U + w.get("bias", 0))
        hs.append(h)
    return np.stack(hs, axis=1)


def lstm(w, x, activation=np.tanh, gate=sigmoid):
    """h of every step, [batch, time, units], and the last c."""
    U = w["recurrent_kernel"]
    h = c = np.zeros((len(x), len(U)))
    hs = []
    for t in range(x.shape[1]):
        a = x[:, t] @ w["kernel"] + h @ U + w.get("bias", 0)
        i, f, g, o = np.split(a, 4, axis=-1)
        c = gate(f) * c + gate(i) * activation(g)
        h = gate(o) * activation(c)
        hs.append(h)
    return np.stack(hs, axis=1), c


def backwards_with_state(w, x):
    hs, c = lstm(w, x[:, ::-1], np.tanh, hard_sigmoid)
    return hs, hs[:, -1], c


class TorchLSTM:
    """torch.nn.LSTM with our weights: its gates stand in the same order, its kernels are transposed."""

    def __init__(self, w):
        import torch

        self.module = torch.nn.LSTM(len(w["kernel"]), len(w["recurrent_kernel"]), batch_first=True)
        names = {"weight_ih_l0": w["kernel"].T, "weight_hh_l0": w["recurrent_kernel"].T, "bias_ih_l0": w["bias"]}
        values = names | {"bias_hh_l0": 0 * w["bias"]}
        self.module.load_state_dict({k: torch.tensor(v) for k, v in values.items()})

    def eval(self):
        return self

    def __call__(self, x):
        return self.module(x)[0][:, -1]


ROWS = [
    Row(
        tw.SimpleRNN(3),
        (4, 5, 2),
        lambda w, x: simple_rnn(w, x)[:, -1],
        lambda: K.SimpleRNN(3),
        id="SimpleRNN",
    ),
    Row(
        tw.SimpleRNN(3, "sigmoid", use_bias=False, dropout=0.5, recurrent_dropout=0.5, return_sequences=True),
        (4, 3, 2),
        lambda w, x: simple_rnn(w, x, sigmoid),
        lambda: K.SimpleRNN(3, "sigmoid", use_bias=False, return_sequences=True),
        random=True,
        id="SimpleRNN, dropout and sequences",
    ),
    Row(
        tw.LSTM(3),
        (4, 5, 2),
        lambda w, x: lstm(w, x)[0][:, -1],
        lambda: K.LSTM(3),
        torch=TorchLSTM,
        id="LSTM",
    ),
    Row(
        tw.LSTM(
            3,
            recurrent_activation="hard_sigmoid",
            unit_forget_bias=False,
            activity_regularizer="l2",
            return_sequences=True,
            return_state=True,
            go_backwards=True,
        ),
        (4, 3, 2),
        backwards_with_state,
        lambda: K.LSTM(
            3, recurrent_activation="hard_sigmoid", return_sequences=True, return_state=True, go_backwards=True
        ),
        id="LSTM, backwards with state",
    ),
]
