"""Sound classes: recordings into classes, by their frames; encoder and classes live in the model file."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.data import BucketSource, Labels, SoundEncoder, Standardize, bucketed
from thalweg.datasets import Entry
from thalweg.errors import ConfigError
from thalweg.model import Model
from thalweg.page import Table
from thalweg.recipes import classifier as judging
from thalweg.recipes import textfiles
from thalweg.recipes.answers import said_of_rows
from thalweg.recipes.base import Answer, Asked, Material, Trained
from thalweg.recipes.classifier import Judged
from thalweg.recipes.settings import Asking
from thalweg.recipes.sound import clips
from thalweg.recipes.sound import files as soundfiles
from thalweg.recipes.sound.clips import Clips, SoundSettings
from thalweg.recipes.verdict import Verdict, percent

COLUMNS = ("label", "class", "target", "y")
BUCKETS = 4
SHOWN = 16  # recordings with the highest loss


@dataclasses.dataclass(frozen=True)
class SoundClasses:
    """Recordings into classes.

    Args:
        entry: the named data set.
        load: `load(folder, settings)` gives its parts by name, at the rate that the settings say.
    """

    entry: Entry
    load: Callable[[Path | None, Any], Mapping[str, Clips]]
    asking: type[Asking] = Asking

    def gather(self, path: Path | None, settings: SoundSettings) -> Material:
        """The recordings of the data set (`path` may be the folder that has its files), or those at `path`.

        Raises:
            DataError: there is no such data, it is damaged, or has one class only.
            MissingExtraError: a recording is no WAV file, and `soundfile` is not installed.
        """
        named = path is None or soundfiles.holds(path, self.entry)
        found = dict(self.load(path, settings) if named else self._own(path, settings))
        found = clips.with_validation(found, settings, stratified=True)
        records = {
            "sounds": clips.encoder(found, settings, Standardize),
            "labels": Labels.fit(found["train"].texts, "the recordings"),
        }
        made: dict[str, Any] = {part: _rows(given, records) for part, given in found.items()}
        made = {**made, "train": bucketed(*made["train"], number=BUCKETS)}
        source = ", ".join([self.entry.title] * named + [str(path)] * (path is not None))
        return Material(
            **made,
            source=source,
            classes=tuple(map(str, records["labels"].classes)),
            preprocessing=records,
            raw=found["test"],
        )

    def _own(self, path: Path | None, settings: Any) -> dict[str, Clips]:
        assert path is not None
        if getattr(settings, "held_out", None) is not None:
            raise ConfigError(
                f"held_out={settings.held_out!r} is a speaker of {self.entry.title}.\n"
                f"  Leave it out, and set recordings apart yourself: {path}/train and {path}/test."
            )
        return soundfiles.own(path, settings, COLUMNS, stratified=True)

    def blank(self, settings: SoundSettings) -> Material:
        """A second of nothing."""
        mel = clips.log_mel(settings)
        records = {
            "sounds": SoundEncoder(mel, 100, Standardize(0.0, 1.0)),
            "labels": Labels(self.entry.classes),
        }
        part = np.zeros((1, 100, mel.features), np.float32), np.zeros(1, np.int32)
        return Material(part, part, part, self.entry.title, self.entry.classes, records)

    def exam(self, trained: Trained, path: Path) -> Material:
        """Every recording of a table or folder; of a folder with parts, or of the data set's, the test part."""
        if trained.recipe is not None and soundfiles.holds(path, self.entry):
            return self.gather(path, trained.settings)
        known = trained.model.preprocessing
        place = textfiles.parts(path).get("test", path)
        found = soundfiles.told(place, trained.record("sounds").features.sampling_rate, COLUMNS)
        part = _rows(found, known)
        return Material(part, part, part, str(path), trained.classes, known, raw=found)

    def judge(self, model: Model, material: Material) -> Verdict:
        """Accuracy beside the commonest class; confusion matrix, class by class, the worst mistakes by name."""
        (x, y), train = material.test, material.train
        found = judging.judge(model, x, y, material.classes)
        reference = train.y if isinstance(train, BucketSource) else train[1]
        return judging.verdict(found, reference, "recordings", [_worst(found, material.raw.names)])

    def samples(self, material: Material, folder: Path) -> tuple[str, ...]:
        """A few test recordings, with a table of their classes."""
        rate = material.preprocessing["sounds"].features.sampling_rate
        return (str(clips.write_samples(material.raw, rate, COLUMNS[0], folder)),)

    def answers(self, trained: Trained, asked: Asked) -> list[Answer]:
        """What the model says of a recording, or of each in a folder or table; what these say stands beside it."""
        encoder = trained.record("sounds")
        rate = encoder.features.sampling_rate
        found = soundfiles.read(asked.only_file(), rate, COLUMNS)
        x, _ = clips.fitting(encoder, found.sounds)(found.sounds)
        return said_of_rows(trained, x, clips.described(found, rate, "label"))


def _rows(given: Clips, records: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    # features [rows, frames, bands], 0 behind their ends, and class numbers
    x, _ = clips.fitting(records["sounds"], given.sounds)(given.sounds)
    return x, records["labels"](given.texts, "the recordings")


def _worst(judged: Judged, names: list[str]) -> Table:
    shown = judged.hardest(SHOWN).tolist()
    rows = [_line(names[row], row, judged) for row in shown]
    header = ["recording", "is", "with", "called", "with"]
    return Table(judging.hardest_title(judged, len(shown)), header, rows, numbers=(2, 4))


def _line(name: str, row: int, judged: Judged) -> tuple[str, ...]:
    said = [(judged.classes[k], percent(float(judged.probabilities[row, k]))) for k in judged.pair(row)]
    return name, *said[0], *said[1]
