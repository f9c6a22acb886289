"""Attention, forward and with its gradient, beside its formula by XLA and PyTorch, in one process, in turns.

    python -m benchmarks.ops.attention [--json benchmarks/results/attention.json] [--rounds 20] [--only causal]

`native` and `formula` run as in training, inside a compiled loop of a length that is not known when it is compiled;
PyTorch runs eagerly, on the layout that it is fastest with. `one query` is a step of generation over a cache.
"""

import argparse
import datetime as dt
import json
import os
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.ops.conv import race
from benchmarks.timing import machine, table
from thalweg.kernels import attention

try:
    import torch
except ImportError:
    torch = None


def compiled(f, *arguments):
    """Runs f n times in one program; a turn waits for the one before, and none is left out."""

    @jax.jit
    def run(n, arguments):
        def turn(_, carried):
            return jax.lax.optimization_barrier((carried[0], f(*carried[0])))

        nothing = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), jax.eval_shape(f, *arguments))
        return jax.lax.fori_loop(0, n, turn, (arguments, nothing))[1]

    return lambda n: jax.block_until_ready(run(n, arguments))


def gradient_of(f):
    """The gradient of f for dy = y, whose memory is free after it, as in training."""

    def both(*arguments):
        y, back = jax.vjp(f, *arguments)
        return back(y)

    return both


def torch_gradient(f, tensors):
    tensors = [t.requires_grad_() for t in tensors]

    def run(n):
        for _ in range(n):
            y = f(*tensors)
            torch.autograd.grad(y, tensors, y.detach())

    return run


def contenders(batch, queries, keys, heads, groups, size, causal, backward):
    rng = np.random.default_rng(0)
    shapes = ((batch, queries, heads, size), (batch, keys, groups, size), (batch, keys, groups, size))
    arguments = tuple(jnp.asarray(rng.normal(size=s), jnp.float32) for s in shapes)
    none = jnp.zeros((1, 1, 1, 0), bool), jnp.zeros(0, jnp.int32)
    dress = gradient_of if backward else lambda f: f
    functions = {
        "native": lambda *a: attention.native(*a, *none, causal, size**-0.5, 0)[0],
        "formula": lambda *a: attention.reference(*a, *none, causal, size**-0.5, 0),
    }
    out = {name: compiled(dress(f), *arguments) for name, f in functions.items()}
    if torch:
        tensors = [torch.tensor(np.asarray(a).swapaxes(1, 2).copy()) for a in arguments]

        def peer(q, k, v):
            shared = heads != groups
            return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=shared)

        def forward(n):
            with torch.no_grad():
                for _ in range(n):
                    peer(*tensors)

        out["torch"] = torch_gradient(peer, tensors) if backward else forward
    return out


def cases():
    """Name -> (a function that makes the contenders, bytes moved or None, operations)."""
    out = {}
    for name, sizes in {
        "causal": (32, 128, 128, 4, 4, 32, True),
        "causal, longer": (4, 512, 512, 4, 4, 64, True),
        "whole": (4, 512, 512, 4, 4, 64, False),
        "causal, shared keys": (4, 512, 512, 8, 2, 64, True),
    }.items():
        b, t, s, h, _, d, causal = sizes
        once = 2 * b * h * t * s * d / (2 if causal else 1)
        out[f"{name} {list(sizes[:6])}"] = (lambda s=sizes: contenders(*s, False), None, 2 * once)
        out[f"{name} {list(sizes[:6])} and gradient"] = (lambda s=sizes: contenders(*s, True), None, 7 * once)
    cache = (8, 1, 1024, 8, 2, 64, False)
    out[f"one query {list(cache[:6])}"] = (lambda: contenders(*cache, False), 4 * 2 * 8 * 1024 * 2 * 64, None)
    return out


def main(cases, about):
    """Races the contenders of each case and prints, and with --json keeps, what came out."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.05, help="of one turn")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    options = parser.parse_args()
    if torch:
        torch.set_num_threads(os.cpu_count())
    results = {}
    for name, (make, moved, operations) in cases.items():
        if options.only not in name:
            continue
        made = make()
        rows = table(race(made, options.rounds, time.perf_counter, options.seconds), ours=next(iter(made)))
        for row in rows:
            if moved:
                row["gb_s"] = moved / row["median_ms"] / 1e6
            if operations:
                row["gflop_s"] = operations / row["median_ms"] / 1e6
        results[name] = rows
        print(name, flush=True)
        for row in rows:
            rate = f"{row['gb_s']:7.1f} GB/s" if moved else f"{row['gflop_s']:7.0f} GFLOP/s"
            print(
                f"  {row['name']:14} {row['median_ms']:8.3f} ms (least {row['min_ms']:8.3f}) {rate} x{row['ratio']:.2f}"
            )
    if options.json:
        when = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d")
        versions = {"date": when, "machine": machine(), "jax": jax.__version__, "torch": torch and torch.__version__}
        options.json.write_text(json.dumps(versions | {"results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main(cases(), __doc__)
