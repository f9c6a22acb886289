"""What hearing makes of a spectrum: mel filters, decibels, cepstra, deltas, an utterance's own scale.

NumPy in, NumPy out; JAX in, JAX out: see `ops/spectrum.py`. Spectra are [..., frames, bins].
"""

import functools
import operator

import numpy as np

from thalweg.errors import ConfigError
from thalweg.ops.spectrum import Signal, namespace, product
from thalweg.types import Float

LINEAR = 200 / 3  # hertz per mel below the bend of Slaney's scale
BEND = 1000.0  # hertz, where it turns logarithmic
STEP = np.log(6.4) / 27  # of the logarithm, per mel above it


def slaney_mel(hz: np.ndarray) -> np.ndarray:
    """Slaney's mels: linear below 1000 Hz, 27 mels for each factor 6.4 above. Slaney 1998, "Auditory Toolbox".

    >>> slaney_mel(np.array([200.0, 1000.0, 6400.0]))
    array([ 3., 15., 42.])
    """
    return np.where(hz < BEND, hz / LINEAR, BEND / LINEAR + np.log(np.maximum(hz, BEND) / BEND) / STEP)


def slaney_hz(mel: np.ndarray) -> np.ndarray:
    """The way back from Slaney's mels."""
    bend = BEND / LINEAR
    return np.where(mel < bend, mel * LINEAR, BEND * np.exp(STEP * np.maximum(mel - bend, 0)))


def htk_mel(hz: np.ndarray) -> np.ndarray:
    """HTK's mels: m = 2595 log10(1 + f / 700). O'Shaughnessy 1987; Young et al., "The HTK Book"."""
    return 2595 * np.log10(1 + hz / 700)


def htk_hz(mel: np.ndarray) -> np.ndarray:
    """The way back from HTK's mels."""
    return 700 * (10 ** (mel / 2595) - 1)


