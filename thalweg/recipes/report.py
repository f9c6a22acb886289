"""report: a run on one page: its result beside baselines, curves, the verdict, network, settings, versions."""

from collections.abc import Mapping, Sequence
from typing import Any

from thalweg import page
from thalweg.core.summary import Summary
from thalweg.page import Curve, Facts, Score, Table
from thalweg.recipes.verdict import Verdict


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
    return page.render(
        f"{manifest['recipe']}: {verdict.heading}",
        " · ".join(filter(None, subtitle)),
        [_score(verdict, manifest, network)],
        _curves(history),
        verdict.sections,
        [_network(network), Facts("Settings", manifest["config"]), _versions(manifest)],
    )


def _score(verdict: Verdict, manifest: Mapping[str, Any], network: Summary) -> Score:
    measures = (verdict.measure, *verdict.baselines)
    numbers = {
        **verdict.facts,
        "parameters": f"{network.trainable:,}",
        "training rows": f"{manifest['data']['rows']['train']:,}",
        "training time": f"{manifest['seconds']:.1f} s",
    }
    return Score("Result", measures, verdict.whole or max(abs(m.value) for m in measures) or 1.0, numbers)


def _curves(history: Mapping[str, Sequence[float]]) -> list[Curve]:
    names = [name for name in history if not name.startswith("val_") and f"val_{name}" in history]
    pairs = {name: {"training": history[name], "validation": history[f"val_{name}"]} for name in names}
    return [Curve(f"{name} by epoch", pair, logarithmic=name == "loss", heading=False) for name, pair in pairs.items()]


def _network(network: Summary) -> Table:
    rows = [
        [r.path, r.type, " ".join(str(list(shape)) for shape in r.output), f"{r.parameters:,}", f"{r.flops:,}"]
        for r in network.rows
    ]
    parameters, flops = network.trainable + network.non_trainable, sum(r.flops for r in network.rows)
    header = ["layer", "type", "output of a row", "parameters", "FLOPs of a row"]
    return Table("Network", header, [*rows, ["total", "", "", f"{parameters:,}", f"{flops:,}"]], numbers=(3, 4))


def _versions(manifest: Mapping[str, Any]) -> Facts:
    data = {f"{name} data": f"SHA-256 {digest[:16]}..." for name, digest in manifest["data"]["sha256"].items()}
    run = {"command": manifest["command"], "started": manifest["started"]}
    return Facts("Made with", {**run, **manifest["versions"], **data})
