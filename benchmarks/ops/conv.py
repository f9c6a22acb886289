"""Convolution and pooling on a CPU, forward and backward, beside `jax.lax` and PyTorch, in one process, in turns.

    python -m benchmarks.ops.conv --json benchmarks/results/conv.json [--rounds 20] [--core] [--only step]

`thalweg` and `lax` run as users run them: inside a compiled loop of a length that is not known when it is compiled.
PyTorch runs eagerly with channels last, its own fast layout, and (`torch`) channels first. `--core` binds the process
to one core and measures processor time, which other processes on a busy machine disturb less.
"""

import argparse
import json
import math
import os
import statistics
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import machine, table
from thalweg import ops
from thalweg.kernels import formulas

try:
    import torch
except ImportError:
    torch = None

LAYOUT = ("NHWC", "HWIO", "NHWC")


def lax_conv(x, kernel, strides=1, padding="valid", groups=1):
    return jax.lax.conv_general_dilated(
        x, kernel, (strides, strides), padding.upper(), dimension_numbers=LAYOUT, feature_group_count=groups
    )


def lax_pool(x, size, strides=None, padding="valid"):
    s = strides or size
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, size, size, 1), (1, s, s, 1), padding.upper())


# the training step of the classic network: 28 x 28, convolutions of 32, 64 and 128 kernels of 3 x 3


def network(conv, max_pool):
    rng = np.random.default_rng(0)
    kernels = [(3, 3, 1, 32), (3, 3, 32, 64), (3, 3, 64, 128), (1152, 128), (128, 10)]
    shapes = [shape for kernel in kernels for shape in (kernel, kernel[-1:])]
    params = [jnp.asarray(rng.normal(scale=1 / math.sqrt(np.prod(s[:-1])), size=s), jnp.float32) for s in shapes]
    batches = jnp.asarray(rng.normal(size=(4, 128, 28, 28, 1)), jnp.float32)
    labels = jnp.asarray(rng.integers(0, 10, (4, 128)))

    def loss(params, x, labels):
        k1, b1, k2, b2, k3, b3, w4, b4, w5, b5 = params
        h = max_pool(jax.nn.relu(conv(x, k1) + b1), 2)
        h = max_pool(jax.nn.relu(conv(h, k2) + b2), 2)
        h = jax.nn.relu(conv(h, k3) + b3).reshape(len(x), -1)
        z = jax.nn.relu(h @ w4 + b4) @ w5 + b5
        return -jnp.take_along_axis(jax.nn.log_softmax(z), labels[:, None], axis=1).mean()

    @jax.jit
    def run(n, params):
        def step(i, params):
            gradient = jax.grad(loss)(params, batches[i % 4], labels[i % 4])
            return jax.tree.map(lambda p, g: p - 0.01 * g, params, gradient)

        return jax.lax.fori_loop(0, n, step, params)

    return lambda n: jax.block_until_ready(run(n, params))


def torch_network(layout):
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1152, 128), nn.ReLU(), nn.Linear(128, 10),
    ).to(memory_format=layout)  # fmt: skip
    batches = [torch.randn(128, 1, 28, 28).to(memory_format=layout) for _ in range(4)]
    labels = torch.randint(0, 10, (4, 128))
    optimizer, loss = torch.optim.SGD(model.parameters(), lr=0.01), nn.CrossEntropyLoss()

    def run(n):
        for i in range(n):
            optimizer.zero_grad()
            loss(model(batches[i % 4]), labels[i % 4]).backward()
            optimizer.step()

    return run


# one operation, forward and backward with respect to all its inputs


def looped(function, *inputs):
    cotangent = jnp.ones(jax.eval_shape(function, *inputs).shape)

    @jax.jit
    def run(n, inputs, cotangent):
        def step(_, carried):
            inputs, _ = carried
            y, pull = jax.vjp(function, *inputs)
            gradients = pull(cotangent)
            # the next turn reads this one's results, so that nothing moves out of the loop
            pairs = zip(inputs, gradients, strict=True)
            touched = [a.at[(0,) * a.ndim].add(1e-30 * g[(0,) * g.ndim]) for a, g in pairs]
            return touched, (y, gradients)

        start = jax.tree.map(jnp.zeros_like, (cotangent, tuple(inputs)))
        return jax.lax.fori_loop(0, n, step, (list(inputs), start))

    return lambda n: jax.block_until_ready(run(n, list(inputs), cotangent))


