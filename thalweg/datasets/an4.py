"""AN4: people who spell names, addresses and numbers, 16 kHz, with transcripts (Acero 1990, CMU). Free for any purpose.

The published lists name 948 recordings to train on and 130 to test on. They lie in `wav/` as the headerless big-endian
16-bit samples of the original (`.raw`), or as WAV or FLAC under the same names.
"""

from pathlib import Path

import numpy as np

from thalweg.data import check_sound, read_sound
from thalweg.data.decoding import decoded, lines_of, read_bytes
from thalweg.datasets.catalog.sounds import AN4
from thalweg.datasets.sounds import folder_with
from thalweg.datasets.store import Folder
from thalweg.errors import DataError

SAMPLING_RATE = 16000
ENDINGS = (".flac", ".wav", ".raw")
WHERE = "http://www.speech.cs.cmu.edu/databases/an4/an4_raw.bigendian.tar.gz"

Speech = tuple[list[np.ndarray], tuple[str, ...]]


def load_data(data: Folder = None) -> tuple[Speech, Speech]:
    """`(x_train, texts_train), (x_test, texts_test)`: lists of sounds, float32 [samples], and what is said in capitals.

    Args:
        data: the folder that has `etc/` and `wav/`; by default `an4` in `THALWEG_DATA` or in the cache.

    Raises:
        DataError: the lists or a recording are missing, damaged, or do not fit each other.
        MissingExtraError: the recordings are FLAC, and `soundfile` is not installed.
    """
    return load_part("train", data), load_part("test", data)


def load_part(part: str, data: Folder = None) -> Speech:
    """The sounds and texts of "train" or "test"; see `load_data`."""
    names, texts = read_lists(folder_with(AN4, "etc", WHERE, data), part)
    folder = folder_with(AN4, "wav", WHERE, data) / "wav"
    return [_sound(folder, name) for name in names], texts


def read_lists(folder: Path, part: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the recordings of a part, and what is said in each: `<s> YES </s> (an251-fash-b)` is YES.

    Raises:
        DataError: a list is missing, or the two do not name the same recordings in the same order.
    """
    names, lines = (_lines(folder / "etc" / f"an4_{part}.{kind}") for kind in ("fileids", "transcription"))
    said = [line.rpartition("(") for line in lines]
    for row, (name, (_, _, end)) in enumerate(zip(names, said, strict=False)):
        if Path(name).name != end.rstrip(")"):
            raise DataError(f"{folder}: row {row} of the lists of {part} is {name} and {end!r}.\n  Copy them anew.")
    if len(names) != len(lines):
        raise DataError(f"{folder}: {len(names)} names and {len(lines)} texts of {part}.\n  Copy the lists anew.")
    words = ([w for w in text.split() if w not in ("<s>", "</s>")] for text, _, _ in said)
    return tuple(names), tuple(" ".join(w) for w in words)


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in lines_of(decoded(read_bytes(path), path, "ascii")) if line.strip()]


def _sound(folder: Path, name: str) -> np.ndarray:
    path = next((path for ending in ENDINGS if (path := folder / (name + ending)).is_file()), None)
    if path is None:
        raise DataError(f"{folder / name} is there neither as {' nor as '.join(ENDINGS)}.\n  Copy it from {WHERE}.")
    if path.suffix != ".raw":
        return read_sound(path, SAMPLING_RATE).samples
    content = read_bytes(path)
    samples = np.frombuffer(content[: len(content) // 2 * 2], ">i2").astype(np.float32) / 2**15
    check_sound(samples, str(path))
    return samples
