"""All rules in one order, and how they are held against a whole data set, a piece of a stream, or inputs alone."""

import dataclasses
from typing import Any

import jax
import numpy as np

from thalweg.errors import ContractError
from thalweg.train.contract import end, rows, scores, sequences, targets
from thalweg.train.contract.facts import Facts, Rule
from thalweg.types import Tree

RULES: tuple[Rule, ...] = (
    *end.RULES,
    *rows.RULES,
    *targets.RULES,
    *sequences.RULES,
    *scores.RULES,
    rows.monitors_known,
)
"""In the order in which a person would want to hear of them."""


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


def check_inputs(module: Any, x: Tree) -> None:
    """Hold inputs that nothing else comes with against what reads them: finite numbers, indices that an Embedding has.

    Raises:
        ContractError: a number is not finite, or an index is out of range.
    """
    message = rows.unfinite("x", x) or rows.unknown_index(getattr(module, "indices", None), x)
    if message is not None:
        raise ContractError(message)
