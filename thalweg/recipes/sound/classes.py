"""classes: recordings into classes, by their frames; encoder and classes live in the model file."""

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
from thalweg.recipes import classifier, paths
from thalweg.recipes.answers import of_rows
from thalweg.recipes.base import Answer, Asked, Facts, Material, Trained
from thalweg.recipes.classifier import Predictions
from thalweg.recipes.settings import Asking
from thalweg.recipes.sound import clips, features, files
from thalweg.recipes.sound.clips import Clips
from thalweg.recipes.sound.features import SoundSettings
from thalweg.recipes.verdict import Verdict

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
    facts: type[Facts] = Facts

    def gather(self, path: Path | None, settings: SoundSettings) -> Material:
        """The recordings of the data set (`path` may be the folder that has its files), or those at `path`.

        Raises:
            DataError: there is no such data, it is damaged, or has one class only.
            MissingExtraError: a recording is no WAV file, and `soundfile` is not installed.
        """
        named = path is None or files.holds(path, self.entry)
        parts = dict(self.load(path, settings) if path is None or named else self._own(path, settings))
        copies = clips.copies(parts)
        parts = clips.with_validation(parts, settings, stratified=True)
        note = "" if path is None or named else paths.roles(paths.parts(path))
        records = {
            "sounds": features.encoder(parts, settings, Standardize),
            "labels": Labels.fit(parts["train"].texts, "the recordings"),
        }
        rows: dict[str, Any] = {name: _rows(part, records) for name, part in parts.items()}
        rows["train"] = bucketed(*rows["train"], number=BUCKETS)
        return Material(
            **rows,
            source=paths.source(self.entry.title if named else None, path, note),
            classes=tuple(map(str, records["labels"].classes)),
            preprocessing=records,
            raw=parts["test"],
            copies=copies,
        )

    def _own(self, path: Path, settings: Any) -> dict[str, Clips]:
        if getattr(settings, "held_out", None) is not None:
            raise ConfigError(
                f"held_out={settings.held_out!r} is a speaker of {self.entry.title}.\n"
                f"  Leave it out, and set recordings apart yourself: {path}/train and {path}/test."
            )
        return files.own(path, settings, COLUMNS, stratified=True)

    def blank(self, settings: SoundSettings) -> Material:
        """A second of nothing."""
        mel = features.log_mel(settings)
        records = {
            "sounds": SoundEncoder(mel, 100, Standardize(0.0, 1.0)),
            "labels": Labels(self.entry.classes),
        }
        part = np.zeros((1, 100, mel.features), np.float32), np.zeros(1, np.int32)
        return Material(part, part, part, self.entry.title, self.entry.classes, records)

    def exam(self, trained: Trained, path: Path) -> Material:
        """Every recording of a table or folder; of a folder with parts, or of the data set's, the test part."""
        if trained.recipe is not None and files.holds(path, self.entry):
            return self.gather(path, trained.settings)
        records = trained.model.preprocessing
        place = paths.judged(path)
        recordings = files.labelled(place, trained.record("sounds").features.sampling_rate, COLUMNS)
        part = _rows(recordings, records)
        return Material(part, part, part, str(place), trained.classes, records, raw=recordings)

    def judge(self, model: Model, material: Material) -> Verdict:
        """Accuracy beside the commonest class; confusion matrix, class by class, the worst mistakes by name."""
        (x, y), train = material.test, material.train
        predictions = classifier.predictions(model, x, y, material.classes)
        reference = train.y if isinstance(train, BucketSource) else train[1]
        return classifier.verdict(predictions, reference, "recordings", [_worst(predictions, material.raw.names)])

    def samples(self, material: Material, folder: Path) -> tuple[str, ...]:
        """A few test recordings, with a table of their classes."""
        rate = material.preprocessing["sounds"].features.sampling_rate
        return (str(clips.write_samples(material.raw, rate, COLUMNS[0], folder)),)

    def answers(self, trained: Trained, asked: Asked) -> list[Answer]:
        """What the model says of a recording, or of each in a folder or table; what these say stands beside it."""
        encoder = trained.record("sounds")
        rate = encoder.features.sampling_rate
        recordings = files.read(asked.only_file(), rate, COLUMNS)
        x, _ = features.fit_room(encoder, recordings.sounds)(recordings.sounds)
        return of_rows(trained, x, clips.columns(recordings, rate, "label"))


def _rows(part: Clips, records: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    # features [rows, frames, bands], 0 behind their ends, and class numbers
    x, _ = features.fit_room(records["sounds"], part.sounds)(part.sounds)
    return x, records["labels"](part.texts, "the recordings")


def _worst(predictions: Predictions, names: list[str]) -> Table:
    rows = predictions.hardest(SHOWN).tolist()
    lines = [(names[row], *truth, *answer) for row in rows for truth, answer in [predictions.truth_and_answer(row)]]
    header = ["recording", "is", "with", "called", "with"]
    return Table(classifier.hardest_title(predictions, len(rows)), header, lines, numbers=(2, 4))
