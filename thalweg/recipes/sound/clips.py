"""clips: recordings with what is said of them, and how they become features, for every recipe of sound."""

import csv
import dataclasses
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from thalweg.data import LogMel, SoundEncoder, resample, split
from thalweg.errors import ConfigError, DataError
from thalweg.recipes.settings import Settings

MULTIPLE = 8  # frames; as in `bucketed`
TRIED = 5  # test recordings set apart for a first `predict`
FOLDER = "samples"


class SoundSettings(Settings):
    """What every recipe of sound has."""

    sampling_rate: Annotated[int, Field(ge=1000, description="to which every recording is brought, in hertz")] = 16000
    seconds: Annotated[float, Field(gt=0, description="the longest recording that trains or tests")] = 20.0
    bands: Annotated[int, Field(ge=8, le=256, description="mel bands of a frame")] = 40


class Clips(NamedTuple):
    """Recordings, float32 [samples] each; what is said of each, where something is; what each is called."""

    sounds: list[np.ndarray]
    texts: list[str] | None
    names: list[str]

    def at(self, rows: Sequence[int]) -> "Clips":
        """Some of the rows."""
        texts = None if self.texts is None else [self.texts[row] for row in rows]
        return Clips([self.sounds[row] for row in rows], texts, [self.names[row] for row in rows])


def log_mel(settings: SoundSettings) -> LogMel:
    """Frames of 25 ms, one every 10 ms.

    >>> log_mel(SoundSettings(sampling_rate=8000)).sequence_length
    200
    """
    rate = settings.sampling_rate
    window = rate * 25 // 1000
    transform = 1 << max(window - 1, 1).bit_length()
    return LogMel(transform, rate // 100, window, sampling_rate=rate, num_mel_bins=settings.bands)


def room(sound: np.ndarray, mel: LogMel) -> int:
    """How many frames there is room for where a sound is the longest: a multiple of what strides and buckets divide by.

    A convolution with padding="same" and strides=2 pads an odd length otherwise than an even one, so that windows would
    stand elsewhere in a longer batch.
    """
    return -(-(len(sound) // mel.sequence_stride + 1) // MULTIPLE) * MULTIPLE


def encoder(found: Mapping[str, Clips], settings: SoundSettings, scale: Any) -> SoundEncoder:
    """Features with the scale of the training part, and room for the longest recording of all parts."""
    mel = log_mel(settings)
    longest = max(room(sound, mel) for clips in found.values() for sound in clips.sounds)
    return SoundEncoder.fit(found["train"].sounds, mel, frames=longest, scale=scale)


def fitting(known: SoundEncoder, sounds: Sequence[np.ndarray]) -> SoundEncoder:
    """The encoder with room for `sounds`, one of which may be longer than those it learned from."""
    mel = known.features
    assert isinstance(mel, LogMel)
    return dataclasses.replace(known, frames=max(known.frames, *(room(sound, mel) for sound in sounds)))


def of_rows(sounds: Sequence[np.ndarray], texts: Sequence[str], rate: int, wanted: int) -> Clips:
    """The sounds of a named data set at the rate that is wanted; they are called by their rows."""
    names = [f"recording {row}" for row in range(len(sounds))]
    return Clips([resample(sound, rate, wanted) for sound in sounds], list(texts), names)


def parted(whole: Clips, name: str, share: float, seed: int, *, stratified: bool) -> dict[str, Clips]:
    """`{"train": ..., name: ...}`: the share of the rows that is drawn for the part `name`."""
    try:
        rows = split(len(whole.sounds), test=share, labels=whole.texts if stratified else None, seed=seed)
    except ConfigError as error:
        raise DataError(f"{len(whole.sounds)} recordings are too few to set some apart.\n  Give more.") from error
    return {"train": whole.at(rows.train.tolist()), name: whole.at(rows.test.tolist())}


def with_validation(found: Mapping[str, Clips], settings: SoundSettings, *, stratified: bool) -> dict[str, Clips]:
    """The parts, with one that validates where none is set apart: a share of the training part."""
    if "validation" in found:
        return dict(found)
    share, seed = settings.validation_split, settings.seed
    return {**found, **parted(found["train"], "validation", share, seed, stratified=stratified)}


def described(given: Clips, rate: int, column: str) -> list[dict[str, Any]]:
    """What stands before an answer to each recording: its file, its length, and what is said of it, as `column`."""
    rows = [
        {"row": row, "file": name, "seconds": round(len(sound) / rate, 2)}
        for row, (name, sound) in enumerate(zip(given.names, given.sounds, strict=True))
    ]
    return rows if given.texts is None else [{**row, column: text} for row, text in zip(rows, given.texts, strict=True)]


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
