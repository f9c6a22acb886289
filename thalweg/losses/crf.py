"""The CRF's loss: how improbable the right path of tags is. The mathematics is in `ops/crf.py`."""

from typing import ClassVar

import jax
import jax.numpy as jnp

from thalweg.errors import ContractError
from thalweg.losses.base import Loss
from thalweg.ops import crf
from thalweg.types import Array, Bool, Float


class CRFNegativeLogLikelihood(Loss):
    """(log Z - score(y)) / steps of each row: -log P of the path of tags, for each real step.

    The output is that of `layers.CRF`, [batch, time, tags, tags]; the target is [batch, time], a tag for each step. A
    step counts where the network's mask is True and its tag is not -1; so rows of fewer steps are filled up with -1, or
    with anything where a mask tells. A row's loss is divided by its steps, so that the objective is one of tokens.

    >>> CRFNegativeLogLikelihood()([[1, 0, -1]], jnp.zeros((1, 3, 2, 2))).round(4).tolist()
    [0.6930999755859375]

    Lafferty, McCallum and Pereira 2001.
    """

    target: ClassVar[str] = "tags"

    def rows(self, target: Array, output: Array, weight: Array | None, mask: Array | None, /) -> Float[Array, " batch"]:
        """(log Z - score(y)) / steps."""
        del weight
        kept = self.kept(target, output, mask)
        psi = crf.without(output, kept)
        psi = psi - jax.lax.stop_gradient(jnp.max(psi, (2, 3), keepdims=True))  # no loss changes, no digits cancel
        loss = crf.log_partition(psi) - crf.score(psi, target.reshape(kept.shape).astype(jnp.int32))
        return loss / jnp.maximum(jnp.sum(kept, axis=1), 1).astype(loss.dtype)

    def kept(self, target: Array, output: Array, mask: Array | None, /) -> Bool[Array, "batch ..."]:
        """The real steps that have a tag."""
        steps = output.shape[:2]
        if output.ndim != 4 or output.shape[2] != output.shape[3] or target.shape not in (steps, (*steps, 1)):
            raise ContractError(
                f"CRFNegativeLogLikelihood compares tags [batch, time] with potentials [batch, time, tags, tags]; they "
                f"have shapes {target.shape} and {output.shape}.\n"
                "  End the network in CRF(), and give one tag for each step."
            )
        kept = crf.real_steps(output) & (target.reshape(steps) >= 0)
        return kept if mask is None else kept & mask
