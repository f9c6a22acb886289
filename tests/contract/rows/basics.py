"""Rows of the dense, shape, activation and merge layers, and of the containers."""

import keras
import numpy as np

from tests.contract.row import Row
from thalweg import layers as tw
from thalweg.ops import constraints, initializers, regularizers

K = keras.layers


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def dense(w, x, name=""):
    """y[n, u] = sum_f x[n, f] W[f, u] + b[u], place by place."""
    kernel, bias = w[f"{name}kernel"], w.get(f"{name}bias")
    rows = x.reshape(-1, x.shape[-1])
    y = np.zeros((len(rows), kernel.shape[1]))
    for n, row in enumerate(rows):
        for u in range(kernel.shape[1]):
            y[n, u] = sum(row[f] * kernel[f, u] for f in range(len(row))) + (0 if bias is None else bias[u])
    return y.reshape(*x.shape[:-1], -1)


def torch_dense(w):
    import torch

    layer = torch.nn.Linear(*w["kernel"].shape)
    layer.load_state_dict({"weight": torch.tensor(w["kernel"].T), "bias": torch.tensor(w["bias"])})
    return layer


same = lambda w, x: x  # noqa: E731


def graph():
    """y = D(concatenate(S(a), S(b))) a + b: two inputs, a shared layer, a branch that rejoins."""
    a, b = tw.Input((3,), name="a"), tw.Input((3,), name="b")
    shared = tw.Dense(2, "tanh")
    d = tw.Dense(3)(tw.concatenate([shared(a), shared(b)]))
    return tw.graph([a, b], d * a + b)


def graph_equation(w, x):
    a, b = x
    s = np.concatenate([np.tanh(dense(w, v, "layers.0.")) for v in (a, b)], axis=-1)
    return dense(w, s, "layers.2.") * a + b


def keras_graph():
    a, b = keras.Input((3,)), keras.Input((3,))
    shared = K.Dense(2, "tanh")
    d = K.Dense(3)(K.concatenate([shared(a), shared(b)]))
    return keras.Model([a, b], K.add([K.multiply([d, a]), b]))


def residual_equation(w, x):
    body = dense(w, relu(dense(w, x, "body.layers.0.")), "body.layers.1.")
    return relu(body + dense(w, x, "shortcut."))


def keras_residual():
    x = keras.Input((3,))
    body = K.Dense(4)(K.Dense(5, "relu")(x))
    return keras.Model(x, K.Activation("relu")(K.add([body, K.Dense(4, use_bias=False)(x)])))


def keras_parallel(merge):
    x = keras.Input((3,))
    return keras.Model(x, merge([K.Dense(2)(x), K.Dense(2)(x)]))


