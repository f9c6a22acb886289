"""parts: a text cut into parts in its order, or a list of texts shuffled into parts.

Of a text the last tenth tests, and the part before it validates: what is judged comes after what was learned, so that
no sentence stands half in one and half in the other.
"""

from typing import Any

from thalweg import data
from thalweg.errors import DataError

TENTH = 0.1
KINDS = 20  # different texts, below which they are kinds

Parts = dict[str, Any]
"""Texts by part: "train", "validation", "test"."""


def in_order(whole: Any, validation: float) -> Parts:
    """A text (or a list of tokens) as three parts in its order: the last tenth tests, a share of the rest validates.

    >>> in_order("abcdefghijklmnopqrst", 0.25)
    {'train': 'abcdefghijklmn', 'validation': 'opqr', 'test': 'st'}
    """
    last = len(whole) - int(len(whole) * TENTH)
    return with_validation(whole[:last], validation) | {"test": whole[last:]}


def with_validation(whole: Any, validation: float) -> Parts:
    """A text as two parts: its last share validates."""
    first = len(whole) - int(len(whole) * validation)
    return {"train": whole[:first], "validation": whole[first:]}


def of_one(text: Any, validation: float, *, test: bool) -> Parts:
    """The parts of one text, each a list of it alone; without `test` only a validation part is cut off."""
    whole = in_order(text, validation) if test else with_validation(text, validation)
    return {name: [part] for name, part in whole.items()}


def shuffle(texts: list[str], share: float, names: tuple[str, str], seed: int) -> Parts:
    """Texts that know no order as two parts, `share` of them the second; copies of a text are in one of them.

    Where so few texts differ that they are kinds, not copies, each is drawn alone.
    """
    if len(texts) < 2:
        raise DataError(f"{len(texts)} texts cannot be parted.\n  Give more, a line each.")
    groups = data.equal_rows(texts) if len(set(texts)) >= KINDS else None
    rows = data.split(len(texts), validation=share, groups=groups, seed=seed)
    return {name: [texts[i] for i in part] for name, part in zip(names, (rows.train, rows.validation), strict=True)}
