"""Triplet losses: rows of one identity near each other, others a margin further away. Mined within the batch.

    max(D(a, p) - D(a, n) + margin, 0),   D(a, b) = |e_a - e_b|^2

a the anchor, p a positive (same label), n a negative. The output is the embedding e; the network had best end in one of
unit norm. A row without a positive or without a negative has loss 0.
"""

from typing import ClassVar

import jax.numpy as jnp

from thalweg.losses.base import Loss
from thalweg.ops.precision import largest
from thalweg.ops.targets import class_index
from thalweg.ranges import NONNEGATIVE
from thalweg.types import Array, Bool, Float


class TripletSemiHard(Loss):
    """The nearest negative that is further than the positive, else the furthest; the mean over a row's positives.

    Schroff et al. 2015, arXiv:1503.03832.

    Args:
        margin: by how much a negative should be further than a positive, in squared distance.
    """

    target: ClassVar[str] = "identities"
    tunable: ClassVar[tuple[str, ...]] = ("margin",)
    whole: ClassVar[bool] = True
    limits: ClassVar = {"margin": NONNEGATIVE}

    margin: float = 1.0

    def rows(self, target: Array, output: Array, weight: Array | None, mask: Array | None, /) -> Float[Array, " batch"]:
        """The mean over the positives of each anchor."""
        del mask
        D, positive, negative = _pairs(target, output, weight)
        further = negative[:, None, :] & ~(D[:, None, :] <= D[:, :, None])  # [anchor, positive, negative]; a NaN is
        nearest = -largest(jnp.where(further, -D[:, None, :], -jnp.inf), (2,))
        furthest = jnp.max(jnp.where(negative, D, 0), axis=1, keepdims=True)
        D_n = jnp.where(jnp.any(further, axis=2), nearest, furthest)
        values = jnp.where(positive, jnp.maximum(D - D_n + self.margin, 0), 0)
        count = jnp.sum(positive, axis=1)
        return jnp.where(jnp.any(negative, axis=1), jnp.sum(values, axis=1) / jnp.maximum(count, 1).astype(D.dtype), 0)


class TripletHard(Loss):
    """The furthest positive against the nearest negative of each row. Hermans et al. 2017, arXiv:1703.07737.

    Args:
        margin: by how much a negative should be further than a positive, in squared distance.
    """

    target: ClassVar[str] = "identities"
    tunable: ClassVar[tuple[str, ...]] = ("margin",)
    whole: ClassVar[bool] = True
    limits: ClassVar = {"margin": NONNEGATIVE}

    margin: float = 1.0

    def rows(self, target: Array, output: Array, weight: Array | None, mask: Array | None, /) -> Float[Array, " batch"]:
        """max(max_p D - min_n D + margin, 0)."""
        del mask
        D, positive, negative = _pairs(target, output, weight)
        D_p = largest(jnp.where(positive, D, 0), (1,))
        complete = jnp.any(positive, axis=1) & jnp.any(negative, axis=1)
        D_n = -largest(jnp.where(negative, -D, -jnp.inf), (1,))
        return jnp.where(complete, jnp.maximum(D_p - jnp.where(complete, D_n, 0) + self.margin, 0), 0)


def _pairs(
    target: Array, e: Array, weight: Array | None
) -> tuple[Float[Array, "batch batch"], Bool[Array, "batch batch"], Bool[Array, "batch batch"]]:
    """D, and which pairs are positive and negative; a padded row is in none."""
    y = class_index(target, e)
    D = jnp.sum((e[:, None, :] - e[None, :, :]) ** 2, axis=-1)
    same = y[:, None] == y[None, :]
    real = jnp.ones_like(y, bool) if weight is None else weight > 0
    pair = real[:, None] & real[None, :]
    return D, pair & same & ~jnp.eye(len(y), dtype=bool), pair & ~same
