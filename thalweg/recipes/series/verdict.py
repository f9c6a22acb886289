"""verdict: a forecast's errors beside its rivals', step by step, and a few forecasts as curves."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg.page import Curve, Measure, Section, Table
from thalweg.recipes.base import Material
from thalweg.recipes.series.baseline import Forecast, rivals
from thalweg.recipes.series.corpora import SOURCE
from thalweg.recipes.series.errors import Errors, Units, measure
from thalweg.recipes.verdict import Verdict

OURS = "this model"
SHOWN = 6  # forecasts that the page shows
KEYS = {"last value": "naive", "last season": "seasonal_naive", "drift": "drift", "linear map": "linear"}


def verdict(predict: Forecast, material: Material, units: Units) -> Verdict:
    """The mean squared error of scaled values over all windows of the test part, beside what needs no learning."""
    facts, test = material.facts["series"], material.test
    train = None if material.train is material.test else material.train  # a file to be judged by teaches nothing
    others = rivals(test, facts["period"], train)
    forecasts: dict[str, Forecast] = {OURS: lambda x: np.asarray(predict(x)), **others}
    units = units.of(test.targets)
    errors = measure(forecasts, test, units)
    season = None if facts["season"] is None else np.asarray(facts["season"])
    ours = errors[OURS]
    return Verdict(
        measure=_measure("test MSE", ours),
        baselines=[_measure(name, errors[name]) for name in others],
        scores=_scores(errors, season, len(test)),
        line=_line(errors, facts),
        heading=f"MSE {ours.mse:.3f}",
        note=f"{facts['horizon']} steps ahead of {facts['history']}, {len(test):,} test windows",
        facts={"test MAE": f"{ours.mae:.4f}", **_mase(ours, season), "horizon": str(facts["horizon"])},
        sections=[
            _comparison(errors, season, facts),
            _by_step(errors),
            *_variables(errors, season, facts),
            *_examples(forecasts, material, units),
        ],
        details={"mse_by_step": {name: e.square.mean(1).tolist() for name, e in errors.items()}},
        whole=None,
    )


def _measure(name: str, errors: Errors) -> Measure:
    return Measure(name, errors.mse, f"{errors.mse:.3f}")


def _scores(errors: Mapping[str, Errors], season: np.ndarray | None, windows: int) -> dict[str, Any]:
    scores: dict[str, Any] = {"rows": windows}
    for name, e in errors.items():
        end = "" if name == OURS else f"{KEYS[name]}"
        scores |= {end or "mse": e.mse, f"{end}_mae".strip("_"): e.mae}
        if season is not None:
            scores[f"{end}_mase".strip("_")] = e.mase(season)
    return scores


def _line(errors: Mapping[str, Errors], facts: Mapping[str, Any]) -> str:
    others = ", ".join(f"{name} {e.mse:.4f}" for name, e in errors.items() if name != OURS)
    ours, stated = errors[OURS], ", ".join(f"{name} {mse}" for name, mse, _ in facts["published"])
    literature = f" {SOURCE} states {stated}." if stated else ""
    return f"Test MSE {ours.mse:.4f}, MAE {ours.mae:.4f} on scaled values. Without learning: {others}.{literature}"


def _mase(errors: Errors, season: np.ndarray | None) -> dict[str, str]:
    return {} if season is None else {"test MASE": f"{errors.mase(season):.4f}"}


def _comparison(errors: Mapping[str, Errors], season: np.ndarray | None, facts: Mapping[str, Any]) -> Section:
    rows = [[name, *_numbers(e, season)] for name, e in errors.items()]
    rows += [[f"{name}, Zeng et al. 2023", str(mse), str(mae), ""] for name, mse, mae in facts["published"]]
    return Table(
        "Beside what needs no learning", ["forecast", "MSE", "MAE", "MASE"], rows, numbers=(1, 2, 3), half=True
    )


def _numbers(errors: Errors, season: np.ndarray | None) -> list[str]:
    mase = errors.mase(season)
    return [f"{errors.mse:.4f}", f"{errors.mae:.4f}", "" if mase is None else f"{mase:.4f}"]


def _by_step(errors: Mapping[str, Errors]) -> Section:
    series = {name: e.square.mean(1).tolist() for name, e in errors.items() if name != "drift"}
    return Curve("MSE by steps ahead", series, axis="steps ahead")


def _variables(errors: Mapping[str, Errors], season: np.ndarray | None, facts: Mapping[str, Any]) -> list[Section]:
    """Each target's errors, also in the units that people have."""
    rows = []
    for k, place in enumerate(facts["targets"]):
        of_target = {name: Errors(*(e[:, [k]] for e in (f.square, f.absolute, f.units))) for name, f in errors.items()}
        own = None if season is None else season[[k]]
        rival = of_target.get("last season", of_target["last value"])
        ours = [f"{of_target[OURS].units.mean():.4g}", f"{rival.units.mean():.4g}"]
        rows.append([facts["variables"][place], *_numbers(of_target[OURS], own), *ours])
    best = "last season" if "last season" in errors else "last value"
    header = ["variable", "MSE", "MAE", "MASE", "MAE in its units", f"{best}: MAE in its units"]
    return [Table("Variable by variable", header, rows, numbers=(1, 2, 3, 4, 5))]


def _examples(forecasts: Mapping[str, Forecast], material: Material, units: Units) -> list[Section]:
    """Forecasts from windows spread over the test part, the targets in turn."""
    source = material.test
    rows = np.unique(np.linspace(0, len(source) - 1, SHOWN).round().astype(int))
    x, y = source[rows]
    past, truth = units(x[..., list(source.targets)]), units(y)
    rival = "last season" if "last season" in forecasts else "last value"
    answers = {name: units(forecasts[name](x)) for name in (OURS, rival)}
    length = min(source.history, 2 * source.horizon + 1)
    before = [float("nan")] * (length - 1)
    curves: list[Section] = []
    for i, row in enumerate(rows):
        k = i % len(source.targets)
        seen = past[i, -length:, k].tolist()
        lines = {"truth": seen + truth[i, :, k].tolist()}
        lines |= {name: [*before, seen[-1], *values[i, :, k].tolist()] for name, values in answers.items()}
        curves.append(Curve(_title(material, int(row), k), lines, axis="steps ahead", first=1 - length))
    return curves


def _title(material: Material, row: int, k: int) -> str:
    source, series = material.test, material.raw
    name, first = series.names[source.targets[k]], int(source.starts[row]) + source.history
    when = (
        f"row {first}" if series.times is None else str(series.times[first]).replace("T00:00:00", "").replace("T", " ")
    )
    return f"{name} from {when}"
