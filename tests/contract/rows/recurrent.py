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


def gru(w, x, after=True, name=""):
    """h of every step, [batch, time, units]."""
    W, U, b = (w[name + n] for n in ("kernel", "recurrent_kernel", "bias"))
    d, n, hs = w.get(f"{name}recurrent_bias", 0 * b), len(U), []
    h = np.zeros((len(x), n))
    for t in range(x.shape[1]):
        a, r, g = np.split(x[:, t] @ W + b, 3, axis=-1)
        p_a, p_r, p_g = np.split(h @ U + d, 3, axis=-1)
        a, r = sigmoid(a + p_a), sigmoid(r + p_r)
        g = np.tanh(g + r * p_g) if after else np.tanh(g + (r * h) @ U[:, 2 * n :])
        h = a * h + (1 - a) * g
        hs.append(h)
    return np.stack(hs, axis=1)


def of(w, name):
    """The weights below a name."""
    return {k.removeprefix(name): v for k, v in w.items() if k.startswith(name)}


def two_biases(w):
    """Keras keeps a GRU's biases as the rows of one array."""
    w = {k.rpartition(".")[2]: v for k, v in w.items()}
    biases = np.stack([w["bias"], w["recurrent_bias"]]) if "recurrent_bias" in w else w["bias"]
    return [w["kernel"], w["recurrent_kernel"], biases]


def one_step(sequence):
    """A cell's step from zeros: the first of a sequence."""

    def step(w, x):
        h = sequence(w, x[:, None])
        h, *rest = (h[0][:, 0], h[1]) if isinstance(h, tuple) else (h[:, 0],)
        return h, (h, *rest)

    return step


def peephole(w, x):
    """h and c of a step from c = 0."""
    i, _, g, o = np.split(x @ w["kernel"] + w["bias"], 4, axis=-1)
    c = sigmoid(i) * np.tanh(g)
    h = sigmoid(o + w["peephole"][2] * c) * np.tanh(c)
    return h, (h, c)


def stacked(w, x):
    """An LSTM under a GRU."""
    return gru(of(w, "cell.cells.1."), lstm(of(w, "cell.cells.0."), x)[0])


def stacked_step(w, x):
    """The same, one step."""
    below, c = lstm(of(w, "cells.0."), x[:, None])
    h = gru(of(w, "cells.1."), below)[:, 0]
    return h, (below[:, 0], c, h)


def both_ways(w, x):
    """h over time beside h back over it."""
    forward, back = lstm(of(w, "layer."), x)[0], lstm(of(w, "backward_layer."), x[:, ::-1])[0]
    return np.concatenate([forward, back[:, ::-1]], axis=-1)


