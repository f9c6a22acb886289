"""CRF: the end of a network that tags steps which depend on their neighbours. The mathematics is in `ops/crf.py`."""

from typing import ClassVar

from thalweg.core import Context, Module
from thalweg.layers.common import Constraint, Initializer, Regularizer, weight
from thalweg.ops import crf as ops
from thalweg.ops.precision import widen
from thalweg.types import Array, Float


class CRF(Module):
    """psi_t(i, j) = transitions(i, j) + x_t(j): how well tag j at step t follows tag i; see `ops.crf`.

    At a row's first step `start(j)` stands in the place of `transitions(i, j)`; at its last `end(j)` is added. Which
    these are is told by the mask of x.

    x: [batch, time, tags], how well each tag fits each step, from a `Dense(tags)` without activation; the output:
    [batch, time, tags, tags], what `losses.CRFNegativeLogLikelihood` trains and `ops.viterbi` decodes:

        model = Sequential([Embedding(words, 64, mask_zero=True), Bidirectional(LSTM(64, return_sequences=True)),
                            Dense(tags), CRF()])
        model.compile("adam", "crf", metrics=["accuracy"])
        tags = ops.viterbi(model.predict(x))                   # [batch, time], -1 at padding

    Args:
        transitions_initializer: of `transitions`, [tags, tags].
        start_initializer: of `start`, [tags].
        end_initializer: of `end`, [tags].
        transitions_regularizer: of `transitions`.
        transitions_constraint: of `transitions`.

    Lafferty, McCallum and Pereira 2001; over a recurrent network Huang et al. 2015, arXiv:1508.01991.
    """

    transitions_initializer: Initializer = "glorot_uniform"
    start_initializer: Initializer = "zeros"
    end_initializer: Initializer = "zeros"
    transitions_regularizer: Regularizer = None
    transitions_constraint: Constraint = None

    axes: ClassVar[str] = "batch time tags"
    casts: ClassVar[bool] = True

    def __call__(self, cx: Context, x: Float[Array, "batch time tags"]) -> Float[Array, "batch time tags tags"]:
        """The potentials."""
        tags = x.shape[-1]
        transitions = widen(weight(cx, "transitions", (tags, tags)))
        start, end = (widen(weight(cx, name, (tags,))) for name in ("start", "end"))
        return ops.potentials(widen(x), transitions, start, end, cx.mask_of(x))