@functools.cache
def mel_filter_bank(
    sampling_rate: int,
    fft_length: int,
    num_mel_bins: int = 128,
    min_freq: float = 0.0,
    max_freq: float | None = None,
    htk: bool = False,
    unit_area: bool = True,
) -> np.ndarray:
    """Triangles that overlap by half, their corners c evenly spaced in mels, straight in hertz:

        H_{k, m} = max(0, min((f_k - c_{m-1}) / (c_m - c_{m-1}), (c_{m+1} - f_k) / (c_{m+1} - c_m)))

    Equal to `librosa.filters.mel(..., norm="slaney")`, transposed; with `unit_area=False` to `norm=None`, and with
    `htk=True` also to torchaudio's default. Keras and TensorFlow draw the triangles straight in mels and differ.

    Args:
        sampling_rate: in hertz.
        fft_length: samples of a frame.
        num_mel_bins: how many filters.
        min_freq: where the first one starts, in hertz.
        max_freq: where the last one ends; half the sampling rate by default.
        htk: space them by HTK's formula, not Slaney's.
        unit_area: scale each by 2 / (c_{m+1} - c_{m-1}), so that a wide filter is no louder.

    Returns:
        float64 [fft_length // 2 + 1, num_mel_bins], read only.

    Raises:
        ConfigError: frequencies out of range, or a filter so narrow that no bin of the spectrum falls into it.

    >>> mel_filter_bank(8000, 8, 2, unit_area=False).round(2).tolist()
    [[0.0, 0.0], [0.78, 0.22], [0.0, 0.9], [0.0, 0.45], [0.0, 0.0]]
    """
    max_freq = sampling_rate / 2 if max_freq is None else max_freq
    if not 0 <= min_freq < max_freq <= sampling_rate / 2:
        raise ConfigError(
            f"min_freq={min_freq} and max_freq={max_freq} do not fit sampling_rate={sampling_rate}.\n"
            f"  Write frequencies from 0 to {sampling_rate / 2:g}, the lower one first."
        )
    to_mel, to_hz = (htk_mel, htk_hz) if htk else (slaney_mel, slaney_hz)
    ends = to_mel(np.array([min_freq, max_freq], np.float64))
    c = to_hz(np.linspace(ends[0], ends[1], num_mel_bins + 2))
    f = np.arange(fft_length // 2 + 1)[:, None] * sampling_rate / fft_length  # [bins, 1]
    rising = (f - c[:-2]) / np.diff(c)[:-1]
    falling = (c[2:] - f) / np.diff(c)[1:]
    bank = np.maximum(0, np.minimum(rising, falling))  # [bins, mels]
    _check_filters(bank, fft_length)
    bank = bank * (2 / (c[2:] - c[:-2])) if unit_area else bank
    bank.flags.writeable = False
    return bank


def _check_filters(bank: np.ndarray, fft_length: int) -> None:
    empty = np.flatnonzero(~bank.any(0))
    if empty.size:
        raise ConfigError(
            f"mel filter {empty[0]} of {bank.shape[1]} lies between two bins of a transform of {fft_length} samples; it"
            " would always be 0.\n  Write a smaller num_mel_bins, a larger fft_length or a higher min_freq."
        )


def decibels(
    power: Float[Signal, "*b frames bins"],
    min_power: float = 1e-10,
    ref_power: float = 1.0,
    top_db: float | None = 80.0,
) -> Float[Signal, "*b frames bins"]:
    """L = 10 log10(max(P, floor) / ref), and nothing further than `top_db` below the loudest of its recording.

    Equal to `librosa.power_to_db` for one recording; there the loudest is that of the whole array.

    >>> decibels(np.array([[1.0, 100.0, 0.0]]), top_db=30.0).tolist()
    [[0.0, 20.0, -10.0]]
    """
    xp = namespace(power)
    db = 10 * xp.log10(xp.maximum(power, min_power)) - float(10 * np.log10(max(ref_power, min_power)))
    if top_db is None:
        return db
    return xp.maximum(db, db.max(axis=(-2, -1), keepdims=True) - top_db)


def dct(x: Float[Signal, "*b features"], count: int) -> Float[Signal, "*b count"]:
    """The first `count` terms of the orthonormal DCT-II: y_k = s_k sum_n x_n cos(pi (2n + 1) k / 2N).

    s_0 = sqrt(1 / N), s_k = sqrt(2 / N). Of decibels of mel bands it gives cepstral coefficients (MFCC).
    Davis, Mermelstein 1980.

    >>> dct(np.array([[1.0, 1.0, 1.0, 1.0]]), 2).round(6) + 0.0
    array([[2., 0.]])
    """
    N, k = x.shape[-1], np.arange(count)
    if not 1 <= count <= N:
        raise ConfigError(f"count={count} coefficients of {N} features.\n  Write a number from 1 to {N}.")
    basis = np.sqrt(np.where(k == 0, 1, 2) / N) * np.cos(np.pi * (2 * np.arange(N)[:, None] + 1) * k / (2 * N))
    return product(x, basis)


def deltas(x: Float[Signal, "*b frames features"], width: int = 9) -> Float[Signal, "*b frames features"]:
    """The slope over `width` frames: d_t = sum_n n (x_{t+n} - x_{t-n}) / (2 sum_n n^2), the ends repeated.

    Equal to `librosa.feature.delta(mode="nearest")` and to `torchaudio.functional.compute_deltas`. Furui 1986.

    >>> deltas(np.array([[0.0], [1.0], [2.0], [3.0], [4.0]]), 3).ravel().tolist()
    [0.5, 1.0, 1.0, 1.0, 0.5]
    """
    if width < 3 or width % 2 == 0:
        raise ConfigError(f"width={width}; a slope needs an odd number of frames, at least 3.\n  Write width=9.")
    half, T = width // 2, x.shape[-2]
    y = namespace(x).pad(x, [(0, 0)] * (x.ndim - 2) + [(half, half), (0, 0)], mode="edge")
    slopes = [n * (y[..., half + n : half + n + T, :] - y[..., half - n : half - n + T, :]) for n in range(1, half + 1)]
    return functools.reduce(operator.add, slopes) / (2 * sum(n**2 for n in range(1, half + 1)))


def normalize_utterance(
    x: Float[Signal, "*b frames features"], epsilon: float = 1e-5
) -> Float[Signal, "*b frames features"]:
    """Each feature of a recording to mean 0 and deviation 1 over its frames: y = (x - mu) / (sigma + epsilon).

    It takes away what a microphone and a room add to decibels. Give it real frames only, before they are padded.

    >>> normalize_utterance(np.array([[1.0], [3.0]]), 0.0).tolist()
    [[-1.0], [1.0]]
    """
    x = x - x[..., :1, :]  # the mean of equal numbers is then 0
    xp, sigma = namespace(x), x.std(axis=-2, keepdims=True)
    # over an infinite deviation all would be 0
    return (x - x.mean(axis=-2, keepdims=True)) / (xp.where(xp.isinf(sigma), xp.nan, sigma) + epsilon)
