"""Recordings of unequal length as one array: features, padded with zeros, with the number of real frames of each.

Features are computed in NumPy, a recording at a time, so that no length compiles a program of its own and no padding
enters a statistic. After scaling, a padded frame is all zeros, which `layers.Masking()` knows.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from thalweg.data.arrays import aligned
from thalweg.data.sound.features import Features, PerUtterance
from thalweg.data.transforms import Standardize
from thalweg.errors import ContractError, DataError
from thalweg.ranges import COUNT
from thalweg.record import Record


class Padded(NamedTuple):
    """x [rows, frames, ...], zeros behind each row's end, and where that is: lengths [rows], int32."""

    x: np.ndarray
    lengths: np.ndarray


def pad_rows(rows: Sequence[np.ndarray], frames: int | None = None) -> Padded:
    """Arrays of unequal length as one, filled up with zeros at their ends.

    Args:
        rows: each [length, ...].
        frames: how long all become; the longest by default.

    Raises:
        DataError: there are no rows, or one is longer than `frames`.

    >>> pad_rows([np.ones(1), np.ones(3)])
    Padded(x=array([[1., 0., 0.],
           [1., 1., 1.]]), lengths=array([1, 3], dtype=int32))
    """
    if not len(rows):
        raise DataError("there are no recordings.\n  Look at the folder or the table they come from.")
    lengths = np.array([len(row) for row in rows], np.int32)
    frames = int(lengths.max()) if frames is None else frames
    if lengths.max() > frames:
        raise DataError(
            f"recording {lengths.argmax()} has {lengths.max()} frames; there is room for {frames}.\n"
            f"  Write frames={lengths.max()} where the encoder is fitted, or cut the recording."
        )
    x = aligned((len(rows), frames, *rows[0].shape[1:]), rows[0].dtype)
    x[...] = 0
    for i, row in enumerate(rows):
        x[i, : len(row)] = row
    return Padded(x, lengths)


def frame_mask(lengths: np.ndarray, frames: int) -> np.ndarray:
    """True where a frame is real: m_{n, t} = t < lengths_n, [rows, frames].

    >>> frame_mask(np.array([1, 2]), 2).tolist()
    [[True, False], [True, True]]
    """
    return np.arange(frames)[None] < np.asarray(lengths)[:, None]


class SoundEncoder(Record):
    """Sounds in, one padded array of features out; kept in the model file.

    >>> from thalweg.data import LogMel
    >>> sounds = [np.sin(np.arange(n, dtype=np.float32)) for n in (4000, 8000)]
    >>> encoder = SoundEncoder.fit(sounds, LogMel(num_mel_bins=40))
    >>> x, lengths = encoder(sounds)
    >>> x.shape, lengths.tolist()
    ((2, 51, 40), [26, 51])
    """

    features: Features
    frames: int
    scale: Standardize | PerUtterance | None = None

    limits: ClassVar = {"frames": COUNT}

    @classmethod
    def fit(
        cls,
        sounds: Iterable[np.ndarray],
        features: Features,
        *,
        frames: int | None = None,
        scale: type[Standardize] | PerUtterance | None = Standardize,
    ) -> "SoundEncoder":
        """Learn the longest length and the scale from the training part.

        Args:
            sounds: samples [samples] each, at the features' sampling rate.
            features: what is computed of each.
            frames: room for longer recordings than these.
            scale: `Standardize` for one mean and deviation a feature over all real frames; `PerUtterance()` for each
                recording its own; None for none.

        Raises:
            DataError: there are no sounds, one is unusable, or longer than `frames`.
        """
        rows = [_encoded(sound, features, i) for i, sound in enumerate(sounds)]
        longest = pad_rows(rows, frames).x.shape[1]
        return cls(features, longest, Standardize.fit(np.concatenate(rows)) if isinstance(scale, type) else scale)

    def __call__(self, sounds: Iterable[np.ndarray]) -> Padded:
        """float32 [rows, frames, features], and each row's real frames.

        Raises:
            DataError: there are no sounds, one is unusable, or longer than the encoder has room for.
        """
        rows = [_encoded(sound, self.features, i) for i, sound in enumerate(sounds)]
        return pad_rows([row if self.scale is None else self.scale(row) for row in rows], self.frames)


def _encoded(sound: np.ndarray, features: Features, place: int) -> np.ndarray:
    try:
        encoded = features(sound)
    except ContractError as error:
        raise DataError(f"recording {place}: {error}") from error
    if not np.isfinite(encoded).all():
        raise DataError(f"recording {place} holds NaN or infinity.\n  Leave it out, or mend it where it comes from.")
    return encoded
