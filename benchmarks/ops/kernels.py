"""Kernels beside what the machine gives in the same run: products beside oneDNN and MKL, the others beside a copy.

    python -m benchmarks.ops.kernels [--json benchmarks/results/kernels.json] [--rounds 20] [--only gelu]

`copy` moves as many bytes as the kernel must (each array read or written once), so its ratio to the kernel is the
part of the machine's bandwidth that the kernel reaches. oneDNN and MKL multiply inside PyTorch.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import torch

from benchmarks.ops.attention import compiled, gradient_of, main
from thalweg.kernels import dropout, gelu, matmul, normalization, pool
from thalweg.kernels.windows import Windows

RNG = np.random.default_rng(0)
SIDE, SHAPE, PICTURES = 2048, (4096, 512), (128, 26, 26, 32)


def copy(moved):
    """A copy that reads and writes `moved` bytes together, by both threads."""
    source, target = torch.ones(moved // 8), torch.ones(moved // 8)

    def run(n):
        for _ in range(n):
            target.copy_(source)

    return run


def beside_copy(kernel, arguments, moved, backward):
    function = compiled(gradient_of(kernel) if backward else kernel, *arguments)
    return {"native": function, "copy": copy(moved)}


def product(dtype):
    a, b = (RNG.normal(size=(SIDE, SIDE)).astype(np.float32) for _ in range(2))
    ours, (ja, jb) = jax.jit(lambda a, b: matmul.product(a, b, False, False)), (jnp.asarray(m, dtype) for m in (a, b))
    out = {"native": times(lambda: ours(ja, jb).block_until_ready())}
    ta, tb = (torch.tensor(m, dtype=getattr(torch, dtype)) for m in (a, b))
    if dtype == "float32":
        da, db = ta.to_mkldnn(), tb.T.contiguous().to_mkldnn()
        out |= {"oneDNN": times(lambda: torch.nn.functional.linear(da, db)), "MKL": times(lambda: ta @ tb)}
    else:
        out["oneDNN"] = times(lambda: ta @ tb)
    return out


def times(f):
    def run(n):
        with torch.inference_mode():
            for _ in range(n):
                f()

    return run


def numbers(shape):
    return jnp.asarray(RNG.normal(size=shape), jnp.float32)


def cases():
    """Name -> (a function that makes the contenders, bytes moved or None, operations or None)."""
    array, columns, words = 4 * SHAPE[0] * SHAPE[1], SHAPE[1], jnp.asarray([1, 2], jnp.uint32)
    pictures = 4 * PICTURES[0] * PICTURES[1] * PICTURES[2] * PICTURES[3]
    window = Windows((2, 2), (2, 2), (1, 1), ((0, 0), (0, 0)))
    out = {f"product {SIDE}, {t}": (functools.partial(product, t), None, 2 * SIDE**3) for t in ("float32", "bfloat16")}
    for name, kernel, arguments, moved, with_gradient in (
        ("dropout", lambda x: dropout.dropout(x, jnp.float32(0.5), words), [numbers(SHAPE)], 2 * array, 4 * array),
        ("gelu", lambda x: gelu.native(x, False), [numbers(SHAPE)], 2 * array, 5 * array),
        ("gelu by tanh", lambda x: gelu.native(x, True), [numbers(SHAPE)], 2 * array, 5 * array),
        (
            "layer norm",
            lambda x, g, b: normalization.normalized(x, g, b, True, 1e-5)[0],
            [numbers(SHAPE), jnp.ones(columns), jnp.zeros(columns)],
            2 * array,
            5 * array,
        ),
        # x, y and a byte of each winner; then dy, the winners and dx
        ("max pool", lambda x: pool.largest(x, window), [numbers(PICTURES)], pictures * 5 // 4, pictures * 21 // 8),
    ):
        out[name] = (functools.partial(beside_copy, kernel, arguments, moved, False), moved, None)
        both = functools.partial(beside_copy, kernel, arguments, with_gradient, True)
        out[f"{name} and gradient"] = (both, with_gradient, None)
    return out


if __name__ == "__main__":
    jax.config.update("jax_platforms", "cpu")
    main(cases(), __doc__)
