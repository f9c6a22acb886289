"""Verdict: what a trained model achieved, as plain values: for the terminal, `evaluation.json` and the page.

The result and its baselines are each a `Measure`; the sections are those of `thalweg.page`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.errors import ContractError
from thalweg.page import Measure, Section


@dataclasses.dataclass(frozen=True, eq=False)
class Verdict:
    """What became of the test part, beside what needs no learning.

    Args:
        measure: the result by which the recipe is judged.
        baselines: the same measure of what needs no learning: the commonest class, a count model, the last value.
        scores: every number by name, flat; `evaluation.json` and the manifest hold them.
        line: what is printed at the end: the result beside its baselines.
        heading: the page's title after the recipe's name.
        note: the page's line below it.
        facts: what stands in small numbers beside the result, by name.
        sections: of the page.
        details: what `evaluation.json` holds besides.
        whole: what a full bar stands for; None takes the largest of the measures.

    Raises:
        ContractError: no baseline, or scores that lack one.
    """

    measure: Measure
    baselines: Sequence[Measure]
    scores: Mapping[str, Any]
    line: str
    heading: str
    note: str = ""
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    sections: Sequence[Section] = ()
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    whole: float | None = 1.0

    def __post_init__(self) -> None:
        if not self.baselines:
            raise ContractError("a verdict has no baseline.\n  State what needs no learning, measured the same way.")
        numbers = [value for value in self.scores.values() if isinstance(value, int | float)]
        lacking = [m.name for m in (self.measure, *self.baselines) if m.value not in numbers]
        if lacking:
            raise ContractError(f"the scores lack {', '.join(lacking)}.\n  Put every measure into scores by a name.")


def percent(share: float) -> str:
    """A share as people read it.

    >>> percent(0.98947)
    '98.9%'
    """
    return f"{100 * share:.1f}%"
