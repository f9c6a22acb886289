"""files: what people keep recordings in, as samples at one rate, with what is said of each.

    FOLDER/         a sub-folder for each class, a sound file a recording
    .csv .tsv       a line a recording: a column `path`, taken from the table's folder, and `label` or `text`
    FOLDER/         parts set apart, `train...` and `test...`, perhaps `valid...`, each of the kinds above
    a sound file    one recording, of which nothing is said

A recording at another rate is resampled, several channels are averaged. One that is 0 seconds long, too short for a
frame, longer than the setting `seconds`, cut off, clipped or unreadable is an error that names the file. One that is
silence alone, every sample the same, is taken with a warning; where all that would train are, it is an error.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.data import list_sounds, load_sounds, read_csv, read_sound, read_sound_table
from thalweg.data.sound.folder import SUFFIXES
from thalweg.datasets import Entry, store
from thalweg.errors import DataError
from thalweg.recipes import paths
from thalweg.recipes.sound.clips import Clips, split_clips
from thalweg.recipes.sound.features import SoundSettings

PATH_COLUMNS = ("path", "file", "filename", "sound", "audio", "wav")
TABLES = (".csv", ".tsv")
SHORTEST = 0.05  # seconds
TEST = 0.2  # the share of one's own recordings that tests, where no part is set apart


def holds(path: Path, entry: Entry) -> bool:
    """Whether `path` is a folder that has the files of the data set."""
    return all(store.find(entry, file.name, path) for file in entry.files)


def read(path: Path, rate: int, columns: Sequence[str], seconds: float | None = None) -> Clips:
    """The recordings in a folder, a table or a sound file.

    Args:
        path: see above.
        rate: samples a second of all.
        columns: what a table's column of labels or texts may be called.
        seconds: the longest recording that is taken; None takes all.

    Raises:
        DataError: see above; a missing column, folder or file.
        MissingExtraError: one is no WAV file, and `soundfile` is not installed; before anything is read.
    """
    if path.is_dir():
        recordings = list_sounds(path)
        places, texts = list(recordings.paths), list(recordings.texts)
    elif path.suffix.lower() in TABLES:
        places, texts = _table(path, columns)
    elif path.suffix.lower() in SUFFIXES:
        places, texts = [path], None
    else:
        raise DataError(
            f"{path} is no recording, and no table or folder of them.\n"
            f"  Write the path of a sound ({', '.join(sorted(SUFFIXES))}), of a table ({', '.join(TABLES)}), or of a"
            " folder with a sub-folder for each class."
        )
    return Clips(read_sounds(places, rate, seconds), texts, [place.name for place in places])


def labelled(path: Path, rate: int, columns: Sequence[str], seconds: float | None = None) -> Clips:
    """The same; `DataError` where nothing is said of the recordings."""
    clips = read(path, rate, columns, seconds)
    if clips.texts is None:
        raise DataError(
            f"{path} says nothing of its recordings.\n  Write a table with the columns {PATH_COLUMNS[0]} and"
            f" {columns[0]}."
        )
    return clips


def read_sounds(files: Sequence[Path], rate: int, seconds: float | None = None) -> list[np.ndarray]:
    """The samples of each file; a file that needs the extra is tried first, so that its lack costs nothing."""
    for other in [path for path in files if path.suffix.lower() not in (".wav", ".wave")][:1]:
        read_sound(other)
    sounds = load_sounds(files, rate)
    check_lengths(sounds, [str(path) for path in files], rate, seconds)
    silent = [path for path, sound in zip(files, sounds, strict=True) if is_silent(sound)]
    if silent:
        more = f", and so are {len(silent) - 1} more" if silent[1:] else ""
        warnings.warn(f"{silent[0]} is silence alone, every sample the same{more}.", stacklevel=2)
    return sounds


def is_silent(sound: np.ndarray) -> bool:
    """Whether every sample is the same: there is nothing to hear."""
    return bool(np.ptp(sound) == 0)


def check_lengths(sounds: Sequence[np.ndarray], names: Sequence[str], rate: int, seconds: float | None) -> None:
    """Nothing, where each recording has frames, and no more than there is room for; else `DataError`."""
    for sound, name in zip(sounds, names, strict=True):
        length = len(sound) / rate
        if length < SHORTEST:
            raise DataError(f"{name} is {length:.3f} seconds long; {SHORTEST} are the least.\n  Leave it out.")
        if seconds is not None and length > seconds:
            raise DataError(
                f"{name} is {length:.1f} seconds long, and seconds={seconds:g}.\n"
                f"  Cut it, leave it out, or write --set seconds={np.ceil(length):g}; all cost as much as the longest."
            )


def own(path: Path, settings: SoundSettings, columns: Sequence[str], *, stratified: bool) -> dict[str, Clips]:
    """A person's recordings by part; where no test part is set apart, a fifth of them tests, drawn by the seed."""
    places = paths.parts(path) or {"train": path}
    parts = {part: labelled(place, settings.sampling_rate, columns, settings.seconds) for part, place in places.items()}
    if all(map(is_silent, parts["train"].sounds)):
        raise DataError(f"{places['train']} holds silence alone; there is nothing to hear.\n  Record the sounds anew.")
    return parts if "test" in parts else split_clips(parts["train"], "test", TEST, settings.seed, stratified=stratified)


def _table(path: Path, columns: Sequence[str]) -> tuple[list[Path], list[str] | None]:
    options: dict[str, Any] = {"delimiter": "\t"} if path.suffix.lower() == ".tsv" else {}
    names = {name.lower(): name for name in read_csv(path, **options)}
    sound, text = (next((names[n] for n in known if n in names), None) for known in (PATH_COLUMNS, columns))
    for column, known in ((sound, PATH_COLUMNS), (text, columns)):
        if column is None:
            raise DataError(
                f"{path} has no column {known[0]!r}; it has {', '.join(map(repr, names))}.\n"
                f"  Name it {known[0]} (or {', '.join(known[1:])})."
            )
    recordings = read_sound_table(path, str(sound), str(text), **options)
    return list(recordings.paths), list(recordings.texts)
