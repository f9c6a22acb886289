"""The WAV format: a RIFF file of chunks, of which `fmt ` states the samples' type and `data` holds them.

    "RIFF" size "WAVE"  then  id size content  for each chunk, padded to an even length; all numbers little-endian

Python's `wave` reads no floats and SciPy's reader warns through a global filter, which threads share. A file is
believed only as far as it goes.
"""

import struct
from collections.abc import Callable

import numpy as np

from thalweg.errors import FormatError
from thalweg.limits import within

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE

DECODERS: dict[tuple[int, int], Callable[[bytes], np.ndarray]] = {
    (PCM, 8): lambda b: (np.frombuffer(b, "u1").astype(np.float32) - 128) / 128,
    (PCM, 16): lambda b: np.frombuffer(b, "<i2").astype(np.float32) / 2**15,
    (PCM, 24): lambda b: _from_24_bits(b) / 2**23,
    (PCM, 32): lambda b: (np.frombuffer(b, "<i4") / 2**31).astype(np.float32),
    (FLOAT, 32): lambda b: np.frombuffer(b, "<f4").astype(np.float32),
    (FLOAT, 64): lambda b: np.frombuffer(b, "<f8").astype(np.float32),
}
"""Bytes to numbers by format and bits a sample: integers onto -1 to 1, floats as they are."""


def decode_wav(content: bytes, name: object = "the file") -> tuple[np.ndarray, int]:
    """float32 [samples, channels] and the sampling rate of the bytes of the WAV file `name`.

    Raises:
        FormatError: what is wrong with them, as the end of a sentence that starts with the file's name.
        DataError: they are beyond a limit.
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise FormatError(f"is no WAV file: it starts with {content[:12]!r}, not b'RIFF', its size, b'WAVE'")
    chunks = _chunks(content, name)
    if b"fmt " not in chunks or b"data" not in chunks:
        raise FormatError("is no whole WAV file: it has no chunk 'fmt ' or no chunk 'data'")
    kind, channels, rate, bits = _format(chunks[b"fmt "])
    if (kind, bits) not in DECODERS:
        raise FormatError(f"holds samples of format {kind:#06x} with {bits} bits; 8 to 32-bit PCM and floats are read")
    if not channels or not rate:
        raise FormatError(f"announces {channels} channels and {rate} Hz")
    within("sound_channels", channels, name)
    data = chunks[b"data"]
    within("sound_samples", len(data) * 8 // bits, name)
    data = data[: len(data) - len(data) % (channels * bits // 8)]
    return DECODERS[kind, bits](data).reshape(-1, channels), rate


def _chunks(content: bytes, name: object) -> dict[bytes, bytes]:
    out, place, count = {}, 12, 0
    while place + 8 <= len(content):
        kind, size = content[place : place + 4], struct.unpack_from("<I", content, place + 4)[0]
        if kind in (b"fmt ", b"data"):
            chunk = out.setdefault(kind, content[place + 8 : place + 8 + size])
            if len(content) < place + 8 + size:
                raise FormatError(f"is cut off: its chunk {kind.decode()!r} has {len(chunk):,} of {size:,} bytes")
        place, count = place + 8 + size + size % 2, count + 1
        within("sound_chunks", count, name)
    return out


def _format(chunk: bytes) -> tuple[int, int, int, int]:
    if len(chunk) < 16:
        raise FormatError(f"is no whole WAV file: its chunk 'fmt ' has {len(chunk)} bytes")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if kind == EXTENSIBLE and len(chunk) >= 26:
        kind = struct.unpack_from("<H", chunk, 24)[0]  # the first word of the format's long name
    return kind, channels, rate, bits


def _from_24_bits(content: bytes) -> np.ndarray:
    wide = np.zeros((len(content) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(content, np.uint8).reshape(-1, 3)
    return (wide.reshape(-1).view("<i4") >> 8).astype(np.float32)
