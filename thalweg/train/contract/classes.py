"""Classes: targets as the integers that a loss of classes takes, and the weight of each row by its class."""

from typing import Any

import numpy as np

from thalweg import data
from thalweg.errors import ContractError
from thalweg.losses import Loss
from thalweg.train.contract.scan import failing, is_floating


def adapted(loss: Loss, y: Any) -> Any:
    """Targets in the dtype that the loss computes with: whole-number floats become the classes they stand for."""
    if y is None or loss.target not in ("integer classes", "identities", "labels", "tags"):
        return y
    return y.astype(np.int32)


def class_weights(y: Any, by_class: Any) -> np.ndarray | None:
    """The weight of each row, from one for each class; a class that is not named has weight 1.

    Args:
        y: integer classes, or one-hot rows.
        by_class: a weight by class number, "balanced", or None.

    Raises:
        ContractError: a weight for a class that is not there, a weight below 0, or targets that are no classes.
    """
    if by_class is None:
        return None
    y = np.asarray(y)
    labels, known = _classes(y)
    table: dict[Any, Any] = data.class_weight(labels) if by_class == "balanced" else dict(by_class)
    unknown = next((k for k in table if k not in known), None)
    if unknown is not None:
        raise ContractError(
            f"class_weight has a weight for class {unknown!r}; the classes are {', '.join(map(str, sorted(known)))}.\n"
            "  Write one weight for each class, or class_weight='balanced'."
        )
    wrong = next((k for k, w in table.items() if not 0 <= w < np.inf), None)
    if wrong is not None:
        raise ContractError(
            f"class_weight of class {wrong!r} is {table[wrong]}.\n  Write a number of 0 or more; 0 leaves a class out."
        )
    present, codes = np.unique(labels, return_inverse=True)
    return np.array([table.get(int(k), 1.0) for k in present], np.float32)[codes.reshape(-1)]


def _classes(y: np.ndarray) -> tuple[np.ndarray, set[int]]:
    """The class of each row, and all classes that there are."""
    if y.ndim == 2 and y.shape[1] > 1:
        return y.argmax(-1), set(range(y.shape[1]))
    if y.size != len(y) or (is_floating(y) and failing(y, lambda part: part != np.rint(part))):
        raise ContractError(
            f"class_weight needs one class for each row; the targets have shape {y.shape} and dtype {y.dtype}.\n"
            "  Give sample_weight, one weight for each row."
        )
    labels = y.reshape(len(y)).astype(np.int64)
    return labels, set(np.unique(labels).tolist())
