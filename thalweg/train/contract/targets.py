"""Rules on the targets: their shape, their kind and their values, against what the loss takes."""

import jax
import numpy as np

from thalweg.train.contract.end import OUTPUTS
from thalweg.train.contract.facts import Facts, Rule
from thalweg.train.contract.scan import Failing, failing, is_floating, parts

TOLERATED = 0.02  # the share of rows whose real targets may lie a little outside what the network can give
EXCLUSIVE = "For classes that exclude each other write loss='sparse_categorical_crossentropy' and a softmax"


def class_shape(f: Facts) -> str | None:
    """Integer classes are one number for each row (and time)."""
    if not f.takes("integer classes", "identities"):
        return None
    y, wanted = f.target, f.output.shape[1:-1]
    if y.shape[1:] in (wanted, (*wanted, 1)):
        return None
    if y.shape[1:] == f.output.shape[1:]:
        return (
            f"the {f.where}targets have shape {y.shape}, that of one-hot rows, but {f.loss_name} takes integer "
            "classes.\n  Write loss='categorical_crossentropy', or give y.argmax(axis=-1)."
        )
    return _shape(f, wanted, "Give one integer for each row")


def class_numbers(f: Facts) -> str | None:
    """Integer classes are whole numbers from 0 to classes - 1."""
    if not f.takes("integer classes"):
        return None
    y, units = f.target, f.units
    broken = failing(y, lambda part: part != np.rint(part)) if is_floating(y) else None
    if broken:
        return (
            f"{f.loss_name} takes integer classes; the {f.where}target of row {broken.first} is {broken.values[0]:g}"
            f"{_and_more(broken.total)}.\n  Give whole numbers from 0 to {units - 1}; for others write loss='mse'."
        )
    ignored = getattr(f.loss, "ignore_class", None)
    outside = failing(y, lambda part: ((part < 0) | (part >= units)) & (True if ignored is None else part != ignored))
    return None if outside is None else _out_of_range(f, outside)


def _out_of_range(f: Facts, bad: Failing) -> str:
    y, units = f.target, f.units
    low, high, renumber = y.min(), y.max(), "y = np.unique(y, return_inverse=True)[1]"
    if bad.values == (-1,) and hasattr(f.loss, "ignore_class"):
        remedy = f"Leave the rows with -1 out, or write {f.loss_name}(ignore_class=-1)."
    elif low == 1 and high == units:
        remedy = "The labels count from 1: give y - 1."
    elif low >= 0 and high < 2 * units + 10:
        remedy = f"Write {int(high) + 1} units in the last layer, or number the labels from 0: {renumber}."
    else:
        remedy = f"Number the labels from 0: {renumber}."
    who = f"all {len(y)}" if bad.total == len(y) else f"{bad.total} of {len(y)}"
    values = ", ".join(f"{v:g}" for v in bad.values)
    return (
        f"{who} {f.where}rows have labels outside 0 to {units - 1}, the {units} classes of the network: {values}; "
        f"the first is row {bad.first}.\n  {remedy}"
    )


def one_hot_shape(f: Facts) -> str | None:
    """One-hot rows have as many columns as there are classes."""
    if not f.takes("one-hot", "distribution") or f.target.shape[1:] == f.output.shape[1:]:
        return None
    y = f.target
    if y.shape[1:] in (f.output.shape[1:-1], (*f.output.shape[1:-1], 1)):
        return (
            f"the {f.where}targets have shape {y.shape}, that of integer classes, but {f.loss_name} takes one-hot rows "
            f"of {f.units}.\n  Write loss='sparse_categorical_crossentropy', or give np.eye({f.units})[y]."
        )
    return _shape(f, f.output.shape[1:], "Give as many columns as the last layer has units")


def rows_sum_to_one(f: Facts) -> str | None:
    """One-hot rows and distributions are not negative and sum to 1."""
    if not f.takes("one-hot", "distribution"):
        return None
    y, k = f.target, f.units
    negative = failing(y, lambda part: part < 0)
    if negative:
        return (
            f"{f.loss_name} takes rows of probabilities; {f.where}row {negative.first} holds {negative.values[0]:g}"
            f"{_and_more(negative.total)}.\n  Give 0 and 1, or probabilities that sum to 1."
        )

    def off(part: np.ndarray) -> np.ndarray:
        sums = part.reshape(len(part), -1, k).sum(axis=-1, dtype=np.float64)
        return (np.abs(sums - 1) > 1e-3).any(axis=1)

    bad = failing(y, off)
    if bad is None:
        return None
    sums = y[bad.first].reshape(-1, k).sum(axis=-1, dtype=np.float64)
    return (
        f"{f.loss_name} takes rows that sum to 1; {f.where}row {bad.first} sums to "
        f"{sums[np.abs(sums - 1).argmax()]:g}{_and_more(bad.total)}.\n"
        "  For several labels in a row, or none, write activation='sigmoid' and loss='binary_crossentropy'."
    )


