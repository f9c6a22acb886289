"""The bits of a kernel do not depend on how many threads share its work."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib, os, sys
os.sched_setaffinity(0, map(int, sys.argv[1:]))
import jax, jax.numpy as jnp, numpy as np
from thalweg import ops, random
from thalweg.kernels import optimizer

rng = np.random.default_rng(0)
def a(*shape): return jnp.float32(rng.normal(size=shape))

def rectified(x, k, b): return ops.conv(x, k, bias=b, relu=True)
def conv(stride, padding): return lambda x, k: ops.conv(x, k, stride, padding)
lengths = jnp.asarray(rng.integers(1, 129, 8))
labels = jnp.asarray(rng.integers(0, 1000, 700))
steps = jnp.float32(np.arange(28) < rng.integers(5, 29, 128)[:, None])
h = jnp.zeros((128, 64))
numbers = jnp.float32([0.01, 0.1, 0.001, 1e-7])
CASES = {
    "product": (ops.linear, a(400, 600), a(600, 540), a(540)),
    "product of many columns": (ops.linear, a(96, 2200), a(2200, 4200), a(4200)),
    "small product": (ops.linear, a(32, 784), a(784, 128), a(128)),
    "bfloat16": (ops.linear, jnp.bfloat16(a(400, 600)), jnp.bfloat16(a(600, 540))),
    "product with a ReLU": (lambda *x: ops.linear(*x, "relu"), a(400, 600), a(600, 540), a(540)),
    "product with GELU": (lambda *x: ops.linear(*x, "gelu"), a(400, 600), a(600, 540), a(540)),
    "product with a shortcut": (
        lambda *x: ops.linear(*x[:3], shortcut=x[3]), a(400, 600), a(600, 540), a(540), a(400, 540)
    ),
    "two products": (
        lambda *x: ops.feed_forward(*x[:3], "gelu", *x[3:]), a(400, 128), a(128, 512), a(512), a(512, 128), a(128)
    ),
    "softmax": (ops.softmax, a(700, 1000)),
    "convolution with a ReLU": (rectified, a(32, 20, 20, 32), a(3, 3, 32, 64), a(64)),
    "convolution": (conv(1, "valid"), a(32, 20, 20, 32), a(3, 3, 32, 64)),
    "convolution of many channels": (conv(1, "same"), a(16, 16, 16, 64), a(3, 3, 64, 64)),
    "convolution by strides": (conv(2, "same"), a(16, 16, 16, 64), a(3, 3, 64, 64)),
    "depthwise": (lambda x, k: ops.depthwise_conv(x, k), a(32, 20, 20, 64), a(3, 3, 64, 1)),
    "largest": (lambda x: ops.max_pool(x, 2), a(64, 26, 26, 32)),
    "mean": (lambda x: ops.average_pool(x, 3, 2), a(64, 26, 26, 32)),
    "batch norm": (lambda x, g, b: ops.normalize(x, (0,), g, b), a(4096, 128), a(1, 128), a(1, 128)),
    "lstm": (lambda x, w, u: ops.lstm(x, w, u, None, (h, h))[0], a(128, 28, 28), a(28, 256), a(64, 256)),
    "gru": (lambda x, w, u: ops.gru(x, w, u, None, None, (h,), steps=steps)[0], a(128, 28, 28), a(28, 192), a(64, 192)),
    "attention": (lambda q, k, v: ops.attention(q, k, v, causal=True, lengths=lengths), *(a(8, 128, 4, 32),) * 3),
    "attention to itself": (lambda q: ops.attention(q, None, None, causal=True), a(8, 128, 12, 32)),
    "layer norm beside": (lambda x, g, b: ops.layer_norm_beside(x, g, b), a(4096, 128), a(128), a(128)),
    "layer norm": (lambda x, g, b: ops.layer_norm(x, g, b), a(4096, 128), a(128), a(128)),
    "cross-entropy": (lambda z: ops.of_classes(z, labels)[:2], a(700, 1000)),
    "gelu": (ops.gelu, a(4096, 128)),
    "adam": (lambda w, g, v: optimizer.native("adam", numbers, *numbers[1:3], [w], [g], ([g], [v]))[0],
             a(700, 130), a(700, 130), abs(a(700, 130))),
    "square sum": (lambda *g: optimizer.square_sum(g), a(700, 130), a(3)),
    "dropout": (lambda x: ops.dropout(x, 0.3, random.key(1)), a(4096, 128)),
}
for name, (f, *arguments) in CASES.items():
    both = lambda *x, f=f: (lambda y, back: (y, back(y)))(*jax.vjp(f, *x))
    run = jax.jit(f if name in ("adam", "square sum") else both)
    assert "thalweg." in run.lower(*arguments).as_text(), name
    leaves = jax.tree.leaves(run(*arguments))
    print(name, hashlib.sha256(b"".join(np.asarray(v).tobytes() for v in leaves)).hexdigest())
"""


def digests(cores):
    out = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, cores)],
        capture_output=True, text=True, check=False, env={**os.environ, "XLA_FLAGS": ""},
    )  # fmt: skip
    assert out.returncode == 0, out.stderr[-2000:]
    return dict(line.rsplit(" ", 1) for line in out.stdout.splitlines())


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to a core")
def test_one_core_gives_the_bits_of_all(kernels_built):
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("there is one core only")
    alone, together = digests(cores[:1]), digests(cores)
    assert len(alone) == 28
    assert [name for name in alone if alone[name] != together[name]] == []
