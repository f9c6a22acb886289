"""Rules on what metrics count: classes, where targets name some."""

from thalweg.metrics import (
    AUC,
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    ConfusionMatrix,
    Counts,
    TopKCategoricalAccuracy,
)
from thalweg.train.contract.facts import Facts, Rule
from thalweg.train.contract.scan import failing

OF_CLASSES = (AUC, Accuracy, BinaryAccuracy, CategoricalAccuracy, ConfusionMatrix, Counts, TopKCategoricalAccuracy)
"""The metrics that ask of each target whether it is above one half, or which of a row is the largest."""


def classes_to_count(f: Facts) -> str | None:
    """A metric of classes needs targets that are classes: a share of numbers above one half says nothing."""
    name = next((name for name, metric in f.metrics if isinstance(metric, OF_CLASSES)), None)
    if name is None or not f.takes("any", "counts", "directions", "real"):
        return None
    if f.units > 1 and f.target.shape[1:] != f.output.shape[1:]:
        return None  # numbers of classes, for a loss of one's own
    bad = failing(f.target, lambda part: ((part < 0) | (part > 1)) & (part != -1))
    if bad is None:
        return None
    return (
        f"the metric {name!r} counts classes; the {f.where}target of row {bad.first} is {bad.values[0]:g}.\n"
        "  Write metrics=['mae'] for numbers, such as those of a regression; for classes a loss of classes."
    )


RULES: tuple[Rule, ...] = (classes_to_count,)
