"""kind: forecasts; the next rows of a series from its last ones."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from thalweg.data import Series, Standardize, forecast_windows, next_times
from thalweg.errors import DataError, FormatError
from thalweg.forms import Count, Form
from thalweg.model import Model
from thalweg.recipes import paths
from thalweg.recipes.base import Answer, Asked, Facts, Material, Trained
from thalweg.recipes.series import files, windows
from thalweg.recipes.series.corpora import CORPORA, Corpus
from thalweg.recipes.series.errors import Units, seasonal_error
from thalweg.recipes.series.reach import Reach, choose, usual
from thalweg.recipes.series.verdict import verdict
from thalweg.recipes.settings import Asking, Names, Settings, Share
from thalweg.recipes.verdict import Verdict

SAMPLES = "samples.csv"
SPREAD = 1.5  # months are 28 to 31 days, business days 1 to 3
CorpusName = Annotated[
    Literal["ett", "airline", "exchange", "temperatures", "sunspots"], Field(description=f"{', '.join(CORPORA)}")
]


class SeriesSettings(Settings):
    """What every forecast has; what is not set is as usual for the series."""

    corpus: CorpusName = "ett"
    history: Annotated[int | None, Field(ge=2, description="rows that are seen")] = None
    horizon: Annotated[int | None, Field(ge=1, description="rows that are predicted")] = None
    period: Annotated[int | None, Field(ge=1, description="rows after which a season comes again; 1: none")] = None
    stride: Annotated[int, Field(ge=1, description="rows from one training window to the next")] = 1
    target: Names = None
    variables: Annotated[
        Literal["apart", "together"],
        Field(description="each target from its own past by one network for all, or from all variables together"),
    ] = "apart"
    values: Annotated[Literal["plain", "log"], Field(description="as they are, or their logarithms")] = "plain"
    test_split: Annotated[Share, Field(description="the share of one's own file that tests, its last rows")] = 0.2
    time: Annotated[str | None, Field(description="the column of times, where it is not found")] = None
    missing: Annotated[
        Literal["refuse", "forward"], Field(description="a missing value is refused, or the value before is repeated")
    ] = "refuse"
    decimal: Annotated[
        Literal[".", ","] | None, Field(description="the sign before decimals; found where it is not set")
    ] = None
    thousands: Annotated[
        Literal[",", ".", "'", "space"] | None, Field(description="the sign between thousands, or space; likewise")
    ] = None
    spacing: Annotated[Literal["even", "any"], Field(description="times are even, or rows are counted as steps")] = (
        "even"
    )


class Reached(Form, extra="allow"):
    """Which variables are known and predicted, and how far a forecast looks back and ahead."""

    variables: list[str]
    targets: list[Count]
    values: Literal["plain", "log"]
    history: Annotated[int, Field(ge=1)]
    horizon: Annotated[int, Field(ge=1)]
    period: Annotated[int, Field(ge=1)]
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _known(self) -> "Reached":
        if any(place >= len(self.variables) for place in self.targets):
            raise FormatError("targets are no variables of it")
        return self


class Forecasting(Facts):
    """The series."""

    series: Reached


@dataclass(frozen=True)
class Forecasts:
    """The series of `CORPORA`, or a person's own CSV file."""

    asking: type[Asking] = Asking
    facts: type[Facts] = Forecasting

    def gather(self, path: Path | None, settings: SeriesSettings) -> Material:
        """The series that `corpus` names (`path` may be the folder that has it), or the one in the file `path`.

        The scale, and the season's error that MASE divides by, are those of the training rows.

        Raises:
            DataError: there is no such file, or it is damaged, has gaps or is too short.
            ConfigError: a target that it does not have, a reach that does not fit it.
        """
        corpus = CORPORA[settings.corpus] if path is None or CORPORA[settings.corpus].is_at(path) else None
        series = files.read(path, settings) if corpus is None else corpus.module.load_data(path)
        reach = choose(settings, usual(series) if corpus is None else corpus.usual)
        series, targets = windows.prepare(series, settings)
        parts = windows.parts(series, targets, settings, corpus, reach)
        assert isinstance(parts.scale, Standardize)
        facts = {
            **_facts(series, targets, reach, settings),
            "season": _season(series, targets, parts.borders[0], reach, settings),
            "published": _published(corpus, reach, settings),
        }
        source = paths.source(corpus and corpus.entry.title, path, parts.note)
        records = {"scale": parts.scale}
        return Material(parts.train, parts.validation, parts.test, source, (), records, {"series": facts}, series)

    def blank(self, settings: SeriesSettings) -> Material:
        """A window of zeros with the named series' variables."""
        corpus = CORPORA[settings.corpus]
        reach, (variables,) = choose(settings, corpus.usual), corpus.entry.shape
        names = [*map(str, range(variables))] if settings.target is None else settings.target
        several = range(variables) if settings.variables == "together" else range(len(names))
        series = Series.of(np.zeros((reach.history + reach.horizon, len(several))))
        targets = tuple(several)[: len(names)]
        part = forecast_windows(series, reach.history, reach.horizon, targets=targets)
        scale = Standardize((0.0,) * len(several), (1.0,) * len(several))
        facts = _facts(series, targets, reach, settings)
        return Material(
            part, part, part, corpus.entry.title, preprocessing={"scale": scale}, facts={"series": facts}, raw=series
        )

    def exam(self, trained: Trained, path: Path) -> Material:
        """Every window of a person's file, scaled as the model's own data was."""
        if CORPORA[trained.settings.corpus].is_at(path):
            return self.gather(path, trained.settings)
        facts, scale = trained.manifest["series"], trained.record("scale")
        series, _ = windows.prepare(_like(trained, path), trained.settings)
        scaled = Series(scale(series.values), series.names, series.times)
        part = forecast_windows(scaled, facts["history"], facts["horizon"], targets=facts["targets"])
        return Material(part, part, part, str(path), (), trained.model.preprocessing, {"series": facts}, series)

    def judge(self, model: Model, material: Material) -> Verdict:
        """Errors beside those of the last value, last season, the drift and a linear map; a few forecasts as curves."""
        return verdict(model.predict, material, units_of(material.preprocessing, material.facts["series"]))

    def samples(self, material: Material, folder: Path) -> tuple[str, ...]:
        """The last rows of the test part, as a table like the one the series was read from."""
        series, source = material.raw, material.test
        end = int(source.starts[-1]) + source.history + source.horizon
        rows = slice(max(0, end - source.history), end)
        units = units_of(material.preprocessing, material.facts["series"])
        values = np.exp(series.values[rows]) if units.logarithm else series.values[rows]
        lines = [list(series.names), *([repr(v) for v in row] for row in values.tolist())]
        if series.times is not None:
            lines = [[first, *line] for first, line in zip(["time", *map(str, series.times[rows])], lines, strict=True)]
        with (folder / SAMPLES).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(lines)
        return (str(folder / SAMPLES),)

    def answers(self, trained: Trained, asked: Asked) -> list[Answer]:
        """The rows that follow the file's last one, with their times; the last `history` rows are read."""
        facts, scale, path = trained.manifest["series"], trained.record("scale"), asked.only_file()
        series, _ = windows.prepare(_like(trained, path), trained.settings)
        if len(series) < facts["history"]:
            raise DataError(
                f"{path} has {len(series)} rows; the model looks back on {facts['history']}.\n"
                "  Give it at least so many, the newest last."
            )
        x = scale(series.values[-facts["history"] :])[None].astype(np.float32)
        units = units_of(trained.model.preprocessing, facts).of(facts["targets"])
        forecast = units(np.asarray(trained.model.predict(x))[0])  # [horizon, targets]
        names = [series.names[i] for i in facts["targets"]]
        times = _times(series, facts["horizon"])
        rows = (dict(zip(names, row, strict=True)) for row in forecast.tolist())
        return [{"step": i + 1, **({"time": times[i]} if times else {}), **row} for i, row in enumerate(rows)]


