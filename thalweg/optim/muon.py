"""Muon: matrices move by an orthogonal matrix near to their momentum; all else by Adam."""

import re
from collections.abc import Sequence
from dataclasses import field
from types import SimpleNamespace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import optax

from thalweg.kernels.precision import unless_infinite
from thalweg.optim.adam import ADAM, zeros
from thalweg.optim.base import Optimizer
from thalweg.optim.compose import decayed, elementwise, name_of
from thalweg.ranges import COUNT, FRACTION, NONNEGATIVE, POSITIVE, RATE
from thalweg.types import Array, Float, Tree


class Muon(Optimizer):
    """Momentum, orthogonalised.

    m = mu m + g;   u = g + mu m with `nesterov`, else m
    w -= lr rms_rate sqrt(max(rows, columns)) orthogonal(u)

    Kernels of dense layers learn so. Vectors, kernels of convolutions, embeddings and what `exclude_layers` names learn
    by Adam, with the rate times `adam_lr_ratio`.

    Args:
        learning_rate: lr, of the same size as Adam's.
        adam_beta_1: Adam's beta_1.
        adam_beta_2: Adam's beta_2.
        adam_weight_decay: the weight decay of what learns by Adam.
        epsilon: Adam's epsilon.
        weight_decay: the weight decay of what learns by Muon.
        exclude_layers: regular expressions; a parameter whose dotted path holds one learns by Adam.
        exclude_embeddings: whether a parameter whose path holds "embedding" learns by Adam.
        muon_a: the iteration's coefficients, as are `muon_b` and `muon_c`.
        adam_lr_ratio: Adam's rate over Muon's.
        momentum: mu.
        ns_steps: iterations of the orthogonalisation.
        nesterov: look ahead.
        rms_rate: the root mean square of a step's numbers over lr; None leaves the orthogonal matrix as it is.

    Jordan et al. 2024, "Muon"; Liu et al. 2025, "Muon is scalable for LLM training", for `rms_rate`.
    """

    limits: ClassVar = {
        **Optimizer.limits,
        "adam_beta_1": RATE,
        "adam_beta_2": RATE,
        "adam_weight_decay": NONNEGATIVE,
        "epsilon": NONNEGATIVE,
        "adam_lr_ratio": NONNEGATIVE,
        "momentum": FRACTION,
        "ns_steps": COUNT,
        "rms_rate": POSITIVE,
    }

    adam_beta_1: float = 0.9
    adam_beta_2: float = 0.999
    adam_weight_decay: float | None = 0.004
    epsilon: float = 1e-7
    weight_decay: float | None = field(default=0.004, kw_only=True)
    exclude_layers: Sequence[str] | None = None
    exclude_embeddings: bool = True
    muon_a: float = 3.4445
    muon_b: float = -4.7750
    muon_c: float = 2.0315
    adam_lr_ratio: float = 1.0
    momentum: float = 0.95
    ns_steps: int = 5
    nesterov: bool = True
    rms_rate: float | None = 0.2

    def rule(self, h: Any) -> Any:
        """See the class."""
        rate, betas = h.learning_rate * h.adam_lr_ratio, {"beta_1": h.adam_beta_1, "beta_2": h.adam_beta_2}
        rest = SimpleNamespace(learning_rate=rate, epsilon=h.epsilon, **betas)
        decay = SimpleNamespace(learning_rate=h.learning_rate, weight_decay=getattr(h, "adam_weight_decay", None))
        return optax.partition(
            {"muon": decayed(self.matrices(h), h), "adam": decayed(ADAM.rule(rest), decay)}, self.labels
        )

    def matrices(self, h: Any) -> Any:
        """Muon's own rule, for matrices."""
        mu = h.momentum if self.momentum else 0.0

        def step(g: Array, m: Array) -> tuple[Array, ...]:
            m = mu * m + g
            u = orthogonal(g + mu * m if self.nesterov else m, self.ns_steps, self.muon_a, self.muon_b, self.muon_c)
            size = 1.0 if self.rms_rate is None else h.rms_rate * max(g.shape) ** 0.5
            return -h.learning_rate * size * u, m

        return elementwise((zeros,), lambda _: step)

    def labels(self, values: Tree) -> Tree:
        """`"muon"` or `"adam"` for each parameter."""
        words = (*(self.exclude_layers or ()), *(("(?i)embedding",) if self.exclude_embeddings else ()))

        def label(path: Any, leaf: Array) -> str:
            excluded = any(re.search(word, name_of(path)) for word in words)
            return "adam" if leaf.ndim != 2 or excluded else "muon"

        return jax.tree.map_with_path(label, values)


def orthogonal(x: Float[Array, "n m"], steps: int, a: float, b: float, c: float) -> Float[Array, "n m"]:
    """The matrix with the singular vectors of `x` and singular values near 1, by a quintic Newton-Schulz iteration.

    X = a X + (b A + c A A) X,   A = X X^T

    NaN, not 0, where the squares of `x` overflow.
    """
    if x.shape[0] > x.shape[1]:
        return orthogonal(x.T, steps, a, b, c).T
    x = x / (unless_infinite(jnp.linalg.norm(x)) + 1e-7)
    for _ in range(steps):
        A = x @ x.T  # [n, n]
        x = a * x + (b * A + c * A @ A) @ x
    return x
