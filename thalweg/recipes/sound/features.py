"""features: recordings as log-mel frames, and room for the longest."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from thalweg.data import LogMel, SoundEncoder
from thalweg.recipes.settings import Settings
from thalweg.recipes.sound.clips import Clips

MULTIPLE = 8  # frames; as in `bucketed`


class SoundSettings(Settings):
    """What every recipe of sound has."""

    sampling_rate: Annotated[int, Field(ge=1000, description="to which every recording is brought, in hertz")] = 16000
    seconds: Annotated[float, Field(gt=0, description="the longest recording that trains or tests")] = 20.0
    bands: Annotated[int, Field(ge=8, le=256, description="mel bands of a frame")] = 40


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


def encoder(parts: Mapping[str, Clips], settings: SoundSettings, scale: Any) -> SoundEncoder:
    """Features with the scale of the training part, and room for the longest recording of all parts."""
    mel = log_mel(settings)
    longest = max(room(sound, mel) for clips in parts.values() for sound in clips.sounds)
    return SoundEncoder.fit(parts["train"].sounds, mel, frames=longest, scale=scale)


def fit_room(encoder: SoundEncoder, sounds: Sequence[np.ndarray]) -> SoundEncoder:
    """The encoder with room for `sounds`, one of which may be longer than those it learned from."""
    mel = encoder.features
    assert isinstance(mel, LogMel)
    return dataclasses.replace(encoder, frames=max(encoder.frames, *(room(sound, mel) for sound in sounds)))
