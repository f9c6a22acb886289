"""Sound files to samples: float32 from -1 to 1, one channel, at the sampling rate you ask for.

WAV needs nothing but this package; FLAC, OGG and MP3 go through `soundfile`, the extra `sound`.
"""

import math
import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thalweg.data.decoding import read_bytes
from thalweg.data.sound.wav import decode_wav
from thalweg.errors import ConfigError, DataError, FormatError, missing_extra
from thalweg.limits import within

FULL = 1 - 2.0**-15  # the highest sample that 16 bits hold
FORMATS = ("AIFF", "FLAC", "MP3", "OGG", "RF64", "WAV", "WAVEX")  # that `soundfile` is let read
LOSSY = frozenset({".mp3", ".oga", ".ogg", ".opus"})
"""What decodes to a sound like the one that was written, whose peaks may pass 1 a little."""
Name = str | os.PathLike[str]


class Beyond(NamedTuple):
    """How many samples of a file passed 1 and were clipped, and the highest of them."""

    path: Path
    samples: int
    total: int
    highest: float


class Sound(NamedTuple):
    """float32 samples [samples] from -1 to 1, and how many of them make a second."""

    samples: np.ndarray
    sampling_rate: int


def read_sound(path: Name, sampling_rate: int | None = None, *, clipped: float = 0.01) -> Sound:
    """The sound in a file; several channels are averaged.

    Args:
        path: a WAV file (8, 16, 24, 32-bit PCM, floats), or with the extra `sound` FLAC, OGG, MP3.
        sampling_rate: what to bring it to, in hertz; by default it stays as it is.
        clipped: the share of samples at full scale from which on a recording counts as clipped; 1.0 takes all.

    A file of a lossy format (MP3, OGG, Opus) may pass 1 where the recording came near it: they are clipped, and
    a warning counts them.

    Raises:
        DataError: the file is missing, unreadable, cut off, 0 seconds long, clipped, or holds NaN or samples beyond 1.
        MissingExtraError: it is no WAV file and `soundfile` is not installed.

    >>> import tempfile, wave
    >>> path = tempfile.mkdtemp() + "/a.wav"
    >>> with wave.open(path, "wb") as file:
    ...     file.setparams((1, 2, 8000, 0, "NONE", ""))
    ...     file.writeframes(np.array([0, 16384, -8192], "<i2").tobytes())
    >>> read_sound(path)
    Sound(samples=array([ 0.  ,  0.5 , -0.25], dtype=float32), sampling_rate=8000)
    """
    sound, beyond = _read(Path(path), sampling_rate, clipped)
    _say_clipped([beyond])
    return sound


def load_sounds(paths: Iterable[Name], sampling_rate: int | None = None, *, clipped: float = 0.01) -> list[np.ndarray]:
    """The samples of many files, all at one sampling rate.

    Raises:
        DataError: see `read_sound`; or the files differ in their rate and no `sampling_rate` is named.
    """
    paths = [Path(path) for path in paths]
    found = [_read(path, sampling_rate, clipped) for path in paths]
    _say_clipped([beyond for _, beyond in found])
    sounds = [sound for sound, _ in found]
    for path, sound in zip(paths, sounds, strict=True):
        if sound.sampling_rate != sounds[0].sampling_rate:
            raise DataError(
                f"{path} has {sound.sampling_rate} samples a second, {paths[0]} {sounds[0].sampling_rate}.\n"
                f"  Write sampling_rate={sounds[0].sampling_rate} to bring all to one."
            )
    return [sound.samples for sound in sounds]


def check_sound(samples: np.ndarray, name: str = "the sound", clipped: float = 0.01) -> None:
    """Nothing, where `samples` [samples] can be learned from.

    Raises:
        DataError: there are none, one is NaN or beyond 1, or more than the share `clipped` stands at full scale.
    """
    if not samples.size:
        raise DataError(f"{name} is 0 seconds long.\n  Leave it out, or record it anew.")
    level = np.abs(samples)
    wrong = np.flatnonzero(~(level <= 1))  # NaN too
    if wrong.size:
        raise DataError(
            f"{name}: sample {wrong[0]} is {samples[wrong[0]]:g}; samples lie from -1 to 1.\n"
            "  Write it at a lower level (divide integers by 2**15), and mend NaN where it comes from."
        )
    share = float(np.mean(level >= FULL))
    if share > clipped:
        raise DataError(
            f"{name} is clipped: {share:.1%} of its samples stand at full scale.\n"
            "  Record it at a lower level, or write clipped=1.0 to take it as it is."
        )