def units_of(records: Mapping[str, Any], facts: Mapping[str, Any]) -> Units:
    """The way back to the values that people have."""
    scale = records["scale"]
    return Units(np.asarray(scale.mean), np.asarray(scale.std), facts["values"] == "log")


def _facts(series: Series, targets: Sequence[int], reach: Reach, settings: SeriesSettings) -> dict[str, Any]:
    variables = {"variables": list(series.names), "targets": list(targets), "values": settings.values}
    return {**variables, **reach._asdict(), "season": None, "published": [], "seconds": _apart(series)}


def _season(series: Series, targets: Sequence[int], rows: int, reach: Reach, settings: SeriesSettings) -> Any:
    values = series.values[:rows, list(targets)]
    return seasonal_error(np.exp(values) if settings.values == "log" else values, reach.period)


def _published(corpus: Corpus | None, reach: Reach, settings: SeriesSettings) -> list[Any]:
    """The results stated on the same variables, values and horizon."""
    same = settings.target is None and settings.values == "plain"
    if corpus is None or not same or reach.horizon != corpus.usual.horizon:
        return []
    return [list(line) for line in corpus.published]


def _like(trained: Trained, path: Path) -> Series:
    """A file of the series that the model was trained on, whose columns may stand in another order.

    Raises:
        DataError: its rows are not as far apart.
    """
    series = files.read(path, trained.settings, trained.manifest["series"]["variables"])
    known, here = trained.manifest["series"].get("seconds"), _apart(series)
    if known and here and not 1 / SPREAD < here / known < SPREAD:
        raise DataError(
            f"{path} has a row every {_said(here)}; the model was trained on a row every {_said(known)}.\n"
            "  Give it a series with the same step, or train a model on this one."
        )
    return series


def _apart(series: Series) -> float | None:
    """How far apart the rows are, in seconds, in the middle of all; None where no times are known."""
    if series.times is None or len(series) < 2:
        return None
    return float(np.median(np.diff(series.times.astype("datetime64[ms]").astype(np.int64)))) / 1000


def _said(seconds: float) -> str:
    units = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
    unit, length = next((unit for unit in units if seconds >= unit[1]), units[-1])
    return unit if seconds == length else f"{seconds / length:.4g} {unit}s"


def _times(series: Series, count: int) -> list[str]:
    """The times to come as people write them; none where they are not known."""
    try:
        times = [] if series.times is None else next_times(series.times, count)
    except DataError:
        return []
    return [str(t).replace("T00:00:00", "").replace("T", " ") for t in times]
