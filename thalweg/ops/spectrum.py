"""Spectra of sound: frames, windows, the short-time Fourier transform. x is [..., samples].

The functions here and in `ops/mel.py` take a NumPy array on the host or a JAX array inside a program, and give back
the same kind: one equation for both. Recordings differ in length, and a compiled program would have to be made for each
length; in NumPy each becomes features in well under a millisecond. Equal lengths go through the compiled program.
"""

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.errors import ConfigError, ContractError
from thalweg.types import Array, Float

Signal: TypeAlias = Array | np.ndarray
"""An array of the host or of a program."""

COSINES = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46)}
Window: TypeAlias = str | None


def namespace(x: Signal) -> Any:
    """`jax.numpy` for a JAX array, `numpy` for any other."""
    return jnp if isinstance(x, jax.Array) else np


def product(x: Float[Signal, "*b n"], w: np.ndarray) -> Float[Signal, "*b m"]:
    """The product x w in the precision of x; an accelerator's default would round the factors of float32 to 10 bits."""
    w = w.astype(x.dtype)
    return jnp.matmul(x, w, precision="highest") if isinstance(x, jax.Array) else x @ w


def pre_emphasis(x: Float[Signal, "*b samples"], coefficient: float = 0.97) -> Float[Signal, "*b samples"]:
    """A gentle high-pass that evens out the spectrum of speech: y_t = x_t - a x_{t-1}, y_0 = x_0.

    >>> pre_emphasis(np.array([1.0, 1.0, 3.0]), 0.5)
    array([1. , 0.5, 2.5])
    """
    return namespace(x).concatenate((x[..., :1], x[..., 1:] - coefficient * x[..., :-1]), axis=-1)


def window_of(name: Window, length: int) -> np.ndarray:
    """The periodic window of that name, w_n = a - b cos(2 pi n / N), float64 [length]; None is all ones.

    Raises:
        ConfigError: the name is neither "hann" nor "hamming".

    >>> window_of("hann", 4)
    array([0. , 0.5, 1. , 0.5])
    """
    if name is None:
        return np.ones(length)
    if name not in COSINES:
        raise ConfigError(f"window={name!r} is unknown.\n  Write one of {', '.join(map(repr, COSINES))}, or None.")
    a, b = COSINES[name]
    return a - b * np.cos(2 * np.pi * np.arange(length) / length)


def frames(x: Float[Signal, "*b samples"], length: int, stride: int) -> Float[Signal, "*b frames length"]:
    """Overlapping pieces: y_{t, n} = x_{t stride + n}; samples that fill no whole frame are left out.

    Raises:
        ContractError: the sound is shorter than one frame.

    >>> frames(np.arange(5.0), 3, 2)
    array([[0., 1., 2.],
           [2., 3., 4.]])
    """
    if x.shape[-1] < length:
        raise ContractError(
            f"x has {x.shape[-1]} samples; one frame needs {length}.\n  Pad it with zeros, or take shorter frames."
        )
    starts = np.arange(0, x.shape[-1] - length + 1, stride, dtype=np.int32)
    return x[..., starts[:, None] + np.arange(length, dtype=np.int32)[None]]  # [..., frames, length]


def stft(
    x: Float[Signal, "*b samples"],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Window = "hann",
    center: bool = True,
) -> tuple[Float[Signal, "*b frames bins"], Float[Signal, "*b frames bins"]]:
    """The short-time Fourier transform: X_{t, k} = sum_n w_n x_{t s + n} e^(-2 pi i k n / N).

    Equal to `keras.ops.stft`, and to `librosa.stft` with `pad_mode="reflect"`.

    Args:
        x: sound, [..., samples].
        sequence_length: of the window, at most `fft_length`; zeros on both sides fill it up.
        sequence_stride: s, samples from one frame to the next.
        fft_length: N, samples of a frame.
        window: "hann", "hamming", or None for no window.
        center: frame t is centred at sample t s; the ends are reflected by half a frame.

    Returns:
        Real and imaginary part, [..., frames, fft_length // 2 + 1].

    Raises:
        ContractError: the sound is shorter than a frame, or than half of one where it is reflected.
        ConfigError: lengths that do not fit each other, or an unknown window.

    Allen, Rabiner 1977, "A unified approach to short-time Fourier analysis and synthesis".

    >>> real, imag = stft(np.cos(np.pi / 2 * np.arange(8.0)), 4, 4, 4, window=None, center=False)
    >>> np.abs(real).round(6).tolist()
    [[0.0, 2.0, 0.0], [0.0, 2.0, 0.0]]
    """
    if not 0 < sequence_length <= fft_length or sequence_stride < 1:
        raise ConfigError(
            f"sequence_length={sequence_length}, sequence_stride={sequence_stride}, fft_length={fft_length}: a window "
            f"has 1 to fft_length samples, a stride at least 1.\n  Write fft_length={max(1, sequence_length)}."
        )
    xp = namespace(x)
    y = frames(_reflected(x, fft_length // 2) if center else x, fft_length, sequence_stride)
    w = np.zeros(fft_length)
    first = (fft_length - sequence_length) // 2
    w[first : first + sequence_length] = window_of(window, sequence_length)
    spectrum = xp.fft.rfft(y * w.astype(x.dtype).reshape((1,) * (y.ndim - 1) + (-1,)))
    return spectrum.real, spectrum.imag


def _reflected(x: Signal, half: int) -> Signal:
    if x.shape[-1] <= half:
        raise ContractError(
            f"x has {x.shape[-1]} samples; a centred frame of {2 * half} reflects {half}, which needs {half + 1}.\n"
            "  Pad the sound with zeros, or write a smaller fft_length."
        )
    return namespace(x).pad(x, [(0, 0)] * (x.ndim - 1) + [(half, half)], mode="reflect")


def power_spectrum(
    x: Float[Signal, "*b samples"],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Window = "hann",
    center: bool = True,
) -> Float[Signal, "*b frames bins"]:
    """P_{t, k} = |X_{t, k}|^2, the squared magnitude of `stft`."""
    real, imag = stft(x, sequence_length, sequence_stride, fft_length, window, center)
    return real**2 + imag**2