def by_formula(function):
    """`function` by the formulas in JAX that native kernels replace."""

    def run(*inputs):
        with formulas():
            return function(*inputs)

    return run


def torch_op(function, layout, *shapes):
    inputs = [torch.randn(s).to(memory_format=layout).requires_grad_() for s in shapes]
    cotangent = torch.ones_like(function(*inputs))

    def run(n):
        for _ in range(n):
            torch.autograd.grad(function(*inputs), inputs, cotangent)

    return run


def conv_case(x, kernel, strides=1, padding="valid", groups=1):
    """x: [batch, height, width, channels]; kernel: [height, width, channels / groups, outputs]."""
    rng = np.random.default_rng(0)
    arrays = [jnp.asarray(rng.normal(size=s), jnp.float32) for s in (x, kernel)]
    settings = {"strides": strides, "padding": padding, "groups": groups}
    out = {
        "thalweg": looped(lambda x, k: ops.conv(x, k, **settings), *arrays),
        "formula": looped(by_formula(lambda x, k: ops.conv(x, k, **settings)), *arrays),
        "lax": looped(lambda x, k: lax_conv(x, k, **settings), *arrays),
    }
    if torch:
        around = {"stride": strides, "padding": kernel[0] // 2 if padding == "same" else 0, "groups": groups}
        shapes = (x[0], x[3], x[1], x[2]), (kernel[3], kernel[2], kernel[0], kernel[1])
        out |= in_both_layouts(lambda x, k: torch.nn.functional.conv2d(x, k, **around), *shapes)
    return out


def transpose_case(x, kernel, strides):
    rng = np.random.default_rng(0)
    arrays = [jnp.asarray(rng.normal(size=s), jnp.float32) for s in (x, kernel)]
    out = {"thalweg": looped(lambda x, k: ops.conv_transpose(x, k, strides), *arrays)}
    out["lax"] = looped(
        lambda x, k: jax.lax.conv_transpose(x, k, (strides, strides), "VALID", transpose_kernel=True), *arrays
    )
    if torch:
        shapes = (x[0], x[3], x[1], x[2]), (kernel[3], kernel[2], kernel[0], kernel[1])
        out |= in_both_layouts(lambda x, k: torch.nn.functional.conv_transpose2d(x, k, stride=strides), *shapes)
    return out


def pool_case(x, ours, theirs, reference=None):
    array = jnp.asarray(np.random.default_rng(0).normal(size=x), jnp.float32)
    out = {"thalweg": looped(ours, array), "formula": looped(by_formula(ours), array)}
    if reference:
        out["lax"] = looped(reference, array)
    return out | (in_both_layouts(theirs, (x[0], x[3], x[1], x[2])) if torch else {})


def in_both_layouts(function, *shapes):
    return {
        "torch, channels last": torch_op(function, torch.channels_last, *shapes),
        "torch": torch_op(function, torch.contiguous_format, *shapes),
    }


def steps():
    out = {"thalweg": network(ops.conv, ops.max_pool), "lax": network(lax_conv, lax_pool)}
    if torch:
        out["torch, channels last"] = torch_network(torch.channels_last)
        out["torch"] = torch_network(torch.contiguous_format)
    return out


CASES = {
    "step: training step, 3 convolutions, batch 128": steps,
    "conv 3x3 1-32, 128 of 28x28": lambda: conv_case((128, 28, 28, 1), (3, 3, 1, 32)),
    "conv 3x3 32-64, 128 of 13x13": lambda: conv_case((128, 13, 13, 32), (3, 3, 32, 64)),
    "conv 3x3 64-128, 128 of 5x5": lambda: conv_case((128, 5, 5, 64), (3, 3, 64, 128)),
    "conv 3x3 64-64 same, 32 of 32x32": lambda: conv_case((32, 32, 32, 64), (3, 3, 64, 64), padding="same"),
    "conv 3x3 64-128 same /2, 32 of 32x32": lambda: conv_case((32, 32, 32, 64), (3, 3, 64, 128), 2, "same"),
    "conv 3x3 64-64 same, 64 of 32x32": lambda: conv_case((64, 32, 32, 64), (3, 3, 64, 64), padding="same"),
    "conv 3x3 128-128 same, 64 of 16x16": lambda: conv_case((64, 16, 16, 128), (3, 3, 128, 128), padding="same"),
    "conv 3x3 64-128 same /2, 64 of 32x32": lambda: conv_case((64, 32, 32, 64), (3, 3, 64, 128), 2, "same"),
    "conv 3x3 256-256 same, 64 of 8x8": lambda: conv_case((64, 8, 8, 256), (3, 3, 256, 256), padding="same"),
    "conv 3x3 512-512 same, 64 of 4x4": lambda: conv_case((64, 4, 4, 512), (3, 3, 512, 512), padding="same"),
    "conv 1x1 64-256, 32 of 16x16": lambda: conv_case((32, 16, 16, 64), (1, 1, 64, 256)),
    "conv 5x5 6-16, 128 of 14x14": lambda: conv_case((128, 14, 14, 6), (5, 5, 6, 16)),
    "conv 7x7 3-64 same /2, 2 of 224x224": lambda: conv_case((2, 224, 224, 3), (7, 7, 3, 64), 2, "same"),
    "conv 3x3 64-64 same, 2 of 112x112": lambda: conv_case((2, 112, 112, 64), (3, 3, 64, 64), padding="same"),
    "conv 3x3 64-64 same, 4 groups, 32 of 16x16": lambda: conv_case((32, 16, 16, 64), (3, 3, 16, 64), 1, "same", 4),
    "depthwise 3x3 64 same, 32 of 32x32": lambda: conv_case((32, 32, 32, 64), (3, 3, 1, 64), 1, "same", 64),
    "transpose 3x3 64-32 /2, 32 of 16x16": lambda: transpose_case((32, 16, 16, 64), (3, 3, 32, 64), 2),
    "max-pool 2x2, 128 of 26x26x32": lambda: pool_case(
        (128, 26, 26, 32), lambda x: ops.max_pool(x, 2), lambda x: torch.max_pool2d(x, 2), lambda x: lax_pool(x, 2)
    ),
    "max-pool 3x3 /2, 32 of 55x55x64": lambda: pool_case(
        (32, 55, 55, 64),
        lambda x: ops.max_pool(x, 3, 2),
        lambda x: torch.max_pool2d(x, 3, 2),
        lambda x: lax_pool(x, 3, 2),
    ),
    "average-pool 2x2, 128 of 26x26x32": lambda: pool_case(
        (128, 26, 26, 32), lambda x: ops.average_pool(x, 2), lambda x: torch.nn.functional.avg_pool2d(x, 2)
    ),
}  # fmt: skip


def race(contenders, rounds, clock, seconds):
    """Milliseconds a turn of each contender, taking turns; one ten times slower than the first runs three rounds."""
    turns = {}
    for name, run in contenders.items():
        run(2)
        started = clock()
        run(1)
        turns[name] = max(1, math.ceil(seconds / max(clock() - started, 1e-6)))
    times, ours = {name: [] for name in contenders}, next(iter(contenders))
    for i in range(rounds):
        for name, run in contenders.items():
            if i >= 3 and statistics.median(times[name]) > 10 * statistics.median(times[ours]):
                continue
            started = clock()
            run(turns[name])
            times[name].append((clock() - started) / turns[name] * 1e3)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.1, help="of one turn")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--core", action="store_true", help="one core, processor time")
    options = parser.parse_args()
    if torch:
        torch.set_num_threads(1 if options.core else os.cpu_count())
    clock = time.process_time if options.core else time.perf_counter
    results = {}
    for name, case in CASES.items():
        if options.only in name:
            results[name] = table(race(case(), options.rounds, clock, options.seconds))
            print(name, flush=True)
            for row in results[name]:
                label, median, least = row["name"], row["median_ms"], row["min_ms"]
                print(f"  {label:22} {median:8.3f} ms (least {least:8.3f})   x{row['ratio']:.2f}")
    if options.json:
        versions = {"jax": jax.__version__, "torch": torch and torch.__version__}
        about = {"machine": machine(), **versions, "core": options.core}
        options.json.write_text(json.dumps(about | {"results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