def resample(samples: np.ndarray, original_rate: int, sampling_rate: int) -> np.ndarray:
    """`samples` [samples] at another rate, by a polyphase filter that keeps what lies above half the rate out.

    Args:
        samples: at `original_rate`.
        original_rate: samples a second now.
        sampling_rate: samples a second then; `ceil(n sampling_rate / original_rate)` of them come out.

    >>> resample(np.ones(8, np.float32), 8000, 16000).shape
    (16,)
    """
    return _resampled(samples, original_rate, sampling_rate, "the sound")


def _resampled(samples: np.ndarray, original_rate: int, sampling_rate: int, name: object) -> np.ndarray:
    if min(original_rate, sampling_rate) < 1:
        raise ConfigError(
            f"sampling_rate={sampling_rate} of a sound of {original_rate}.\n  Write hertz, such as 16000."
        )
    if original_rate == sampling_rate:
        return samples
    within("sound_rate", max(original_rate, sampling_rate), name)
    within("sound_stretch", -(-sampling_rate // original_rate), name)
    within("sound_samples", len(samples) * sampling_rate // original_rate, name)
    from scipy.signal import resample_poly  # a second of import that a table's user need not wait for

    common = math.gcd(original_rate, sampling_rate)
    return resample_poly(samples, sampling_rate // common, original_rate // common).astype(samples.dtype)


def _read(path: Path, sampling_rate: int | None, clipped: float) -> tuple[Sound, Beyond]:
    samples, rate = _decoded(path)
    mono = samples.mean(axis=1, dtype=np.float32) if samples.shape[1] > 1 else samples[:, 0]
    level = np.abs(mono[np.isfinite(mono)]) if path.suffix.lower() in LOSSY else np.zeros(0)
    beyond = Beyond(path, int((level > 1).sum()), len(mono), float(level.max(initial=0)))
    mono = mono.clip(-1, 1) if beyond.samples else mono  # NaN stays, and is refused
    check_sound(mono, str(path), clipped)
    if sampling_rate is None:
        return Sound(mono, rate), beyond
    return Sound(_resampled(mono, rate, sampling_rate, path), sampling_rate), beyond


def _say_clipped(found: Sequence[Beyond]) -> None:
    beyond = [one for one in found if one.samples]
    if beyond:
        path, count, total, highest = beyond[0]
        more = (
            f", and so were {sum(b.samples for b in beyond[1:]):,} of {len(beyond) - 1} more files"
            if beyond[1:]
            else ""
        )
        warnings.warn(
            f"{path}: {count:,} of {total:,} samples lie beyond 1 (up to {highest:.4f}), as lossy formats allow; they"
            f" were clipped{more}.\n  Nothing need be done; files written at a lower level have none.",
            stacklevel=3,
        )


def _decoded(path: Path) -> tuple[np.ndarray, int]:
    # float32 [samples, channels] and the rate
    content = read_bytes(path)
    if not content:
        raise DataError(f"{path} is empty: it has 0 bytes.\n  Leave it out, or copy it anew.")
    if path.suffix.lower() in (".wav", ".wave") or content[:4] == b"RIFF":
        try:
            return decode_wav(content, path)
        except FormatError as error:
            raise DataError(f"{path} {error}.\n  Write it anew as 16-bit PCM, or leave it out.") from error
    return _by_soundfile(path)


def _by_soundfile(path: Path) -> tuple[np.ndarray, int]:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package is there, its library is not
        raise missing_extra("soundfile", "sound", f"{path} (all but WAV)") from error
    try:
        with soundfile.SoundFile(path) as file:
            if file.format not in FORMATS:
                raise FormatError(f"its format is {file.format}")
            within("sound_channels", file.channels, path)
            within("sound_samples", file.frames * file.channels, path)
            return file.read(dtype="float32", always_2d=True), int(file.samplerate)
    except DataError:
        raise
    except (soundfile.SoundFileError, OSError, ValueError, TypeError, MemoryError) as error:
        raise DataError(f"{path} cannot be read as sound: {error}.\n  Write it anew as WAV or FLAC.") from error
