"""Free Spoken Digits: 3,000 recordings of ten digits by six speakers, 8 kHz, 16 bits, CC BY-SA 4.0 (Jackson et al.).

A file is `{digit}_{speaker}_{take}.wav`; takes 0 to 4 are the published test part, 5 to 49 train.
"""

import dataclasses
import re
import warnings

import numpy as np

from thalweg.data import load_sounds
from thalweg.datasets.catalog.sounds import FSDD
from thalweg.datasets.sounds import folder_with
from thalweg.datasets.store import Folder
from thalweg.errors import ConfigError, DataError, nearest

CLASSES = FSDD.classes
SAMPLING_RATE = 8000
TEST_TAKES = 5
NAME = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav")
WHERE = "https://github.com/Jakobovski/free-spoken-digit-dataset (version 1.0.10)"

Sounds = tuple[list[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class SpokenDigits:
    """Recordings, float32 [samples] each, with digit (uint8), speaker and take of each, sorted by these."""

    sounds: tuple[np.ndarray, ...]
    digits: np.ndarray
    speakers: tuple[str, ...]
    takes: np.ndarray

    def part(self, rows: np.ndarray) -> Sounds:
        """The sounds and digits of some rows."""
        return [self.sounds[i] for i in np.flatnonzero(rows)], self.digits[rows]


def load_data(data: Folder = None) -> tuple[Sounds, Sounds]:
    """`(x_train, y_train), (x_test, y_test)`: lists of sounds at 8 kHz, and uint8 [n] from 0 to 9.

    Takes 0 to 4 of each speaker and digit are the test part.

    Args:
        data: the folder that has `recordings/`; by default `fsdd` in `THALWEG_DATA` or in the cache.

    Raises:
        DataError: the recordings are nowhere to be had, or damaged.
    """
    every = load_recordings(data)
    return every.part(every.takes >= TEST_TAKES), every.part(every.takes < TEST_TAKES)


def load_held_out(speaker: str, data: Folder = None) -> tuple[Sounds, Sounds]:
    """`(x_train, y_train), (x_test, y_test)`: a speaker who was never heard in training tests.

    Args:
        speaker: "george", "jackson", "lucas", "nicolas", "theo" or "yweweler".
        data: see `load_data`.

    Raises:
        DataError: the recordings are nowhere to be had, or damaged.
        ConfigError: there is no such speaker.
    """
    every = load_recordings(data)
    if speaker not in every.speakers:
        raise ConfigError(
            f"speaker={speaker!r} is not among the recordings.\n  {nearest(speaker, set(every.speakers))}"
        )
    theirs = np.array(every.speakers) == speaker
    return every.part(~theirs), every.part(theirs)


def load_recordings(data: Folder = None) -> SpokenDigits:
    """All recordings, with what their names say; fewer than the published 3,000 come with a warning.

    Raises:
        DataError: they are nowhere to be had, or damaged.
    """
    folder = folder_with(FSDD, "recordings", WHERE, data) / "recordings"
    names = (match for path in folder.iterdir() if (match := NAME.fullmatch(path.name)))
    recordings = sorted((int(digit), speaker, int(take)) for digit, speaker, take in (m.groups() for m in names))
    takes = np.array([take for _, _, take in recordings])
    if not (takes < TEST_TAKES).any() or not (takes >= TEST_TAKES).any():
        raise DataError(f"{folder} lacks takes to train or to test on.\n  Copy the files of {WHERE} into it.")
    whole = FSDD.train + FSDD.test
    if len(recordings) != whole:
        warnings.warn(
            f"{FSDD.title}: {len(recordings):,} of {whole:,} recordings are in {folder}.", UserWarning, stacklevel=2
        )
    sounds = load_sounds((folder / f"{d}_{s}_{t}.wav" for d, s, t in recordings), SAMPLING_RATE)
    return SpokenDigits(
        tuple(sounds), np.array([d for d, _, _ in recordings], np.uint8), tuple(s for _, s, _ in recordings), takes
    )
