"""Verdict: what a trained model achieved, as plain values: for the terminal, `evaluation.json` and the page.

A `Measure` is a number with its name and how people read it: "test accuracy", 0.987, "98.7%". The page's sections are
each of one of the classes below; `report.py` renders them, and escapes every text.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from thalweg.errors import ContractError


class Measure(NamedTuple):
    """A number, its name, and the number as people read it."""

    name: str
    value: float
    text: str


class Table(NamedTuple):
    """Rows of texts; the columns `numbers` stand to the right, the columns `prose` break into lines."""

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[str]]
    numbers: Sequence[int] = ()
    prose: Sequence[int] = ()
    half: bool = False  # beside another half


class Confusion(NamedTuple):
    """counts[true, predicted], with the classes' names."""

    title: str
    counts: np.ndarray
    classes: Sequence[str]
    half: bool = True


class Figure(NamedTuple):
    """A picture with the lines under it; `true` and `called` are set off where they are given."""

    name: str
    pixels: np.ndarray
    brightest: float
    true: tuple[str, str]  # what it is, and a number beside it
    called: tuple[str, str] | None = None  # what it was called, where that was something else
    below: str = ""


class Figures(NamedTuple):
    """Pictures side by side."""

    title: str
    figures: Sequence[Figure]
    half: bool = False


class Curve(NamedTuple):
    """Lines over a common axis: a forecast beside what came, a loss beside its length."""

    title: str
    series: Mapping[str, Sequence[float]]
    axis: str = "epoch"
    first: int = 1
    logarithmic: bool = False
    half: bool = True


class Sample(NamedTuple):
    """A text as it is, line by line, and what is said of it."""

    text: str
    note: str = ""


class Samples(NamedTuple):
    """Texts that a model wrote."""

    title: str
    samples: Sequence[Sample]
    half: bool = False


class Piece(NamedTuple):
    """A part of a sentence; with a label where it is marked, which is "right" or "wrong" where that is known."""

    text: str
    label: str = ""
    sign: str = ""


class Passage(NamedTuple):
    """A sentence in pieces, and what is said of it."""

    pieces: Sequence[Piece]
    note: str = ""


class Passages(NamedTuple):
    """Sentences with what was found in them marked."""

    title: str
    passages: Sequence[Passage]
    half: bool = False


Section = Table | Confusion | Figures | Curve | Samples | Passages


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
        known = [value for value in self.scores.values() if isinstance(value, int | float)]
        lacking = [m.name for m in (self.measure, *self.baselines) if m.value not in known]
        if lacking:
            raise ContractError(f"the scores lack {', '.join(lacking)}.\n  Put every measure into scores by a name.")


def percent(share: float) -> str:
    """A share as people read it.

    >>> percent(0.98947)
    '98.9%'
    """
    return f"{100 * share:.1f}%"
