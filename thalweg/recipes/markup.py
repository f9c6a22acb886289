"""markup: values as HTML. Every text is escaped; a picture stands in the page itself."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from thalweg.recipes.chart import curves
from thalweg.recipes.verdict import Confusion, Curve, Figure, Figures, Passage, Passages, Piece, Samples, Table

FAINT, STRONG = 0.12, 0.55  # how much colour a cell bears, so that its number stays legible


def facts(values: Mapping[str, Any]) -> str:
    """Names and values as an HTML list; what is None is left out."""
    listed = (f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in values.items() if v is not None)
    return f'<dl class="facts">{"".join(listed)}</dl>'


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = (), prose: Sequence[int] = ()
) -> str:
    """An HTML table of texts; the columns `numbers` stand to the right, the columns `prose` break into lines."""
    kinds = [' class="n"' if i in numbers else ' class="prose"' if i in prose else "" for i in range(len(header))]
    head = "".join(f"<th{kind}>{escape(text)}</th>" for kind, text in zip(kinds, header, strict=True))
    body = ("".join(f"<td{k}>{escape(t)}</td>" for k, t in zip(kinds, row, strict=True)) for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in body)}</tbody></table>"


def picture(pixels: np.ndarray, brightest: float) -> str:
    """Pixels as an address that holds the picture itself, a PNG."""
    scaled = np.clip(pixels.astype(np.float64) * (255 / (brightest or 1.0)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(scaled.reshape(scaled.shape[:2]) if scaled.shape[2:] == (1,) else scaled).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def section_table(section: Table) -> str:
    """A table that may be wider than the page."""
    return f'<div class="wide">{table(section.header, section.rows, section.numbers, section.prose)}</div>'


def section_curve(section: Curve) -> str:
    """A chart."""
    return curves("", section.series, first=section.first, logarithmic=section.logarithmic, axis_title=section.axis)


def section_samples(section: Samples) -> str:
    """Texts with their lines as they are."""
    shown = (
        f'<figure><pre>{escape(sample.text)}</pre><figcaption class="soft">{escape(sample.note)}</figcaption></figure>'
        for sample in section.samples
    )
    return f'<div class="samples">{"".join(shown)}</div>'


def section_passages(section: Passages) -> str:
    """Sentences one below the other, what was found marked with its label."""
    return f'<div class="passages">{"".join(map(_passage, section.passages))}</div>'


def section_figures(section: Figures) -> str:
    """Pictures side by side."""
    return f'<div class="mistakes">{"".join(map(_figure, section.figures))}</div>'


def section_confusion(section: Confusion) -> str:
    """A confusion matrix: the more rows a cell counts, the more colour it bears."""
    counts, classes = section.counts, section.classes
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in classes)
    rows = (
        f'<tr><th scope="row">{escape(name)}</th>{"".join(_cell(counts[t], t, p) for p in range(len(classes)))}</tr>'
        for t, name in enumerate(classes)
    )
    caption = "rows: what it is · columns: what it was called"
    head = f'<caption>{caption}</caption><tr><td class="none"></td>{head}</tr>'
    return f'<div class="wide"><table class="confusion">{head}{"".join(rows)}</table></div>'


def _passage(passage: Passage) -> str:
    note = f' <span class="soft">{escape(passage.note)}</span>' if passage.note else ""
    return f"<p>{' '.join(map(_piece, passage.pieces))}{note}</p>"


def _piece(piece: Piece) -> str:
    if not piece.label:
        return escape(piece.text)
    return f'<mark class="{escape(piece.sign)}">{escape(piece.text)} <b>{escape(piece.label)}</b></mark>'


def _figure(figure: Figure) -> str:
    image = f'<img alt="{escape(figure.name)}" src="{picture(figure.pixels, figure.brightest)}">'
    true, *called = [f"<b>{escape(name)}</b> ({escape(p)})" for name, p in filter(None, (figure.true, figure.called))]
    said = f"is {true}<br>called {called[0]}" if called else f'<span class="right">is {true}</span>'
    below = f'<br><span class="soft">{escape(figure.below)}</span>'
    return f"<figure>{image}<figcaption>{said}{below}</figcaption></figure>"


def _cell(row: np.ndarray, true: int, predicted: int) -> str:
    count, total = int(row[predicted]), max(int(row.sum()), 1)
    if not count:
        return '<td class="none">0</td>'
    share = count / total if true == predicted else (count / total) ** 0.5  # few mistakes must still be seen
    alpha = FAINT + (STRONG - FAINT) * share
    return f'<td class="{"right" if true == predicted else "wrong"}" style="--a:{alpha:.2f}">{count}</td>'
