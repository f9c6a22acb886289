"""Two layers LSTM(64) on [128, 28, 28] and a classifier, to train and to predict, beside a plain scan and PyTorch.

    python -m benchmarks.ops.recurrent --json benchmarks/results/recurrent.json [--rounds 20] [--core]

`thalweg` runs the layers as `fit` does, inside a compiled loop of a length that is not known when it is compiled;
`plain scan` is the same network with the equation in a `lax.scan` that JAX differentiates; PyTorch runs eagerly.
`--core` measures processor time with one PyTorch thread; run it bound to one core (`taskset -c 0`).
"""

import argparse
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

try:
    import torch
except ImportError:
    torch = None

BATCHES, BATCH, STEPS, FEATURES, UNITS, CLASSES = 4, 128, 28, 28, 64, 10


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


def contenders(train):
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

    out = {name: jax_loop(f, params, x, labels, train) for name, f in (("thalweg", ours), ("plain scan", plain))}
    return out | ({"torch": torch_loop(x, labels, train)} if torch else {})


def jax_loop(forward, params, x, labels, train):
    def loss(params, x, labels):
        return -jnp.take_along_axis(jax.nn.log_softmax(forward(params, x)), labels[:, None], axis=1).mean()

    @jax.jit
    def run(n, params):
        def step(i, params):
            if train:
                gradient = jax.grad(loss)(params, x[i % BATCHES], labels[i % BATCHES])
                return jax.tree.map(lambda p, g: p - 0.01 * g, params, gradient)
            y = forward(params, x[i % BATCHES])
            return jax.tree.map(lambda p: p + 1e-30 * y[0, 0], params)  # so that no turn is left out

        return jax.lax.fori_loop(0, n, step, params)

    return lambda n: jax.block_until_ready(run(n, params))


def torch_loop(x, labels, train):
    lstm = torch.nn.LSTM(FEATURES, UNITS, num_layers=2, batch_first=True)
    head = torch.nn.Linear(UNITS, CLASSES)
    x, labels = torch.tensor(np.asarray(x)), torch.tensor(np.asarray(labels)).long()
    optimizer = torch.optim.SGD([*lstm.parameters(), *head.parameters()], lr=0.01)

    def run(n):
        for i in range(n):
            with torch.set_grad_enabled(train):
                logits = head(lstm(x[i % BATCHES])[0][:, -1])
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
    options = parser.parse_args()
    if torch:
        torch.set_num_threads(1 if options.core else os.cpu_count())
    clock = time.process_time if options.core else time.perf_counter
    results = {}
    for name, train in (("training step", True), ("prediction", False)):
        results[name] = table(race(contenders(train), options.rounds, clock, options.seconds))
        print(name, flush=True)
        for row in results[name]:
            print(f"  {row['name']:12} {row['median_ms']:8.3f} ms (least {row['min_ms']:8.3f})   x{row['ratio']:.2f}")
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
