"""transcripts: recordings into the text that is said in them, by CTC over characters.

    recording -> log-mel frames -> network -> a distribution over characters and the blank for each step -> text

Texts are in capitals with single spaces: how a letter is written is not heard. Rates are of the texts, not of the
batches: all edits divided by all words (WER) or characters (CER) of the test part.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from thalweg import ops
from thalweg.data import BucketSource, Characters, PerUtterance, SoundEncoder, Standardize, bucketed, pad
from thalweg.datasets import Entry
from thalweg.errors import DataError
from thalweg.model import Model
from thalweg.recipes import paths
from thalweg.recipes.base import Answer, Asked, Facts, Material, Trained
from thalweg.recipes.settings import Asking
from thalweg.recipes.sound import clips, features, files
from thalweg.recipes.sound.clips import Clips
from thalweg.recipes.sound.features import SoundSettings
from thalweg.recipes.sound.verdict import verdict
from thalweg.recipes.verdict import Verdict

COLUMNS = ("text", "sentence", "transcript", "transcription")
BUCKETS = 4
BEAM = 16  # prefixes that go on, where the test part is judged
BATCH = 32  # recordings that are heard at once at `predict`
SMALLEST = float(np.finfo(np.float32).tiny)

Scale = Annotated[Literal["utterance", "global"], Field(description="whose mean and deviation become 0 and 1")]
"""Each recording's own take away what its microphone adds; those of the training part keep how loud a frame is."""


class Decoding(Asking):
    """How outputs become a text."""

    beam: Annotated[int, Field(ge=1, le=1000, description="prefixes that go on; 1 reads the likeliest classes")] = BEAM


class SpeechSettings(SoundSettings):
    """What every recipe of transcripts has."""

    scale: Scale = "utterance"


