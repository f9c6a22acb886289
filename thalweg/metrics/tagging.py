"""ViterbiAccuracy: how often the tag of the most probable path is the right one."""

from dataclasses import field

import numpy as np

from thalweg.metrics.base import MEAN, Metric
from thalweg.ops.crf import viterbi
from thalweg.types import Array, ShapeDtype, Tree


class ViterbiAccuracy(Metric):
    """The share of the real steps of the epoch where the Viterbi path of a CRF has the tag of the target.

    A step is real where the potentials are not padding and its tag is not -1; "accuracy" is this metric under the CRF's
    loss. What is wanted of a tagger in the end, the F1 of whole entities, is `entity_f1`.
    """

    name: str = field(default="viterbi_accuracy", kw_only=True)

    def init(self, rows: int, output: ShapeDtype) -> Tree:
        """See `Metric.init`."""
        return MEAN.init(rows, output)

    def update(self, acc: Tree, target: Array, prediction: Array, weight: Array) -> Tree:
        """See `Metric.update`; `weight` may also be one of steps, [batch, time]."""
        path = viterbi(prediction)
        tags = target.reshape(path.shape)
        real = ((path >= 0) & (tags >= 0)).astype(weight.dtype)
        return MEAN.add(
            acc, (path == tags).astype(weight.dtype), real * (weight if weight.ndim == 2 else weight[:, None])
        )

    def result(self, acc: Tree) -> float | np.ndarray:
        """See `Metric.result`."""
        return MEAN.result(acc)