ROWS = [
    Row(tw.Dense(2), (2, 3), dense, lambda: K.Dense(2), torch=torch_dense, id="Dense"),
    Row(
        tw.Dense(
            2,
            "tanh",
            use_bias=False,
            kernel_regularizer="l2",
            kernel_initializer=initializers.HeNormal(),
            activity_regularizer=regularizers.L1(0.1),
            kernel_constraint=constraints.MaxNorm(1),
        ),
        (2, 2, 3),
        lambda w, x: np.tanh(dense(w, x)),
        lambda: K.Dense(2, "tanh", use_bias=False),
        id="Dense, all settings",
    ),
    Row(tw.Activation("tanh"), (2, 5), lambda w, x: np.tanh(x), lambda: K.Activation("tanh"), id="Activation"),
    Row(
        tw.Activation("step"),
        (2, 5),
        lambda w, x: (x >= 0).astype(float),
        differentiable=False,
        why="Keras has no step",
        id="Activation, step",
    ),
    Row(tw.ELU(0.5), (2, 5), lambda w, x: np.where(x > 0, x, 0.5 * (np.exp(x) - 1)), lambda: K.ELU(0.5), id="ELU"),
    Row(tw.LeakyReLU(), (2, 5), lambda w, x: np.where(x > 0, x, 0.3 * x), K.LeakyReLU, id="LeakyReLU"),
    Row(
        tw.PReLU(),
        (2, 5),
        lambda w, x: np.where(x > 0, x, w["alpha"] * x),
        K.PReLU,
        id="PReLU",
    ),
    Row(
        tw.PReLU(shared_axes=(1, 2)),
        (2, 2, 2, 3),
        lambda w, x: np.where(x > 0, x, w["alpha"][0, 0] * x),
        lambda: K.PReLU(shared_axes=[1, 2]),
        id="PReLU, shared",
    ),
    Row(tw.ReLU(), (2, 5), lambda w, x: relu(x), K.ReLU, id="ReLU"),
    Row(
        tw.ReLU(1.0, 0.1, 0.2),
        (2, 9),
        lambda w, x: np.where(x > 1, 1, np.where(x > 0.2, x, 0.1 * (x - 0.2))),
        lambda: K.ReLU(1.0, 0.1, 0.2),
        id="ReLU, all settings",
    ),
    Row(tw.Softmax(), (2, 5), lambda w, x: softmax(x), K.Softmax, id="Softmax"),
    Row(tw.Softmax(1), (2, 3, 2), lambda w, x: softmax(x, 1), lambda: K.Softmax(1), id="Softmax, axis 1"),
    Row(tw.Flatten(), (2, 3, 2), lambda w, x: x.reshape(len(x), -1), K.Flatten, id="Flatten"),
    Row(tw.Identity(), (2, 3), same, K.Identity, id="Identity"),
    Row(tw.Permute((2, 1)), (2, 3, 2), lambda w, x: x.transpose(0, 2, 1), lambda: K.Permute((2, 1)), id="Permute"),
    Row(
        tw.RepeatVector(3),
        (2, 4),
        lambda w, x: np.stack([x] * 3, axis=1),
        lambda: K.RepeatVector(3),
        id="RepeatVector",
    ),
    Row(
        tw.Reshape((-1, 2)),
        (2, 3, 4),
        lambda w, x: x.reshape(len(x), 6, 2),
        lambda: K.Reshape((-1, 2)),
        id="Reshape",
    ),
    Row(tw.Add(), ((2, 3), (2, 3), (2, 1)), lambda w, x: x[0] + x[1] + x[2], K.Add, id="Add"),
    Row(tw.Average(), ((2, 3), (2, 3), (2, 3)), lambda w, x: (x[0] + x[1] + x[2]) / 3, K.Average, id="Average"),
    Row(
        tw.Concatenate(1),
        ((2, 3, 2), (2, 1, 2)),
        lambda w, x: np.concatenate(x, 1),
        lambda: K.Concatenate(1),
        id="Concatenate",
    ),
    Row(tw.Maximum(), ((2, 3), (2, 3)), lambda w, x: np.maximum(*x), K.Maximum, id="Maximum"),
    Row(tw.Multiply(), ((2, 3, 2), (2, 1, 2)), lambda w, x: x[0] * x[1], K.Multiply, id="Multiply"),
    Row(tw.Subtract(), ((2, 3), (2, 3)), lambda w, x: x[0] - x[1], K.Subtract, id="Subtract"),
    Row(
        tw.Sequential([tw.Dense(4, "relu"), tw.Sequential(), tw.Sequential([tw.Dense(2)]), tw.Softmax()]),
        (2, 3),
        lambda w, x: softmax(dense(w, relu(dense(w, x, "layers.0.")), "layers.2.layers.0.")),
        lambda: keras.Sequential([K.Dense(4, "relu"), K.Dense(2), K.Softmax()]),
        id="Sequential",
    ),
    Row(
        tw.Residual(tw.Sequential([tw.Dense(5, "relu"), tw.Dense(4)]), tw.Dense(4, use_bias=False), "relu"),
        (2, 3),
        residual_equation,
        keras_residual,
        id="Residual",
    ),
    Row(
        tw.Parallel([tw.Dense(2), tw.Dense(2)]),
        (2, 3),
        lambda w, x: dense(w, x, "branches.0.") + dense(w, x, "branches.1."),
        lambda: keras_parallel(K.add),
        id="Parallel",
    ),
    Row(
        tw.Parallel([tw.Dense(2), tw.Dense(2)], tw.Concatenate()),
        (2, 3),
        lambda w, x: np.concatenate([dense(w, x, "branches.0."), dense(w, x, "branches.1.")], -1),
        lambda: keras_parallel(K.concatenate),
        id="Parallel, Concatenate",
    ),
    Row(tw.Pick(1), ((2, 3), (2, 4)), lambda w, x: x[1], why="Keras unpacks a tuple itself", id="Pick"),
    Row(graph(), ((2, 3), (2, 3)), graph_equation, keras_graph, id="Graph"),
]
