"""Features of sound as records that a model file keeps: the same numbers in training and at `predict`.

The equations are in `ops/spectrum.py` and `ops/mel.py`; like them, these serve NumPy and JAX alike.
"""

from typing import Any, ClassVar

import numpy as np

from thalweg import ops
from thalweg.errors import ContractError
from thalweg.ops.spectrum import namespace, product
from thalweg.ranges import COUNT, POSITIVE, RATE, Range
from thalweg.record import Record


class LogMel(Record):
    """A log-mel spectrogram: decibels of mel bands, [..., samples] to [..., frames, num_mel_bins].

    Keras's names; bands and decibels are librosa's. The defaults are those of speech: 25 ms every 10 ms at 16 kHz.

    Args:
        fft_length: samples of a transform.
        sequence_stride: samples from one frame to the next.
        sequence_length: samples of the window; `fft_length` where it is None.
        window: "hann", "hamming" or None.
        sampling_rate: samples a second.
        num_mel_bins: bands.
        min_freq: where the first band starts, in hertz.
        max_freq: where the last band ends; half the sampling rate by default.
        top_db: what lies further below the loudest is raised to it; None leaves it.
        min_power: what is quieter counts as this.
        ref_power: 0 decibels.
        htk: bands by HTK's formula rather than Slaney's.
        pre_emphasis: a of y_t = x_t - a x_{t-1}, before all; 0 for none, 0.97 is usual.

    >>> mel = LogMel(fft_length=256, sequence_stride=80, sequence_length=200, sampling_rate=8000, num_mel_bins=40)
    >>> mel(np.sin(np.arange(8000, dtype=np.float32))).shape
    (101, 40)
    """

    fft_length: int = 512
    sequence_stride: int = 160
    sequence_length: int | None = 400
    window: str | None = "hann"
    sampling_rate: int = 16000
    num_mel_bins: int = 80
    min_freq: float = 20.0
    max_freq: float | None = None
    top_db: float | None = 80.0
    min_power: float = 1e-10
    ref_power: float = 1.0
    htk: bool = False
    pre_emphasis: float = 0.0

    limits: ClassVar = {
        "fft_length": COUNT,
        "sequence_stride": COUNT,
        "sequence_length": COUNT,
        "sampling_rate": COUNT,
        "num_mel_bins": COUNT,
        "top_db": POSITIVE,
        "min_power": POSITIVE,
        "ref_power": POSITIVE,
        "pre_emphasis": RATE,
    }

    @property
    def features(self) -> int:
        """Numbers of a frame."""
        return self.num_mel_bins

    def __call__(self, x: Any) -> Any:
        """The decibels of `x`, in its precision.

        Raises:
            ContractError: `x` holds integers, or is shorter than a frame.
        """
        _check_samples(x)
        x = ops.pre_emphasis(x, self.pre_emphasis) if self.pre_emphasis else x
        length = self.fft_length if self.sequence_length is None else self.sequence_length
        power = ops.power_spectrum(x, length, self.sequence_stride, self.fft_length, self.window)
        bands = (self.fft_length, self.num_mel_bins, self.min_freq, self.max_freq, self.htk)
        mel = product(power, ops.mel_filter_bank(self.sampling_rate, *bands))
        return ops.decibels(mel, self.min_power, self.ref_power, self.top_db)


class MFCC(Record):
    """Mel-frequency cepstral coefficients: the first terms of a log-mel spectrogram's DCT, with their slopes.

    Args:
        spectrum: the log-mel spectrogram they are of.
        num_coefficients: terms, the loudness first.
        orders: 0 for the terms alone, 1 with their deltas, 2 with the deltas of those too.
        width: frames of a delta.

    >>> MFCC(LogMel(num_mel_bins=40), orders=2)(np.sin(np.arange(16000.0))).shape
    (101, 39)
    """

    spectrum: LogMel = LogMel()
    num_coefficients: int = 13
    orders: int = 0
    width: int = 9

    limits: ClassVar = {"num_coefficients": COUNT, "orders": Range(0, 2, whole=True), "width": COUNT}

    @property
    def sampling_rate(self) -> int:
        """Samples a second."""
        return self.spectrum.sampling_rate

    @property
    def features(self) -> int:
        """Numbers of a frame."""
        return self.num_coefficients * (1 + self.orders)

    def __call__(self, x: Any) -> Any:
        """The coefficients of `x`, [..., frames, features]."""
        parts = [ops.dct(self.spectrum(x), self.num_coefficients)]
        for _ in range(self.orders):
            parts.append(ops.deltas(parts[-1], self.width))
        return namespace(x).concatenate(parts, axis=-1)


class PerUtterance(Record):
    """Each recording's features to mean 0 and deviation 1 over its own frames; nothing is learned.

    >>> PerUtterance()(np.array([[1.0], [3.0]])).round(3).tolist()
    [[-1.0], [1.0]]
    """

    epsilon: float = 1e-5

    limits: ClassVar = {"epsilon": POSITIVE}

    def __call__(self, x: Any) -> Any:
        """The features of one recording, [..., frames, features], or of recordings of one length."""
        return ops.normalize_utterance(x, self.epsilon)


Features = LogMel | MFCC


def _check_samples(x: Any) -> None:
    if not hasattr(x, "dtype") or x.dtype.kind != "f":
        raise ContractError(
            f"a sound is an array of real numbers from -1 to 1; it is {np.asarray(x).dtype}.\n"
            "  Write x.astype('float32') / 2**15 for 16-bit samples."
        )
