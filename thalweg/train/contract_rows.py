"""Rules on the rows, the batch and the names: lengths, finite numbers, weights, monitors."""

import jax
import numpy as np

from thalweg.errors import nearest
from thalweg.train import rows
from thalweg.train.contract_facts import Facts, Rule


def targets_there(f: Facts) -> str | None:
    """A loss compares with something."""
    if f.y is not None or f.x is None or f.loss.target == "any":
        return None
    return f"{f.loss_name} needs {f.where}targets, and none were given.\n  Write fit(x, y)."


def lengths(f: Facts) -> str | None:
    """Inputs, targets and weights have one row for each example, and there is one."""
    named = (("x", f.x), ("y", f.y), ("sample_weight", f.weight))
    given = [(name, len(a)) for name, value in named for a in jax.tree.leaves(value)]
    counts = {n for _, n in given}
    if len(counts) > 1:
        told = ", ".join(f"{name} has {n}" for name, n in given)
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
    for name, value in (("x", f.x), ("y", f.y), ("sample_weight", f.weight)):
        found = rows.not_finite(value)
        if found is not None:
            rest = f" and {found.total - 1} more rows" if found.total > 1 else ""
            return (
                f"{f.where}{name} holds NaN or infinity in row {found.first}{rest}.\n"
                "  Fill the numbers in or leave these rows out: np.isfinite finds them."
            )
    return None


def weights_positive(f: Facts) -> str | None:
    """One weight for each row, not negative, and not all 0."""
    if f.weight is None:
        return None
    weight = np.asarray(f.weight)
    if weight.shape not in ((len(weight),), (len(weight), 1)):
        return (
            f"{f.where}sample_weight has shape {weight.shape}.\n  Give one weight for each row: shape ({len(weight)},)."
        )
    found = rows.failing(weight, lambda part: part < 0)
    if found:
        return (
            f"{f.where}sample_weight is negative in {found.total} rows; the first is row {found.first} with "
            f"{found.values[0]:g}.\n  Give 0 or more; 0 leaves a row out."
        )
    if not weight.any():
        return f"every {f.where}sample_weight is 0, so there is nothing to learn.\n  Give some rows a weight above 0."
    return None


def monitors_known(f: Facts) -> str | None:
    """A callback watches a number that the history will have."""
    unknown = next((name for name in f.monitors if name not in f.names), None)
    if unknown is None:
        return None
    validates = unknown.startswith("val_") and unknown.removeprefix("val_") in f.names
    remedy = "Give validation_data or validation_split." if validates else nearest(unknown, f.names)
    return f"a callback monitors {unknown!r}, which this fit does not give: it gives {', '.join(f.names)}.\n  {remedy}"


RULES: tuple[Rule, ...] = (targets_there, lengths, batch_fits, finite, weights_positive)
