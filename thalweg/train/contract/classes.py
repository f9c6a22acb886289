"""Classes: targets as the integers that a loss of classes takes, and weights by class.

labels                  w[y]             a weight for each row, or for each of its steps
one-hot or shares       sum_k y_k w_k    over the last axis
labels side by side     w_k              for column k, whatever the label says
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg import data
from thalweg.errors import ContractError
from thalweg.losses import Loss
from thalweg.train.contract.facts import Facts
from thalweg.train.contract.rows import rows_to_weigh
from thalweg.train.contract.scan import failing, is_floating

ONE_EACH = "Write class_weight={0: 1.0, 1: 2.0}, a weight for each class, or class_weight='balanced'."


def adapted(loss: Loss, y: Any) -> Any:
    """Targets in the dtype that the loss computes with: whole-number floats become the classes they stand for."""
    if y is None or loss.target not in ("integer classes", "identities", "labels", "tags"):
        return y
    return y.astype(np.int32, copy=False)


def class_weights(
    f: Facts, by_class: Any, names: tuple[Any, ...] | None = None, rows: np.ndarray | None = None
) -> np.ndarray:
    """The weights of the rows, [rows], of their steps, [rows, steps], or of their labels; a class not named has 1.

    Args:
        f: the targets, the loss and the output.
        by_class: a weight by class number or by text, a list of one for each class, or "balanced".
        names: the texts that class numbers stand for.
        rows: those that train, which alone "balanced" counts; all unless said.

    Raises:
        ContractError: a weight for a class that is not there, a weight below 0, or targets that are no classes.
    """
    y = f.target[..., 0] if f.target.ndim > 1 and f.target.shape[-1] == 1 else f.target
    table = _table(f, y, by_class, names, rows)
    if _shares(f, y):
        weights = y @ np.array([table.get(k, 1.0) for k in range(y.shape[-1])], np.float32)
    elif _side_by_side(f, y):
        weights = np.broadcast_to(np.array([table.get(k, 1.0) for k in range(y.shape[-1])], np.float32), y.shape)
    else:
        present, codes = np.unique(y, return_inverse=True)
        weights = np.array([table.get(int(k), 1.0) for k in present], np.float32)[codes.reshape(y.shape)]
    weights = weights.astype(np.float32)
    wrong = rows_to_weigh(dataclasses.replace(f, weight=weights))
    if wrong is None and f.loss.whole and weights.ndim > 1:
        wrong = f"{f.loss_name} has one loss for a whole row, which has several classes.\n  Give sample_weight."
    if wrong is None and f.whole and not weights.any():
        wrong = "class_weight gives every row the weight 0, so there is nothing to learn.\n  Give one above 0."
    if wrong is not None:
        raise ContractError(wrong)
    return weights


def _table(
    f: Facts, y: np.ndarray, by_class: Any, names: tuple[Any, ...] | None, rows: np.ndarray | None
) -> dict[int, float]:
    """The weights by class number."""
    known = _known(f, y)
    if isinstance(by_class, str) and by_class == "balanced":
        return _balanced(f, y if rows is None else y[rows])
    if isinstance(by_class, list | tuple | np.ndarray) and known is not None:
        if np.shape(by_class) != (len(known),):
            raise ContractError(
                f"class_weight is a list of shape {np.shape(by_class)} for {len(known)} classes.\n  {ONE_EACH}"
            )
        by_class = dict(zip(known, by_class, strict=True))
    if not isinstance(by_class, Mapping):
        raise ContractError(f"class_weight is {by_class!r}, a {type(by_class).__name__}.\n  {ONE_EACH}")
    return {_class(key, known, names): _weight(key, value) for key, value in by_class.items()}


def _class(key: Any, known: range | None, names: tuple[Any, ...] | None) -> int:
    if names is not None and key in names:
        return names.index(key)
    whole = isinstance(key, int | float | np.number) and int(key) == key
    if whole and (known is None or int(key) in known):
        return int(key)
    classes = "whole numbers" if known is None else ", ".join(map(repr, names or known))
    raise ContractError(f"class_weight has a weight for class {key!r}; the classes are {classes}.\n  {ONE_EACH}")


def _weight(key: Any, value: Any) -> float:
    if isinstance(value, int | float | np.number) and 0 <= value < np.inf:
        return float(value)
    raise ContractError(
        f"class_weight of class {key!r} is {value!r}.\n  Write a number of 0 or more; 0 leaves a class out."
    )


def _balanced(f: Facts, y: np.ndarray) -> dict[int, float]:
    if not f.whole or _side_by_side(f, y):
        what = "a source, whose rows are not all known" if not f.whole else "labels side by side"
        raise ContractError(f"class_weight='balanced' does not go with {what}.\n  {ONE_EACH.partition(', or')[0]}.")
    labels = (y.argmax(-1) if _shares(f, y) else y).reshape(-1)
    return data.class_weight(labels[labels != getattr(f.loss, "ignore_class", None)].astype(np.int64))


def _known(f: Facts, y: np.ndarray) -> range | None:
    """The classes that there are; None where the loss does not say.

    Raises:
        ContractError: the targets are no classes.
    """
    if _shares(f, y) or _side_by_side(f, y):
        return range(y.shape[-1])
    several = f.units > 1 and f.target.shape[1:] == f.output.shape[1:]
    if several or f.takes("labels", "tags") or (is_floating(y) and failing(y, lambda part: part != np.rint(part))):
        raise ContractError(
            f"class_weight needs one class for each row or step; {f.loss_name} has targets of shape {f.target.shape} "
            f"and dtype {y.dtype}.\n  Give sample_weight, one weight for each row."
        )
    if f.takes("integer classes"):
        return range(f.units)
    return range(2) if f.takes("binary", "signs") and not (y < 0).any() else None


def _shares(f: Facts, y: np.ndarray) -> bool:
    """Whether the last axis has a column for each class, of which one is meant."""
    if f.units == 1 or f.target.shape[1:] != f.output.shape[1:]:
        return False
    own = f.takes("any") and bool(np.isin(y, (0, 1)).all() and (y.sum(-1) == 1).all())
    return own or f.takes("one-hot", "distribution")


def _side_by_side(f: Facts, y: np.ndarray) -> bool:
    """Whether the last axis has a column for each of several labels."""
    return f.units > 1 and f.takes("binary", "signs") and y.shape[1:] == f.output.shape[1:]
