"""CTC: the loss of label sequences that are not aligned with the outputs. The mathematics is in `ops/ctc.py`."""

from typing import ClassVar

from thalweg.errors import ContractError
from thalweg.losses.base import Loss
from thalweg.ops.ctc import ctc
from thalweg.ranges import Range
from thalweg.types import Array, Float


class CTC(Loss):
    """-log P(labels) of each row, over all ways to place its labels in the steps. Graves et al. 2006.

    The target is [batch, n], classes in their order; a row with fewer labels is filled up at the end with -1 or with
    the blank. The output is [batch, time, classes], the blank among the classes. A row counts once, however many labels
    and steps it has, as in Keras. (PyTorch's `reduction="mean"` divides by the labels first.)

    Labels that need more steps than their row has (one each, and one between equal neighbours) are refused before the
    first step where the lengths are known; where only a mask shows them, they have the loss 1e5 and no gradient.

    Args:
        blank: the class that stands for no label.

    >>> loss = CTC()([[1, 2, -1]], [[[0.0, 0.0, 0.0]] * 3])  # 5 of the 27 alignments
    >>> round(float(loss[0]), 3)
    1.686
    """

    link: ClassVar[str | None] = "softmax"
    target: ClassVar[str] = "labels"
    whole: ClassVar[bool] = True
    limits: ClassVar = {"blank": Range(0, whole=True, open_high=True)}

    blank: int = 0

    def rows(self, target: Array, output: Array, weight: Array | None, mask: Array | None, /) -> Float[Array, " batch"]:
        """-log P(labels)."""
        del weight
        if target.ndim != 2 or output.ndim != 3 or target.shape[0] != output.shape[0]:
            raise ContractError(
                f"CTC compares labels [batch, n] with outputs [batch, time, classes]; they have shapes {target.shape} "
                f"and {output.shape}.\n"
                "  Give one row of labels for each sequence, and end the network in a class for each step."
            )
        return ctc(output, target.astype("int32"), mask, self.blank)
