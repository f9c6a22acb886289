"""report: a run on one page: result beside its baselines, curves, the verdict's sections, network, settings, versions.

The page is one file without scripts or addresses: styles, charts and pictures are inside it. All text is escaped.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Any

from thalweg.core.summary import Summary
from thalweg.recipes import markup
from thalweg.recipes.chart import curves
from thalweg.recipes.verdict import Confusion, Curve, Figures, Measure, Passages, Samples, Section, Table, Verdict

TEMPLATE = Path(__file__).with_name("report.html")
SECTIONS: dict[type, Callable[[Any], str]] = {
    Confusion: markup.section_confusion,
    Curve: markup.section_curve,
    Figures: markup.section_figures,
    Passages: markup.section_passages,
    Samples: markup.section_samples,
    Table: markup.section_table,
}
"""How a section of each class is shown."""


def render(
    manifest: Mapping[str, Any], *, history: Mapping[str, Sequence[float]], network: Summary, verdict: Verdict
) -> str:
    """The page of a finished run.

    Args:
        manifest: of the run, with its result.
        history: each epoch's loss and metrics by name.
        network: its layers and totals.
        verdict: what became of the test part.
    """
    subtitle = (manifest["data"]["source"], verdict.note, manifest["started"][:10])
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(f"{manifest['recipe']}: {verdict.heading}"),
        subtitle=escape(" · ".join(filter(None, subtitle))),
        score=_score(verdict, manifest, network),
        curves=_curves(history),
        sections=sections(verdict.sections),
        network=_network(network),
        settings=markup.facts(manifest["config"]),
        versions=_versions(manifest),
    )


def sections(shown: Sequence[Section]) -> str:
    """The sections, one below the other; halves that follow each other stand side by side."""
    parts = ((half, "".join(map(_section, group))) for half, group in groupby(shown, key=lambda s: s.half))
    return "".join(f'<div class="two">{html}</div>' if half else html for half, html in parts)


def _section(section: Section) -> str:
    return f"<section><h2>{escape(section.title)}</h2>{SECTIONS[type(section)](section)}</section>"


def _score(verdict: Verdict, manifest: Mapping[str, Any], network: Summary) -> str:
    measures = (verdict.measure, *verdict.baselines)
    whole = verdict.whole or max(abs(m.value) for m in measures) or 1.0
    bars = "".join(_bar(m, whole, "base" if i else "") for i, m in enumerate(measures))
    numbers = {
        **verdict.facts,
        "parameters": f"{network.trainable:,}",
        "training rows": f"{manifest['data']['rows']['train']:,}",
        "training time": f"{manifest['seconds']:.1f} s",
    }
    listed = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in numbers.items())
    figure = f'<div class="figure">{escape(verdict.measure.text)}</div>'
    return f'<div class="score">{figure}<div class="bars">{bars}</div></div><dl class="numbers">{listed}</dl>'


def _bar(measure: Measure, whole: float, kind: str) -> str:
    width = min(max(100 * measure.value / whole, 0.0), 100.0)
    return (
        f'<span>{escape(measure.name)}</span><span class="bar {kind}"><i style="width:{width:.2f}%"></i></span>'
        f'<span class="n">{escape(measure.text)}</span>'
    )


def _curves(history: Mapping[str, Sequence[float]]) -> str:
    names = [name for name in history if not name.startswith("val_") and f"val_{name}" in history]
    pairs = {name: {"training": history[name], "validation": history[f"val_{name}"]} for name in names}
    charts = (curves(f"{name} by epoch", pair, logarithmic=name == "loss") for name, pair in pairs.items())
    return f'<div class="two">{"".join(f"<section>{chart}</section>" for chart in charts)}</div>'


def _network(network: Summary) -> str:
    rows = [
        [r.path, r.type, " ".join(str(list(shape)) for shape in r.output), f"{r.parameters:,}", f"{r.flops:,}"]
        for r in network.rows
    ]
    parameters, flops = network.trainable + network.non_trainable, sum(r.flops for r in network.rows)
    header = ["layer", "type", "output of a row", "parameters", "FLOPs of a row"]
    return markup.table(header, [*rows, ["total", "", "", f"{parameters:,}", f"{flops:,}"]], numbers=(3, 4))


def _versions(manifest: Mapping[str, Any]) -> str:
    data = {f"{name} data": f"SHA-256 {digest[:16]}..." for name, digest in manifest["data"]["sha256"].items()}
    return markup.facts(
        {"command": manifest["command"], "started": manifest["started"], **manifest["versions"], **data}
    )
