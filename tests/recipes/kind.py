"""A kind of application that is none of ours: the next number of a series, streamed, scaled, and typed as text."""

import dataclasses
from pathlib import Path

import numpy as np

from thalweg import layers
from thalweg.data import Standardize
from thalweg.errors import DataError
from thalweg.model import Sequential
from thalweg.page import Curve, Measure, Sample, Samples, Table
from thalweg.recipes.base import Facts, Material, Recipe
from thalweg.recipes.catalog import Line
from thalweg.recipes.settings import Asking, Settings
from thalweg.recipes.verdict import Verdict

EVIL = "<script>alert('a&b')</script>"
CONTEXT = 4


class Windows:
    """A source: windows over a series by the place they begin at."""

    def __init__(self, series):
        self.series = np.asarray(series, np.float32)

    def __len__(self):
        return len(self.series) - CONTEXT

    def __getitem__(self, rows):
        places = np.asarray(rows)[:, None] + np.arange(CONTEXT + 1)
        taken = self.series[places]
        return taken[:, :-1], taken[:, -1:]


class HowFar(Asking):
    """How many numbers are asked for."""

    ahead: int = 1


@dataclasses.dataclass(frozen=True)
class NextNumber:
    asking: type[Asking] = HowFar
    facts: type[Facts] = Facts

    def gather(self, path, settings):
        if path is None:
            raise DataError("no series is named.\n  Write --data FILE.")
        series = np.loadtxt(path, ndmin=1)
        scaler = Standardize.fit(series[:-60, None])
        scaled = scaler(series[:, None])[:, 0]
        parts = (Windows(part) for part in (scaled[:-60], scaled[-60:-30], scaled[-30:]))
        return Material(*parts, str(path), preprocessing={"scaler": scaler}, facts={"unit": "m"}, raw=series[-30:])

    def blank(self, settings):
        part = Windows(np.zeros(CONTEXT + 1))
        return Material(part, part, part, "a series")

    def exam(self, trained, path):
        part = Windows(trained.record("scaler")(np.loadtxt(path)[:, None])[:, 0])
        return Material(part, part, part, str(path))

    def judge(self, model, material):
        x, y = material.test[np.arange(len(material.test))]
        ours, naive = (float(np.mean((guess - y) ** 2)) for guess in (model.predict(x), x[:, -1:]))
        return Verdict(
            measure=Measure("test MSE", ours, f"{ours:.3f}"),
            baselines=[Measure("the last value", naive, f"{naive:.3f}")],
            scores={"mse": ours, "naive": naive},
            line=f"Test MSE {ours:.4f}. The last value gives {naive:.4f}.",
            heading=f"MSE {ours:.3f}",
            sections=[
                Table(f"Table {EVIL}", ["what", "is"], [[EVIL, "1"]], numbers=(1,), prose=(0,)),
                Curve("Forecast", {"truth": y[:, 0].tolist(), EVIL: x[:, -1].tolist()}, axis="hour"),
                Samples("Written", [Sample(f"two\nlines {EVIL}", EVIL)]),
            ],
            details={"errors": [ours, naive]},
            whole=None,
        )

    def samples(self, material, folder: Path):
        return ("--text", " ".join(f"{v:.3f}" for v in material.raw[:CONTEXT]))

    def answers(self, trained, asked):
        scaler, out = trained.record("scaler"), []
        for row, text in enumerate(asked.texts):
            known = scaler(np.array(text.split(), np.float64)[:, None])[:, 0].tolist()
            for _ in range(asked.how.ahead):
                known.append(float(trained.model.predict(np.array([known[-CONTEXT:]], np.float32))[0, 0]))
            found = scaler.inverse(np.array(known)[-asked.how.ahead :, None])[:, 0].tolist()
            out.append({"row": row, "text": text, "next": found[0], "values": found, "unit": trained.manifest["unit"]})
        return out


class LineSettings(Settings):
    batch_size: int = 8
    learning_rate: float = 0.05


def build(settings, material):
    model = Sequential([layers.Dense(1, input_shape=(CONTEXT,))])
    model.compile("adam", "mse", seed=settings.seed)
    model.learning_rate = settings.learning_rate
    return model


RECIPE = Recipe(NextNumber(), LineSettings, build)
LINE = Line(f"{__name__}:RECIPE", "the next number", "a series", "1 s", "a line")