@dataclasses.dataclass(frozen=True)
class Transcripts:
    """Recordings into texts.

    Args:
        entry: the named data set.
        load: `load(folder)` gives its parts for training and for the test, as (sounds, texts) each.
        rate: samples a second of these sounds.
        stride: how many frames a step of the network's output stands for.
    """

    entry: Entry
    load: Callable[[Any], Sequence[tuple[list[np.ndarray], Sequence[str]]]]
    rate: int
    stride: int
    asking: type[Asking] = Decoding
    facts: type[Facts] = Facts

    def gather(self, path: Path | None, settings: SpeechSettings) -> Material:
        """The recordings of the data set (`path` may be the folder that has its files), or those at `path`.

        Raises:
            DataError: there is no such data, it is damaged, or a text is too long for its recording.
            MissingExtraError: the recordings are no WAV files, and `soundfile` is not installed.
        """
        named = path is None or files.holds(path, self.entry)
        if path is None or named:
            parts = self._published(path, settings)
        else:
            parts = files.own(path, settings, COLUMNS, stratified=False)
        copies = clips.copies(parts)
        parts = clips.with_validation(parts, settings, stratified=False)
        records = _records(parts, settings)
        rows: dict[str, Any] = {name: self._rows(part, records) for name, part in parts.items()}
        rows["train"] = bucketed(*rows["train"], number=BUCKETS)
        note = "" if path is None or named else paths.roles(paths.parts(path))
        source = paths.source(self.entry.title if named else None, path, note)
        return Material(**rows, source=source, preprocessing=records, raw=parts["test"], copies=copies)

    def _published(self, path: Path | None, settings: SpeechSettings) -> dict[str, Clips]:
        pairs = zip(("train", "test"), self.load(path), strict=True)
        return {part: clips.of_rows(*pair, self.rate, settings.sampling_rate) for part, pair in pairs}

    def blank(self, settings: SpeechSettings) -> Material:
        """Two seconds of nothing, and the letters from A to Z."""
        mel, letters = features.log_mel(settings), Characters.fit([" '" + "".join(map(chr, range(65, 91)))])
        part = np.zeros((1, 200, mel.features), np.float32), np.zeros((1, 1), np.int32)
        return Material(
            part, part, part, self.entry.title, preprocessing={"sounds": SoundEncoder(mel, 200), "letters": letters}
        )

    def exam(self, trained: Trained, path: Path) -> Material:
        """Every recording of a table; of a folder with parts, or of the data set's, the test part."""
        if trained.recipe is not None and files.holds(path, self.entry):
            return self.gather(path, trained.settings)
        place = paths.judged(path)
        recordings = files.labelled(place, trained.record("sounds").features.sampling_rate, COLUMNS)
        part = self._rows(recordings, trained.model.preprocessing)
        return Material(part, part, part, str(place), preprocessing=trained.model.preprocessing, raw=recordings)

    def judge(self, model: Model, material: Material) -> Verdict:
        """Word and character error rates beside what is said most often; what was heard beside what was said."""
        records, said = material.preprocessing, [plain(text) for text in material.raw.texts]
        training = said if material.train is material.test else _texts(material.train, records["letters"])
        steps, lengths = self._outputs(model, records, material.raw.sounds)
        heard = {
            name: decode(steps, lengths, records["letters"], beam) for name, beam in (("beam", BEAM), ("greedy", 1))
        }
        return verdict(said, heard["beam"], heard["greedy"], training, material.raw.names)

    def samples(self, material: Material, folder: Path) -> tuple[str, ...]:
        """A few test recordings, with a table of what is said in them."""
        rate = material.preprocessing["sounds"].features.sampling_rate
        return (str(clips.write_samples(material.raw, rate, COLUMNS[0], folder)),)

    def answers(self, trained: Trained, asked: Asked) -> list[Answer]:
        """What is heard in a recording, or in each of a table; what the table says stands beside it."""
        rate = trained.record("sounds").features.sampling_rate
        recordings = files.read(asked.only_file(), rate, COLUMNS)
        steps, lengths = self._outputs(trained.model, trained.model.preprocessing, recordings.sounds)
        heard = decode(steps, lengths, trained.record("letters"), getattr(asked.how, "beam", BEAM))
        columns = clips.columns(recordings, rate, "said")
        return [{**row, "heard": text} for row, text in zip(columns, heard, strict=True)]

    def _rows(self, part: Clips, records: Any) -> tuple[np.ndarray, np.ndarray]:
        # features [rows, frames, bands] and letters [rows, n], 0 behind their ends
        x, lengths = features.fit_room(records["sounds"], part.sounds)(part.sounds)
        ids = records["letters"]([plain(text) for text in part.texts or []])
        for name, row, frames in zip(part.names, ids, lengths.tolist(), strict=True):
            needed, steps = len(row) + int((row[1:] == row[:-1]).sum()), -(-frames // self.stride)
            if not len(row) or needed > steps:
                what = f"its text needs {needed} steps, and it has {steps}" if len(row) else "nothing is said in it"
                raise DataError(f"{name}: {what}.\n  See whether the text is of this recording, or leave it out.")
        return x, pad(ids, max(map(len, ids)))

    def _outputs(self, model: Model, records: Any, sounds: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        # log-probabilities [rows, steps, classes], and the real steps of each row
        x, lengths = features.fit_room(records["sounds"], sounds)(sounds)
        p = np.asarray(model.predict(x, batch_size=BATCH), np.float64)
        return np.log(np.maximum(p, SMALLEST)), -(-lengths // self.stride)


def decode(steps: np.ndarray, lengths: np.ndarray, letters: Characters, beam: int) -> list[str]:
    """The texts that outputs say: by the likeliest class of each step (`beam=1`), or by beam search over prefixes.

    Args:
        steps: log-probabilities [rows, steps, classes]; class 0 is the blank.
        lengths: the real steps of each row.
        letters: from classes to characters.
        beam: how many prefixes go on.
    """
    if beam == 1:
        ids = ops.ctc_greedy(steps.astype(np.float32), lengths)
    else:
        ids = ops.ctc_beam(steps, lengths, beam)[0][:, 0]
    return [plain(letters.inverse(row[row > 0])) for row in np.asarray(ids)]


def plain(text: str) -> str:
    """A text in capitals, with single spaces.

    >>> plain("Turn  left ")
    'TURN LEFT'
    """
    return " ".join(text.upper().split())


def _records(parts: dict[str, Clips], settings: SpeechSettings) -> dict[str, Any]:
    scale = PerUtterance() if settings.scale == "utterance" else Standardize
    texts = [plain(text) for text in parts["train"].texts or []]
    return {"sounds": features.encoder(parts, settings, scale), "letters": Characters.fit(texts)}


def _texts(part: Any, letters: Characters) -> list[str]:
    ids = part.y if isinstance(part, BucketSource) else part[1]
    return [letters.inverse(row[row > 0]) for row in ids]
