"""Pages: what there is to say, as plain values, and how it becomes one HTML file without scripts or addresses.

sections -> markup, chart -> page
"""

from thalweg.page.page import render
from thalweg.page.sections import (
    Confusion,
    Curve,
    Facts,
    Figure,
    Figures,
    Measure,
    Passage,
    Passages,
    Piece,
    Sample,
    Samples,
    Score,
    Section,
    Table,
)

__all__ = [
    "Confusion",
    "Curve",
    "Facts",
    "Figure",
    "Figures",
    "Measure",
    "Passage",
    "Passages",
    "Piece",
    "Sample",
    "Samples",
    "Score",
    "Section",
    "Table",
    "render",
]
