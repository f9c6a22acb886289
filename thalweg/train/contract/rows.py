"""Rules on the rows, the batch and the names: lengths, finite numbers, weights, monitors."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from thalweg.errors import nearest
from thalweg.losses import Custom
from thalweg.train.contract.facts import Facts, Rule
from thalweg.train.contract.scan import failing, not_finite
from thalweg.types import Tree


def targets_there(f: Facts) -> str | None:
    """A loss compares with something."""
    if f.y is not None or f.x is None or f.loss.target == "any":
        return None
    return f"{f.loss_name} needs {f.where}targets, and none were given.\n  Write fit(x, y)."


def lengths(f: Facts) -> str | None:
    """Inputs, targets and weights have one row for each example, and there is one."""
    named = (("x", f.x), ("y", f.y), ("sample_weight", f.weight))
    counted = [(name, len(a)) for name, value in named for a in jax.tree.leaves(value)]
    counts = {n for _, n in counted}
    if len(counts) > 1:
        told = ", ".join(f"{name} has {n}" for name, n in counted)
        return f"the {f.where}arrays have different numbers of rows: {told}.\n  Give one row of each for every example."
    if counts == {0}:
        return f"the {f.where}data is empty: 0 rows.\n  Give at least one row; look at how the rows were chosen."
    return None


def batch_fits(f: Facts) -> str | None:
    """A batch is not larger than the data."""
    n = min((len(a) for a in jax.tree.leaves(f.x)), default=f.batch_size)
    if 1 <= f.batch_size <= n:
        return None
    return f"batch_size={f.batch_size} does not fit {n} rows.\n  Write batch_size={n} for all rows at once, or less."


def finite(f: Facts) -> str | None:
    """No NaN, no infinity."""
    named = (("x", f.x), ("y", f.y), ("sample_weight", f.weight))
    return next((said for name, value in named if (said := unfinite(name, value, f.where))), None)


def unfinite(name: str, value: Tree, where: str = "") -> str | None:
    """A message about a NaN or an infinity in `value`, by row and, in a table, by column; None where all is finite.

    Args:
        name: what `fit` or `predict` calls it.
        value: an array or several.
        where: "validation " for the second set.
    """
    for array in jax.tree.leaves(value):
        bad = not_finite(array)
        if bad is not None:
            rest = f" and {bad.total - 1} more rows" if bad.total > 1 else ""
            column = int(np.argmin(np.isfinite(np.asarray(array[bad.first])))) if np.ndim(array) == 2 else None
            return (
                f"{where}{name} holds NaN or infinity in row {bad.first}"
                f"{'' if column is None else f', column {column}'}{rest}.\n"
                "  Fill the numbers in or leave these rows out: np.isfinite finds them."
            )
    return None


def indices_known(f: Facts) -> str | None:
    """An index has a row in the table that it reads."""
    return unknown_index(f.indices, f.x, f.where)


def unknown_index(indices: Callable[[Any], int | None] | None, x: Tree, where: str = "") -> str | None:
    """A message about an index of `x` that is not below what `indices` says of its input; None where all are.

    Args:
        indices: from an input (its number, or its name in a dict) to the number that its indices must be below.
        x: the inputs.
        where: "validation " for the second set.
    """
    if indices is None or x is None:
        return None
    several = isinstance(x, tuple | list | Mapping)
    for port, array in x.items() if isinstance(x, Mapping) else enumerate(x if several else [x]):
        most = indices(port) or 0
        bad = most and failing(array, lambda part, n=most: (part < 0) | (part >= n) | (part != np.rint(part)))
        if bad:
            shown = ", ".join(f"{v:g}" for v in bad.values)
            return (
                f"{where}x{f'[{port!r}]' if several else ''} holds {shown} in {bad.total} rows; the first is row "
                f"{bad.first}. The Embedding that reads it takes whole numbers from 0 to {most - 1}.\n"
                "  Write input_dim= the largest index + 1, or give what is not in the vocabulary an index of its own."
            )
    return None


def weights_positive(f: Facts) -> str | None:
    """One weight for each row, or for each step of each row, not negative, and not all 0."""
    if f.weight is None:
        return None
    weight = np.asarray(f.weight)
    wrong = _shape_of_weights(f, weight.shape)
    if wrong is not None:
        return wrong
    bad = failing(weight, lambda part: part < 0)
    if bad:
        return (
            f"{f.where}sample_weight is negative in {bad.total} rows; the first is row {bad.first} with "
            f"{bad.values[0]:g}.\n  Give 0 or more; 0 leaves a row out."
        )
    if f.whole and not weight.any():
        return f"every {f.where}sample_weight is 0, so there is nothing to learn.\n  Give some rows a weight above 0."
    return None


def rows_to_weigh(f: Facts) -> str | None:
    """A loss of one's own that is one number a batch has no rows that a weight could change."""
    if f.weight is None or not isinstance(f.loss, Custom) or not f.loss.joint(f.y, f.output):
        return None
    return (
        f"{f.loss.function!r} gives one number for a whole batch, which the weights of {f.where}rows cannot change.\n"
        "  Return one number for each row, or leave sample_weight and class_weight out."
    )


def _shape_of_weights(f: Facts, shape: tuple[int, ...]) -> str | None:
    n, steps = shape[0], f.output.shape[1:2] if len(f.output.shape) > 2 else ()
    if shape in ((n,), (n, 1)):
        return None
    each_row = f"Give one weight for each row: shape ({n},)"
    if not steps or shape != (n, *steps):
        each_step = f", or for each step: shape {(n, *steps)}" if steps else ""
        return f"{f.where}sample_weight has shape {shape}.\n  {each_row}{each_step}."
    if f.loss.whole:
        return f"{f.loss_name} has one loss for a whole row; {f.where}sample_weight has shape {shape}.\n  {each_row}."
    return None


def monitors_known(f: Facts) -> str | None:
    """A callback watches a number that the history will have."""
    unknown = next((name for name in f.monitors if name not in f.names), None)
    if unknown is None:
        return None
    validates = unknown.startswith("val_") and unknown.removeprefix("val_") in f.names
    remedy = "Give validation_data or validation_split." if validates else nearest(unknown, f.names)
    return f"a callback monitors {unknown!r}, which this fit does not give: it gives {', '.join(f.names)}.\n  {remedy}"


RULES: tuple[Rule, ...] = (targets_there, lengths, batch_fits, finite, indices_known, weights_positive, rows_to_weigh)
