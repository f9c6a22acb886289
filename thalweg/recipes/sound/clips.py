"""clips: recordings with what is said of them, their parts, and a few to try a model on."""

import csv
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thalweg.data import equal_rows, resample, split
from thalweg.errors import ConfigError, DataError
from thalweg.recipes.copies import Counted, in_rows
from thalweg.recipes.settings import Settings

TRIED = 5  # test recordings set apart for a first `predict`
FOLDER = "samples"


class Clips(NamedTuple):
    """Recordings, float32 [samples] each; what is said of each, where something is; what each is called."""

    sounds: list[np.ndarray]
    texts: list[str] | None
    names: list[str]

    def at(self, rows: Sequence[int]) -> "Clips":
        """Some of the rows."""
        texts = None if self.texts is None else [self.texts[row] for row in rows]
        return Clips([self.sounds[row] for row in rows], texts, [self.names[row] for row in rows])


def of_rows(sounds: Sequence[np.ndarray], texts: Sequence[str], rate: int, new_rate: int) -> Clips:
    """The sounds of a named data set at the new rate; they are called by their rows."""
    names = [f"recording {row}" for row in range(len(sounds))]
    return Clips([resample(sound, rate, new_rate) for sound in sounds], list(texts), names)


def split_clips(whole: Clips, name: str, share: float, seed: int, *, stratified: bool) -> dict[str, Clips]:
    """`{"train": ..., name: ...}`: the share of the rows that is drawn for the part `name`."""
    try:
        groups = equal_rows(whole.sounds)
        rows = split(len(groups), test=share, labels=whole.texts if stratified else None, groups=groups, seed=seed)
    except ConfigError as error:
        raise DataError(f"{len(whole.sounds)} recordings are too few to set some apart.\n  Give more.") from error
    return {"train": whole.at(rows.train.tolist()), name: whole.at(rows.test.tolist())}


def with_validation(parts: Mapping[str, Clips], settings: Settings, *, stratified: bool) -> dict[str, Clips]:
    """The parts, with one that validates where none is set apart: a share of the training part."""
    if "validation" in parts:
        return dict(parts)
    share, seed = settings.validation_split, settings.seed
    return {**parts, **split_clips(parts["train"], "validation", share, seed, stratified=stratified)}


def copies(parts: Mapping[str, Clips]) -> Counted:
    """The test recordings that are training recordings, sample by sample; they are called by their names."""
    train, test = parts["train"], parts["test"]
    counted = in_rows(train.sounds, test.sounds)
    return counted._replace(found=counted.found.at(test.names, train.names))


def columns(clips: Clips, rate: int, column: str) -> list[dict[str, Any]]:
    """What stands before an answer to each recording: its file, its length, and what is said of it, as `column`."""
    rows = [
        {"row": row, "file": name, "seconds": round(len(sound) / rate, 2)}
        for row, (name, sound) in enumerate(zip(clips.names, clips.sounds, strict=True))
    ]
    return rows if clips.texts is None else [{**row, column: text} for row, text in zip(rows, clips.texts, strict=True)]


def write_samples(clips: Clips, rate: int, column: str, folder: Path) -> Path:
    """The first recordings as WAV files of 16 bits, and a table of them; the table's path."""
    (folder / FOLDER).mkdir(exist_ok=True)
    names = [f"{n}.wav" for n in range(min(TRIED, len(clips.sounds)))]
    for name, sound in zip(names, clips.sounds, strict=False):
        write_wav(folder / FOLDER / name, sound, rate)
    table = folder / FOLDER / "samples.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", column), *zip(names, clips.texts or [], strict=False)])
    return table


def write_wav(path: Path, sound: np.ndarray, rate: int) -> None:
    """`sound`, [samples] from -1 to 1, as a WAV file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.clip(np.rint(sound * 2**15), -(2**15), 2**15 - 1).astype("<i2").tobytes())