def convolved(x, K, padding):
    """y[n, i, o] = sum_{t, c} x[n, i + t - lo, c] K[t, c, o], over one or two axes."""
    taps, rank = K.shape[:-2], x.ndim - 2
    if padding == "same":
        x = np.pad(x, ((0, 0), *(((k - 1) // 2, k // 2) for k in taps), (0, 0)))
    places = [n - k + 1 for n, k in zip(x.shape[1:-1], taps, strict=True)]
    y = np.zeros((len(x), *places, K.shape[-1]))
    for at in np.ndindex(*places):
        window = x[(slice(None), *(slice(p, p + k) for p, k in zip(at, taps, strict=True)))]
        y[(slice(None), *at)] = np.tensordot(window, K, axes=(range(1, rank + 2), range(rank + 1)))
    return y


def conv_lstm(w, x, padding="valid"):
    """h of every step."""
    hs, h = [], None
    for t in range(x.shape[1]):
        z = convolved(x[:, t], w["kernel"], padding) + w["bias"]
        if h is None:
            h = c = np.zeros((*z.shape[:-1], z.shape[-1] // 4))
        i, f, g, o = np.split(z + convolved(h, w["recurrent_kernel"], "same"), 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return np.stack(hs, axis=1)


def torch_gru(w):
    import torch

    module = torch.nn.GRU(len(w["kernel"]), len(w["recurrent_kernel"]), batch_first=True)

    def rearranged(a):  # its gates stand as reset, update, candidate
        u, r, g = np.split(a, 3, axis=-1)
        return torch.tensor(np.concatenate([r, u, g], axis=-1).T)

    names = {
        "weight_ih_l0": "kernel",
        "weight_hh_l0": "recurrent_kernel",
        "bias_ih_l0": "bias",
        "bias_hh_l0": "recurrent_bias",
    }
    module.load_state_dict({theirs: rearranged(w[ours]) for theirs, ours in names.items()})
    return Sequences(module)


class Sequences:
    """A torch module that gives its states too, without them."""

    def __init__(self, module):
        self.module = module

    def eval(self):
        return self

    def __call__(self, x):
        return self.module(x)[0]


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
    Row(
        tw.GRU(3, return_sequences=True),
        (4, 5, 2),
        gru,
        lambda: K.GRU(3, return_sequences=True),
        two_biases,
        torch=torch_gru,
        id="GRU",
    ),
    Row(
        tw.GRU(3, reset_after=False, return_state=True),
        (4, 5, 2),
        lambda w, x: (gru(w, x, after=False)[:, -1],) * 2,
        lambda: K.GRU(3, reset_after=False, return_state=True),
        two_biases,
        id="GRU, reset before",
    ),
    Row(
        tw.SimpleRNNCell(3), (4, 2), one_step(simple_rnn), why="it takes states; RNN's row has one", id="SimpleRNNCell"
    ),
    Row(tw.LSTMCell(3), (4, 2), one_step(lstm), why="it takes states; RNN's row has one", id="LSTMCell"),
    Row(tw.GRUCell(3), (4, 2), one_step(gru), why="it takes states; RNN's row has one", id="GRUCell"),
    Row(tw.PeepholeLSTMCell(3), (4, 2), peephole, why="neither library has peepholes", id="PeepholeLSTMCell"),
    Row(
        tw.StackedRNNCells([tw.LSTMCell(3), tw.GRUCell(2)]),
        (4, 2),
        stacked_step,
        why="it takes states; RNN's row has one",
        id="StackedRNNCells",
    ),
    Row(
        tw.RNN([tw.LSTMCell(3), tw.GRUCell(2)], return_sequences=True),
        (4, 5, 2),
        stacked,
        lambda: K.RNN([K.LSTMCell(3), K.GRUCell(2)], return_sequences=True),
        lambda w: [*of(w, "cell.cells.0.").values(), *two_biases(of(w, "cell.cells.1."))],
        id="RNN of stacked cells",
    ),
    Row(
        tw.Bidirectional(tw.LSTM(3, return_sequences=True)),
        (4, 5, 2),
        both_ways,
        lambda: K.Bidirectional(K.LSTM(3, return_sequences=True)),
        id="Bidirectional",
    ),
    Row(
        tw.TimeDistributed(tw.Dense(3, "tanh")),
        (4, 5, 2),
        lambda w, x: np.tanh(x @ w["layer.kernel"] + w["layer.bias"]),
        lambda: K.TimeDistributed(K.Dense(3, "tanh")),
        id="TimeDistributed",
    ),
    Row(
        tw.ConvLSTM1D(2, 3, padding="same", return_sequences=True),
        (4, 3, 4, 2),
        lambda w, x: conv_lstm(w, x, "same"),
        lambda: K.ConvLSTM1D(2, 3, padding="same", recurrent_activation="sigmoid", return_sequences=True),
        id="ConvLSTM1D",
    ),
    Row(
        tw.ConvLSTM2D(2, (2, 3)),
        (4, 2, 4, 4, 1),
        lambda w, x: conv_lstm(w, x)[:, -1],
        lambda: K.ConvLSTM2D(2, (2, 3), recurrent_activation="sigmoid"),
        id="ConvLSTM2D",
    ),
]
