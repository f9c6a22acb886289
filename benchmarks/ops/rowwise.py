"""Normalisation, GELU and cross-entropy, forward and with their gradient, beside their formulas by XLA and PyTorch.

    python -m benchmarks.ops.rowwise [--json benchmarks/results/rowwise.json] [--rounds 20] [--only gelu]

`native` and `formula` run as in training, inside a compiled loop of a length that is not known when it is compiled;
PyTorch runs eagerly. GB/s counts each array read or written once; `copy` is the machine's own on arrays of that size.
"""

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.ops.attention import compiled, gradient_of, main, torch, torch_gradient
from thalweg.kernels import cross_entropy, gelu, normalization

RNG = np.random.default_rng(0)


def contenders(native, formula, peer, arguments, backward):
    """Functions of the same arguments; with `backward` their gradients for dy = y."""
    dress = gradient_of if backward else lambda f: f
    out = {name: compiled(dress(f), *arguments) for name, f in (("native", native), ("formula", formula))}
    if torch and peer:
        tensors = [torch.tensor(np.asarray(a)) for a in arguments]
        out["torch"] = torch_gradient(peer, tensors) if backward else repeated(peer, tensors)
    return out


def repeated(f, tensors):
    def run(n):
        with torch.no_grad():
            for _ in range(n):
                f(*tensors)

    return run


def copy(shape):
    source, target = (np.ones(shape, np.float32) for _ in range(2))
    if torch:
        source, target = torch.tensor(source), torch.tensor(target)

    def run(n):
        for _ in range(n):
            target.copy_(source) if torch else np.copyto(target, source)

    return {"copy": run, "scaled by XLA": compiled(lambda x: x * 1.5, jnp.ones(shape))}


def layer_norm(shape, backward):
    x = jnp.asarray(RNG.normal(size=shape), jnp.float32)
    return contenders(
        lambda x, g, b: normalization.normalized(x, g, b, True, 1e-5)[0],
        lambda x, g, b: normalization.reference(x, g, b, True, 1e-5),
        lambda x, g, b: torch.nn.functional.layer_norm(x, shape[1:], g, b),
        (x, jnp.ones(shape[1]), jnp.zeros(shape[1])),
        backward,
    )


def batch_norm(shape, backward):
    x = jnp.asarray(RNG.normal(size=shape), jnp.float32)
    none = jnp.zeros(0)
    return contenders(
        lambda x, g, b: normalization.by_batch(x, none, g, b, 1e-5, 1.0)[0],
        lambda x, g, b: normalization.columns_reference(x, none, g, b, 1e-5, 1.0)[0],
        lambda x, g, b: torch.nn.functional.batch_norm(x, None, None, g, b, True),
        (x, jnp.ones(shape[1]), jnp.zeros(shape[1])),
        backward,
    )


def gelu_of(approximate):
    def make(shape, backward):
        x = jnp.asarray(RNG.normal(size=shape), jnp.float32)
        return contenders(
            lambda x: gelu.native(x, approximate),
            lambda x: gelu.reference(x, approximate),
            lambda x: torch.nn.functional.gelu(x, approximate="tanh" if approximate else "none"),
            (x,),
            backward,
        )

    return make


def cross_entropies(shape, backward):
    z, y = jnp.asarray(RNG.normal(size=shape), jnp.float32), jnp.asarray(RNG.integers(0, shape[1], shape[0]))
    classes = torch.tensor(np.asarray(y)).long() if torch else None

    def of(parts):
        return lambda z: parts(z, y)[0]

    def peer(z):
        return torch.nn.functional.cross_entropy(z, classes, reduction="none")

    return contenders(of(cross_entropy.sparse), of(cross_entropy.sparse_reference), peer, (z,), backward)


def cases():
    """Name -> (a function that makes the contenders, bytes moved, None)."""
    out = {}
    for shape in ((4096, 128), (4096, 512)):
        array = 4 * shape[0] * shape[1]
        out[f"copy {shape}"] = (lambda s=shape: copy(s), 2 * array, None)
        for name, make in (
            ("layer norm", layer_norm),
            ("batch norm", batch_norm),
            ("gelu", gelu_of(False)),
            ("gelu by tanh", gelu_of(True)),
        ):
            out[f"{name} {shape}"] = (lambda m=make, s=shape: m(s, False), 2 * array, None)
            out[f"{name} {shape} and gradient"] = (lambda m=make, s=shape: m(s, True), 5 * array, None)
    for shape in ((4096, 65), (700, 10000)):
        array = 4 * shape[0] * shape[1]
        out[f"cross-entropy {shape} and gradient"] = (lambda s=shape: cross_entropies(s, True), 3 * array, None)
    return out


if __name__ == "__main__":
    jax.config.update("jax_platforms", "cpu")
    main(cases(), __doc__)
