"""report: a run on one page: result beside its baseline, curves, mistakes, network, settings, versions.

The page is one file without scripts or addresses: styles, charts and pictures are inside it. All text is escaped.
"""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from PIL import Image

from thalweg.core.summary import Summary
from thalweg.recipes.chart import curves
from thalweg.recipes.judged import Judged

TEMPLATE = Path(__file__).with_name("report.html")
WORST = 16  # pictures of the rows with the highest loss
FAINT, STRONG = 0.12, 0.55  # how much colour a cell bears, so that its number stays legible


def render(
    manifest: Mapping[str, Any],
    *,
    history: Mapping[str, Sequence[float]],
    network: Summary,
    judged: Judged,
    pictures: np.ndarray,
) -> str:
    """The page of a finished run.

    Args:
        manifest: of the run, with its result.
        history: each epoch's loss and metrics by name.
        network: its layers and totals.
        judged: what became of the test part.
        pictures: the test part's pictures, in the order of `judged`.
    """
    wrong = f"{judged.wrong} of {len(judged.labels):,} test pictures wrong"
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(f"{manifest['recipe']}: {percent(judged.accuracy)} right"),
        subtitle=escape(f"{manifest['data']['source']} · {wrong} · {manifest['started'][:10]}"),
        score=_score(manifest["result"], manifest, network),
        curves=_curves(history),
        confusion=_confusion(judged.counts, judged.classes),
        per_class=_per_class(judged),
        mistakes_title=_heading(judged.wrong),
        mistakes="".join(_figure(judged, pictures, int(row)) for row in judged.hardest(WORST)),
        network=_network(network),
        settings=facts(manifest["config"]),
        versions=_versions(manifest),
    )


def facts(values: Mapping[str, Any]) -> str:
    """Names and values as an HTML list; what is None is left out."""
    listed = (f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in values.items() if v is not None)
    return f'<dl class="facts">{"".join(listed)}</dl>'


def percent(share: float) -> str:
    """A share as people read it.

    >>> percent(0.98947)
    '98.9%'
    """
    return f"{100 * share:.1f}%"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """An HTML table of texts, which are escaped; the columns `numbers` stand to the right."""
    kinds = [' class="n"' if i in numbers else "" for i in range(len(header))]
    head = "".join(f"<th{kind}>{escape(text)}</th>" for kind, text in zip(kinds, header, strict=True))
    body = ("".join(f"<td{k}>{escape(t)}</td>" for k, t in zip(kinds, row, strict=True)) for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in body)}</tbody></table>"


def picture(pixels: np.ndarray, brightest: float) -> str:
    """Pixels as an address that holds the picture itself, a PNG."""
    scaled = np.clip(pixels.astype(np.float64) * (255 / (brightest or 1.0)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(scaled.reshape(scaled.shape[:2]) if scaled.shape[2:] == (1,) else scaled).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _score(result: Mapping[str, Any], manifest: Mapping[str, Any], network: Summary) -> str:
    bars = "".join(
        f'<span>{escape(name)}</span><span class="bar {kind}"><i style="width:{100 * share:.2f}%"></i></span>'
        f'<span class="n">{percent(share)}</span>'
        for name, kind, share in (
            ("test accuracy", "", result["accuracy"]),
            (f"always “{result['baseline_answer']}”", "base", result["baseline"]),
        )
    )
    numbers = {
        "wrong": f"{result['wrong']:,} of {result['rows']:,}",
        "test loss": f"{result['loss']:.4f}",
        "parameters": f"{network.trainable:,}",
        "training pictures": f"{manifest['data']['rows']['train']:,}",
        "training time": f"{manifest['seconds']:.1f} s",
    }
    listed = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in numbers.items())
    figure = f'<div class="figure">{percent(result["accuracy"])}</div>'
    return f'<div class="score">{figure}<div class="bars">{bars}</div></div><dl class="numbers">{listed}</dl>'


def _curves(history: Mapping[str, Sequence[float]]) -> str:
    names = [name for name in history if not name.startswith("val_") and f"val_{name}" in history]
    pairs = {name: {"training": history[name], "validation": history[f"val_{name}"]} for name in names}
    charts = (curves(f"{name} by epoch", pair, logarithmic=name == "loss") for name, pair in pairs.items())
    return f'<div class="two">{"".join(f"<section>{chart}</section>" for chart in charts)}</div>'


def _confusion(counts: np.ndarray, classes: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in classes)
    rows = (
        f'<tr><th scope="row">{escape(name)}</th>{"".join(_cell(counts[t], t, p) for p in range(len(classes)))}</tr>'
        for t, name in enumerate(classes)
    )
    caption = "rows: what it is · columns: what it was called"
    head = f'<caption>{caption}</caption><tr><td class="none"></td>{head}</tr>'
    return f'<table class="confusion">{head}{"".join(rows)}</table>'


def _cell(row: np.ndarray, true: int, predicted: int) -> str:
    count, total = int(row[predicted]), max(int(row.sum()), 1)
    if not count:
        return '<td class="none">0</td>'
    share = count / total if true == predicted else (count / total) ** 0.5  # few mistakes must still be seen
    alpha = FAINT + (STRONG - FAINT) * share
    return f'<td class="{"right" if true == predicted else "wrong"}" style="--a:{alpha:.2f}">{count}</td>'


def _per_class(judged: Judged) -> str:
    lines = judged.per_class
    measures = ("precision", "recall", "f1")
    rows = [[line["class"], *(f"{line[m]:.3f}" for m in measures), f"{line['rows']:,}"] for line in lines]
    mean = [f"{np.mean([line[m] for line in lines]):.3f}" for m in measures]
    total = ["mean", *mean, f"{len(judged.labels):,}"]
    return table(["class", "precision", "recall", "F1", "rows"], [*rows, total], numbers=(1, 2, 3, 4))


def _heading(wrong: int) -> str:
    if wrong >= WORST:
        return "The worst mistakes"
    return f"{'The worst mistakes, then' if wrong else 'No mistakes;'} the least sure answers"


def _figure(judged: Judged, pictures: np.ndarray, row: int) -> str:
    true, called = int(judged.labels[row]), int(judged.predicted[row])
    names, p = judged.classes, judged.probabilities[row]
    image = f'<img alt="test row {row}" src="{picture(pictures[row], float(pictures.max()))}">'
    given = [f"<b>{escape(names[k])}</b> ({percent(p[k])})" for k in (true, called)]
    said = f'<span class="right">is {given[0]}</span>' if true == called else f"is {given[0]}<br>called {given[1]}"
    return f'<figure>{image}<figcaption>{said}<br><span class="soft">row {row}</span></figcaption></figure>'


def _network(network: Summary) -> str:
    rows = [
        [r.path, r.type, " ".join(str(list(shape)) for shape in r.output), f"{r.parameters:,}", f"{r.flops:,}"]
        for r in network.rows
    ]
    parameters, flops = network.trainable + network.non_trainable, sum(r.flops for r in network.rows)
    header = ["layer", "type", "output of a row", "parameters", "FLOPs of a row"]
    return table(header, [*rows, ["total", "", "", f"{parameters:,}", f"{flops:,}"]], numbers=(3, 4))


def _versions(manifest: Mapping[str, Any]) -> str:
    data = {f"{name} data": f"SHA-256 {digest[:16]}..." for name, digest in manifest["data"]["sha256"].items()}
    return facts({"command": manifest["command"], "started": manifest["started"], **manifest["versions"], **data})
