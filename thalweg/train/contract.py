"""What is checked before the first step: what you gave against what it meets.

Today's frameworks train on in silence through most of these: a label out of range has a loss of zero or NaN, a target
(8, 1) is broadcast against a prediction (8, 5), a softmax over one unit answers 1 to everything. Each rule is a
function that words its own error; all of them together cost less than one epoch, and copy no data.
"""

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from thalweg.errors import ContractError
from thalweg.losses import Loss
from thalweg.train import contract_end, contract_rows, contract_sequences, contract_targets, rows
from thalweg.train.contract_end import activation_name, hidden_activation
from thalweg.train.contract_facts import Facts, Rule
from thalweg.types import Tree

RULES: tuple[Rule, ...] = (
    *contract_end.RULES,
    *contract_rows.RULES,
    *contract_targets.RULES,
    *contract_sequences.RULES,
    contract_rows.monitors_known,
)
"""In the order in which a person would want to hear of them."""


class LeakWarning(UserWarning):
    """Validation rows that are also training rows."""


def check(facts: Facts) -> None:
    """Hold every rule against `facts`.

    Raises:
        ContractError: the first rule that does not hold, in its words.
    """
    for rule in RULES:
        message = rule(facts)
        if message is not None:
            raise ContractError(message)


def check_piece(facts: Facts, numbers: np.ndarray) -> None:
    """Hold every rule against rows of a stream, as they are read; what only all rows together tell is not looked at.

    Args:
        facts: the rows.
        numbers: their numbers in the source, for the message.

    Raises:
        ContractError: the first rule that does not hold, for the first row that breaks it.
    """
    part = dataclasses.replace(facts, whole=False)
    try:
        check(part)
    except ContractError:
        for i, number in enumerate(numbers):
            x, y, weight = jax.tree.map(lambda a, i=i: a[i : i + 1], (part.x, part.y, part.weight))
            try:
                check(dataclasses.replace(part, x=x, y=y, weight=weight))
            except ContractError as error:
                raise ContractError(f"row {number} of the source, looked at by itself: {error}") from None
        raise


def check_indices(module: Any, x: Tree) -> None:
    """Hold the indices of `x` against the Embedding of `module` that reads them.

    Raises:
        ContractError: an index is out of range.
    """
    message = contract_rows.unknown_index(getattr(module, "indices", None), x)
    if message is not None:
        raise ContractError(message)


def check_overlap(training: tuple[Tree, np.ndarray], validation: tuple[Tree, np.ndarray]) -> None:
    """Warn of validation rows that are training rows too, beyond what the training rows repeat among themselves.

    Args:
        training: arrays with rows first, and the numbers of the rows that train.
        validation: the same for those that validate.
    """
    shared, expected = rows.shared(*training, *validation)
    if shared > expected:
        warnings.warn(
            f"{shared} of the {len(validation[1])} validation rows are also training rows, so the validation numbers "
            "will look better than new data would.\n  Take copies out before splitting: np.unique(x, axis=0).",
            LeakWarning,
            stacklevel=4,
        )


def adapted(loss: Loss, y: Any) -> Any:
    """Targets in the dtype that the loss computes with: whole-number floats become the classes they stand for."""
    if y is None or loss.target not in ("integer classes", "identities", "labels", "tags"):
        return y
    return y.astype(np.int32)


def class_weights(y: Any, given: Any, balanced: Callable[[Any], dict[int, float]]) -> np.ndarray | None:
    """The weight of each row, from one for each class; a class that is not named has weight 1.

    Args:
        y: integer classes, or one-hot rows.
        given: a weight by class number, "balanced", or None.
        balanced: gives the weights that "balanced" stands for.

    Raises:
        ContractError: a weight for a class that is not there, a weight below 0, or targets that are no classes.
    """
    if given is None:
        return None
    y = np.asarray(y)
    labels, known = _classes(y)
    table: dict[Any, Any] = balanced(labels) if given == "balanced" else dict(given)
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
    if y.size != len(y) or (rows.is_floating(y) and rows.failing(y, lambda part: part != np.rint(part))):
        raise ContractError(
            f"class_weight needs one class for each row; the targets have shape {y.shape} and dtype {y.dtype}.\n"
            "  Give sample_weight, one weight for each row."
        )
    labels = y.reshape(len(y)).astype(np.int64)
    return labels, set(np.unique(labels).tolist())


__all__ = [
    "RULES",
    "Facts",
    "LeakWarning",
    "activation_name",
    "adapted",
    "check",
    "check_indices",
    "check_overlap",
    "check_piece",
    "class_weights",
    "hidden_activation",
]
