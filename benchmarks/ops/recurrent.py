"""Recurrent networks and a classifier, to train and to predict, beside the formulas in JAX, a plain scan, and PyTorch.

    python -m benchmarks.ops.recurrent --json benchmarks/results/recurrent.json [--rounds 20] [--core] [--only gru]

`lstm` is two layers LSTM(64) on [128, 28, 28]; `gru` two of 128 on [64, 100, 64], of which each has between 10 and
100 steps. `thalweg` runs them as `fit` does, inside a compiled loop of a length that is not known when it is compiled;
`formulas` is the same without native kernels; `plain scan` has the equation in a `lax.scan` that JAX differentiates;
PyTorch runs eagerly, ragged sequences both packed and as they are, padded. `--core`
measures processor time with one PyTorch thread; run it bound to one core (`taskset -c 0`).
"""

import argparse
import itertools
import json
import os
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.ops.conv import race
from benchmarks.timing import machine, table
from thalweg import core, layers, random
from thalweg.kernels import library
from thalweg.ops import recurrent as ops

try:
    import torch
except ImportError:
    torch = None

BATCHES, BATCH, STEPS, FEATURES, UNITS, CLASSES = 4, 128, 28, 28, 64, 10
GRU_BATCH, GRU_STEPS, GRU_FEATURES, GRU_UNITS = 64, 100, 64, 128


def plain_lstm(x, weights):
    """h of every step; the equation of the layer, left to automatic differentiation."""

    def step(state, x):
        h, c = state
        i, f, g, o = jnp.split(x + h @ weights["recurrent_kernel"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zero = jnp.zeros((x.shape[0], UNITS))
    z = x.swapaxes(0, 1) @ weights["kernel"] + weights["bias"]
    return jax.lax.scan(step, (zero, zero), z)[1].swapaxes(0, 1)


def without_kernels(f):
    def call(*arguments):
        with library.formulas():
            return f(*arguments)

    return call


def lstm(train):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(BATCHES, BATCH, STEPS, FEATURES)), jnp.float32)
    labels = jnp.asarray(rng.integers(0, CLASSES, (BATCHES, BATCH)))
    network = layers.Sequential([layers.LSTM(UNITS, return_sequences=True), layers.LSTM(UNITS), layers.Dense(CLASSES)])
    params, _ = core.init(network, random.key(0), x[0])

    def ours(params, x):
        return core.apply(network, params, {}, x, train=train)[0]

    def plain(params, x):
        first, second, head = params["layers"].values()
        return plain_lstm(plain_lstm(x, first), second)[:, -1] @ head["kernel"] + head["bias"]

    functions = {"thalweg": ours, "formulas": without_kernels(ours), "plain scan": plain}
    out = {name: jax_loop(f, params, x, labels, train) for name, f in functions.items()}
    return out | ({"torch": torch_loop(torch_lstm(x), UNITS, labels, train)} if torch else {})


