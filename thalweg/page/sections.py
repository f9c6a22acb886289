"""sections: what a page shows, as plain values. `markup` shows each of them, and escapes every text.

A section with `half` stands beside another half where there is room.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np


class Measure(NamedTuple):
    """A number, its name, and the number as people read it: "test accuracy", 0.987, "98.7%"."""

    name: str
    value: float
    text: str


class Score(NamedTuple):
    """The result in large figures, bars for it and for each baseline, and further numbers by name."""

    title: str
    measures: Sequence[Measure]  # the result first
    whole: float  # what a full bar stands for
    numbers: Mapping[str, str]
    half: bool = False


class Facts(NamedTuple):
    """Names and values; a value that is None is left out."""

    title: str
    values: Mapping[str, Any]
    half: bool = True


class Table(NamedTuple):
    """Rows of texts; the columns `numbers` stand to the right, the columns `prose` break into lines."""

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[str]]
    numbers: Sequence[int] = ()
    prose: Sequence[int] = ()
    half: bool = False


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
    heading: bool = True  # the title stands above the chart; else within it, beside the legend


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
    """Sentences with their entities, or what else is marked in them."""

    title: str
    passages: Sequence[Passage]
    half: bool = False


Section = Confusion | Curve | Facts | Figures | Passages | Samples | Score | Table