def column_shape(f: Facts) -> str | None:
    """Other targets have the shape of the output; one column may be left out."""
    if not f.takes("binary", "signs", "real", "counts", "directions"):
        return None
    y, wanted = f.target.shape[1:], f.output.shape[1:]
    if wanted in (y, (*y, 1)) or y == (*wanted, 1):
        return None
    classes = y in ((), (1,)) and f.loss.target == "binary"
    remedy = f"{EXCLUSIVE}; else give" if classes else "Give"
    return _shape(f, wanted, f"{remedy} one target for each output")


def binary_values(f: Facts) -> str | None:
    """Binary targets are 0 and 1, or probabilities between."""
    bad = failing(f.target, lambda part: (part < 0) | (part > 1)) if f.takes("binary") else None
    if bad is None:
        return None
    y = f.target
    if y.min() == -1 and y.max() == 1:
        remedy = "Give (y + 1) / 2, or write loss='hinge' and no sigmoid"
    elif y.min() >= 0:
        remedy = f"{EXCLUSIVE}; real targets are to be scaled, y / {y.max():g}"
    else:
        remedy = "Give 0 and 1, or write loss='mse' for real numbers"
    return (
        f"{f.loss_name} takes targets from 0 to 1; {f.where}row {bad.first} holds {bad.values[0]:g}"
        f"{_and_more(bad.total)}.\n  {remedy}."
    )


def labels_exclude(f: Facts) -> str | None:
    """Rows that each have exactly one of several labels mean classes that exclude each other.

    Only all rows of a training set say so. Not where x is its own target: a code of one-hot rows is learned this way.
    """
    if not f.takes("binary") or f.units < 3 or not f.trains or f.target.shape[1:] != f.output.shape[1:]:
        return None
    k = f.units

    def several(part: np.ndarray) -> np.ndarray:
        part = part.reshape(len(part), -1, k)
        return ((part == 1).sum(axis=-1) != 1).any(axis=1) | ((part != 0).sum(axis=-1) != 1).any(axis=1)

    if any(several(part).any() for _, part in parts(f.target)) or _is_input(f):
        return None
    return (
        f"every row has exactly one of {k} labels, so the classes exclude each other, but {f.loss_name} asks each unit "
        "on its own.\n  Write activation='softmax' in the last layer and loss='categorical_crossentropy'."
    )


def _is_input(f: Facts) -> bool:
    leaves = jax.tree.leaves(f.x)
    return len(leaves) == 1 and leaves[0].shape == f.y.shape and np.array_equal(np.asarray(leaves[0]), f.target)


def sign_values(f: Facts) -> str | None:
    """Hinge targets are -1 and 1, or 0 and 1."""
    if not f.takes("signs"):
        return None
    y = f.target
    low = -1 if y.min() < 0 else 0
    bad = failing(y, lambda part: (part != low) & (part != 1))
    if bad is None:
        return None
    return (
        f"{f.loss_name} takes targets -1 and 1 (or 0 and 1); {f.where}row {bad.first} holds {bad.values[0]:g}"
        f"{_and_more(bad.total)}.\n  Give np.where(y > 0, 1, -1), or write loss='mse' for real numbers."
    )


def counts_positive(f: Facts) -> str | None:
    """Counts are not negative."""
    bad = failing(f.target, lambda part: part < 0) if f.takes("counts") else None
    if bad is None:
        return None
    return (
        f"{f.loss_name} takes targets of 0 or more; {f.where}row {bad.first} holds {bad.values[0]:g}"
        f"{_and_more(bad.total)}.\n  Write loss='mse' for targets of both signs."
    )


def reachable(f: Facts) -> str | None:
    """Real targets are numbers that the network's end can give."""
    low, high = OUTPUTS.get(f.final or "", (-np.inf, np.inf))
    if not f.whole or not f.takes("real", "counts") or not (np.isfinite(low) or np.isfinite(high)):
        return None
    bad = failing(f.target, lambda part: (part < low - 1e-6) | (part > high + 1e-6))
    if bad is None or bad.total <= TOLERATED * len(f.y):
        return None
    y = f.target
    return (
        f"the network ends in {f.final!r}, which gives {low:g} to {high:g}; {bad.total} of {len(y)} {f.where}rows "
        f"have targets beyond, from {y.min():g} to {y.max():g}.\n  Leave the last activation out, or scale the targets."
    )


def _shape(f: Facts, wanted: tuple[int, ...], remedy: str) -> str:
    n, name = len(f.y), f.loss_name
    return (
        f"the {f.where}targets have shape {f.target.shape}; {name} over outputs {(n, *f.output.shape[1:])} takes "
        f"{(n, *wanted)}.\n  {remedy}, or end the network in as many units as the targets have columns."
    )


def _and_more(count: int) -> str:
    return f", and {count - 1} more rows are wrong" if count > 1 else ""


RULES: tuple[Rule, ...] = (
    class_shape,
    class_numbers,
    one_hot_shape,
    rows_sum_to_one,
    column_shape,
    binary_values,
    labels_exclude,
    sign_values,
    counts_positive,
    reachable,
)