def gru(train):
    rng = np.random.default_rng(0)
    shape = (BATCHES, GRU_BATCH, GRU_STEPS, GRU_FEATURES)
    x = jnp.asarray(rng.normal(size=shape), jnp.float32)
    labels = jnp.asarray(rng.integers(0, CLASSES, shape[:2]))
    lengths = rng.integers(GRU_STEPS // 10, GRU_STEPS + 1, shape[:2])
    steps = jnp.asarray(np.arange(GRU_STEPS) < lengths[..., None], jnp.float32)
    columns = 3 * GRU_UNITS

    def weights(*sizes):
        return [jnp.asarray(rng.normal(size=s) * 0.08, jnp.float32) for s in sizes]

    biases = [(columns,)] * 2
    params = {
        "first": weights((GRU_FEATURES, columns), (GRU_UNITS, columns), *biases),
        "second": weights((GRU_UNITS, columns), (GRU_UNITS, columns), *biases),
        "head": weights((GRU_UNITS, CLASSES)),
    }

    def ours(params, data):
        x, steps = data
        zero = (jnp.zeros((GRU_BATCH, GRU_UNITS)),)
        hs, _ = ops.gru(x, *params["first"], zero, steps=steps)
        _, (h,) = ops.gru(hs, *params["second"], zero, steps=steps)
        return h @ params["head"][0]

    functions = {"thalweg": ours, "formulas": without_kernels(ours)}
    out = {name: jax_loop(f, params, (x, steps), labels, train) for name, f in functions.items()}
    if torch:
        forwards = {"torch, packed": torch_packed_gru(x, lengths), "torch, padded": torch_padded_gru(x, lengths)}
        out |= {name: torch_loop(f, GRU_UNITS, labels, train) for name, f in forwards.items()}
    return out


def jax_loop(forward, params, x, labels, train):
    def loss(params, x, labels):
        return -jnp.take_along_axis(jax.nn.log_softmax(forward(params, x)), labels[:, None], axis=1).mean()

    @jax.jit
    def run(n, params):
        def step(i, params):
            data = jax.tree.map(lambda a: a[i % BATCHES], x)
            if train:
                gradient = jax.grad(loss)(params, data, labels[i % BATCHES])
                return jax.tree.map(lambda p, g: p - 0.01 * g, params, gradient)
            y = forward(params, data)
            return jax.tree.map(lambda p: p + 1e-30 * y[0, 0], params)  # so that no turn is left out

        return jax.lax.fori_loop(0, n, step, params)

    return lambda n: jax.block_until_ready(run(n, params))


def torch_lstm(x):
    lstm = torch.nn.LSTM(FEATURES, UNITS, num_layers=2, batch_first=True)
    x = torch.tensor(np.asarray(x))
    return lstm.parameters(), lambda i: lstm(x[i])[0][:, -1]


def torch_packed_gru(x, lengths):
    gru = torch.nn.GRU(GRU_FEATURES, GRU_UNITS, num_layers=2, batch_first=True)
    pack = torch.nn.utils.rnn.pack_padded_sequence
    x, lengths = torch.tensor(np.asarray(x)), torch.tensor(lengths)
    return gru.parameters(), lambda i: gru(pack(x[i], lengths[i], batch_first=True, enforce_sorted=False))[1][-1]


def torch_padded_gru(x, lengths):
    gru = torch.nn.GRU(GRU_FEATURES, GRU_UNITS, num_layers=2, batch_first=True)
    x, last, rows = torch.tensor(np.asarray(x)), torch.tensor(lengths) - 1, torch.arange(GRU_BATCH)
    return gru.parameters(), lambda i: gru(x[i])[0][rows, last[i]]


def torch_loop(network, units, labels, train):
    parameters, forward = network
    head = torch.nn.Linear(units, CLASSES)
    labels = torch.tensor(np.asarray(labels)).long()
    optimizer = torch.optim.SGD([*parameters, *head.parameters()], lr=0.01)

    def run(n):
        for i in range(n):
            with torch.set_grad_enabled(train):
                logits = head(forward(i % BATCHES))
            if train:
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(logits, labels[i % BATCHES]).backward()
                optimizer.step()

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.1, help="of one turn")
    parser.add_argument("--core", action="store_true", help="processor time, one PyTorch thread")
    parser.add_argument("--only", choices=["lstm", "gru"], action="append")
    options = parser.parse_args()
    if torch:
        torch.set_num_threads(1 if options.core else os.cpu_count())
    clock = time.process_time if options.core else time.perf_counter
    results = {}
    for network, (name, train) in itertools.product((lstm, gru), (("training step", True), ("prediction", False))):
        if options.only and network.__name__ not in options.only:
            continue
        title = f"{network.__name__}, {name}"
        results[title] = table(race(network(train), options.rounds, clock, options.seconds))
        print(title, flush=True)
        for row in results[title]:
            print(f"  {row['name']:13} {row['median_ms']:8.3f} ms (least {row['min_ms']:8.3f})   x{row['ratio']:.2f}")
    if options.json:
        about = {
            "machine": machine(),
            "jax": jax.__version__,
            "torch": torch and torch.__version__,
            "core": options.core,
        }
        options.json.write_text(json.dumps(about | {"results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
