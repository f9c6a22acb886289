"""markup: sections as HTML. Every text is escaped; a picture stands in the page itself."""

import base64
import io
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from thalweg.page.chart import curves
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
    Samples,
    Score,
    Section,
    Table,
)

FAINT, STRONG = 0.12, 0.55  # how much colour a cell bears, so that its number stays legible


def to_html(section: Section) -> str:
    """The section as HTML."""
    return WRITERS[type(section)](section)


def picture(pixels: np.ndarray, brightest: float) -> str:
    """Pixels as an address that holds the picture itself, a PNG."""
    scaled = np.clip(pixels.astype(np.float64) * (255 / (brightest or 1.0)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(scaled.reshape(scaled.shape[:2]) if scaled.shape[2:] == (1,) else scaled).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _headed(title: str, html: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{html}</section>"


def _score(section: Score) -> str:
    result, *_ = section.measures
    bars = "".join(_bar(m, section.whole, "base" if i else "") for i, m in enumerate(section.measures))
    numbers = (f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in section.numbers.items())
    return (
        f'<section aria-label="{escape(section.title)}">'
        f'<div class="score"><div class="figure">{escape(result.text)}</div><div class="bars">{bars}</div></div>'
        f'<dl class="numbers">{"".join(numbers)}</dl></section>'
    )


def _bar(measure: Measure, whole: float, kind: str) -> str:
    width = min(max(100 * measure.value / whole, 0.0), 100.0)
    return (
        f'<span>{escape(measure.name)}</span><span class="bar {kind}"><i style="width:{width:.2f}%"></i></span>'
        f'<span class="n">{escape(measure.text)}</span>'
    )


def _facts(section: Facts) -> str:
    facts = ((name, str(value)) for name, value in section.values.items() if value is not None)
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return _headed(section.title, f'<dl class="facts">{items}</dl>')


def _table(section: Table) -> str:
    columns = range(len(section.header))
    kinds = [' class="n"' if i in section.numbers else ' class="prose"' if i in section.prose else "" for i in columns]
    head = "".join(f"<th{kind}>{escape(text)}</th>" for kind, text in zip(kinds, section.header, strict=True))
    rows = ("".join(f"<td{k}>{escape(t)}</td>" for k, t in zip(kinds, row, strict=True)) for row in section.rows)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return _headed(section.title, f'<div class="wide">{table}</div>')


def _curve(section: Curve) -> str:
    chart = curves(
        "" if section.heading else section.title,
        section.series,
        first=section.first,
        logarithmic=section.logarithmic,
        axis_title=section.axis,
    )
    return _headed(section.title, chart) if section.heading else f"<section>{chart}</section>"


def _samples(section: Samples) -> str:
    figures = (
        f'<figure><pre>{escape(sample.text)}</pre><figcaption class="soft">{escape(sample.note)}</figcaption></figure>'
        for sample in section.samples
    )
    return _headed(section.title, f'<div class="samples">{"".join(figures)}</div>')


def _passages(section: Passages) -> str:
    return _headed(section.title, f'<div class="passages">{"".join(map(_passage, section.passages))}</div>')


def _passage(passage: Passage) -> str:
    note = f' <span class="soft">{escape(passage.note)}</span>' if passage.note else ""
    return f"<p>{' '.join(map(_piece, passage.pieces))}{note}</p>"


def _piece(piece: Piece) -> str:
    if not piece.label:
        return escape(piece.text)
    return f'<mark class="{escape(piece.sign)}">{escape(piece.text)} <b>{escape(piece.label)}</b></mark>'


def _figures(section: Figures) -> str:
    return _headed(section.title, f'<div class="mistakes">{"".join(map(_figure, section.figures))}</div>')


def _figure(figure: Figure) -> str:
    image = f'<img alt="{escape(figure.name)}" src="{picture(figure.pixels, figure.brightest)}">'
    true, *called = [f"<b>{escape(name)}</b> ({escape(p)})" for name, p in filter(None, (figure.true, figure.called))]
    caption = f"is {true}<br>called {called[0]}" if called else f'<span class="right">is {true}</span>'
    below = f'<br><span class="soft">{escape(figure.below)}</span>'
    return f"<figure>{image}<figcaption>{caption}{below}</figcaption></figure>"


def _confusion(section: Confusion) -> str:
    counts, classes = section.counts, section.classes
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in classes)
    rows = (
        f'<tr><th scope="row">{escape(name)}</th>{"".join(_cell(counts[t], t, p) for p in range(len(classes)))}</tr>'
        for t, name in enumerate(classes)
    )
    caption = "rows: what it is · columns: what it was called"
    head = f'<caption>{caption}</caption><tr><td class="none"></td>{head}</tr>'
    table = f'<table class="confusion">{head}{"".join(rows)}</table>'
    return _headed(section.title, f'<div class="wide">{table}</div>')


def _cell(row: np.ndarray, true: int, predicted: int) -> str:
    """A count; the more of its row it holds, the more colour it bears."""
    count, total = int(row[predicted]), max(int(row.sum()), 1)
    if not count:
        return '<td class="none">0</td>'
    share = count / total if true == predicted else (count / total) ** 0.5  # few mistakes must still be seen
    alpha = FAINT + (STRONG - FAINT) * share
    return f'<td class="{"right" if true == predicted else "wrong"}" style="--a:{alpha:.2f}">{count}</td>'


WRITERS: dict[type, Callable[[Any], str]] = {
    Confusion: _confusion,
    Curve: _curve,
    Facts: _facts,
    Figures: _figures,
    Passages: _passages,
    Samples: _samples,
    Score: _score,
    Table: _table,
}
