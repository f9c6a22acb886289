"""Sound files: every sample format against SciPy, `wave` and soundfile; every kind of damage; resampling."""

import builtins
import struct
import wave

import numpy as np
import pytest
import scipy.io.wavfile
import scipy.signal

from thalweg.data import load_sounds, read_sound, resample
from thalweg.data.sound import files
from thalweg.data.sound.wav import decode_wav
from thalweg.errors import ConfigError, DataError, MissingExtraError

TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(801) / 8000)


def riff(kind, bits, channels, content, rate=8000, extensible=False, extra=b""):
    """The bytes of a WAV file, with a chunk of odd length before the data."""
    tag = 0xFFFE if extensible else kind
    fmt = struct.pack("<HHIIHH", tag, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    if extensible:
        fmt += struct.pack("<HHI", 22, bits, 0) + struct.pack("<H", kind) + b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
    chunks = [(b"fmt ", fmt), (b"LIST", b"odd"), (b"data", content)]
    body = b"".join(n + struct.pack("<I", len(c)) + c + b"\0" * (len(c) % 2) for n, c in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body + extra


def as_24_bits(x):
    return np.round(x * 2**23).astype("<i4")[:, None].view("u1").reshape(len(x), -1, 4)[..., :3].tobytes()


FORMATS = {
    "8": (1, 8, np.round(TONE * 128 + 128).astype("u1").tobytes(), 2**-8),
    "16": (1, 16, np.round(TONE * 2**15).astype("<i2").tobytes(), 2**-16),
    "24": (1, 24, as_24_bits(TONE), 2**-24),
    "32": (1, 32, np.round(TONE * 2**31).astype("<i4").tobytes(), 2**-24),
    "float32": (3, 32, TONE.astype("<f4").tobytes(), 2**-24),
    "float64": (3, 64, TONE.astype("<f8").tobytes(), 2**-24),
}


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_samples(tmp_path, name, extensible):
    kind, bits, content, error = FORMATS[name]
    path = tmp_path / "a.wav"
    path.write_bytes(riff(kind, bits, 1, content, extensible=extensible))
    samples, rate = read_sound(path)
    assert (samples.dtype, rate) == (np.float32, 8000)
    np.testing.assert_allclose(samples, TONE, atol=1.01 * error)
    sf = pytest.importorskip("soundfile", reason="an extra: pip install 'thalweg[sound]'")
    np.testing.assert_array_equal(samples, sf.read(path, dtype="float32")[0])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
def test_what_scipy_writes(tmp_path, dtype):
    scale = {"uint8": 128, "int16": 2**15, "int32": 2**31}.get(dtype, 1)
    stereo = np.stack([TONE, -TONE / 2], axis=1)
    scipy.io.wavfile.write(tmp_path / "a.wav", 11025, (stereo * scale + 128 * (dtype == "uint8")).astype(dtype))
    samples, rate = read_sound(tmp_path / "a.wav")
    assert rate == 11025
    np.testing.assert_allclose(samples, TONE / 4, atol=1 / 128 if dtype == "uint8" else 1e-4)


def test_what_python_writes(tmp_path):
    x = np.random.default_rng(0).integers(-(2**15), 2**15, (50, 2)).astype("<i2")
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(x.tobytes())
    both, rate = decode_wav((tmp_path / "a.wav").read_bytes())
    assert rate == 8000
    np.testing.assert_array_equal(both, x / 2**15)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty: it has 0 bytes\.\n  Leave it out, or copy it anew"),
        (b"ID3\x04" + b"\0" * 50, "is no WAV file"),
        (b"RIFFxxxx", r"is no WAV file: it starts with b'RIFFxxxx', not b'RIFF', its size, b'WAVE'"),
        (riff(1, 16, 1, b"\1\0" * 50)[:-20], r"is cut off: its chunk 'data' has 80 of 100 bytes"),
        (riff(1, 16, 1, b"\1\0" * 50)[:30], "is cut off: its chunk 'fmt '"),
        (riff(1, 16, 1, b"")[:38], "it has no chunk 'fmt ' or no chunk 'data'"),
        (riff(0x11, 4, 1, b"\0" * 50), "holds samples of format 0x0011 with 4 bits"),
        (riff(1, 16, 0, b"\0" * 50), "announces 0 channels"),
        (riff(1, 16, 1, b""), r"is 0 seconds long"),
        (riff(3, 32, 1, np.float32([0, 0.5, np.nan]).tobytes()), "sample 2 is nan; samples lie from -1 to 1"),
        (riff(3, 32, 1, np.float32([0, -3000]).tobytes()), "sample 1 is -3000; .*\n  Write it at a lower level"),
        (riff(1, 16, 1, np.int16([32767, -32768, 5, 6]).tobytes()), r"is clipped: 50.0% of its samples stand at full"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, content, message):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.wav:? .*{message}") as caught:
        read_sound(path)
    assert "\n  " in str(caught.value)


def test_clipping_can_be_taken(tmp_path):
    (tmp_path / "a.wav").write_bytes(riff(1, 16, 1, np.int16([32767, -32768, 5, 6]).tobytes()))
    assert len(read_sound(tmp_path / "a.wav", clipped=1.0).samples) == 4


def ogg(path, loud):
    """An OGG file of a loud tone whose decoded samples pass 1."""
    sf = pytest.importorskip("soundfile", reason="an extra: pip install 'thalweg[sound]'")
    sound = loud * np.sign(np.sin(2 * np.pi * 30 * np.arange(16_000) / 16_000)) * np.linspace(0, 1, 16_000) ** 8
    sf.write(path, sound, 16_000, format="OGG", subtype="VORBIS")
    decoded = sf.read(path, dtype="float32")[0]
    assert np.abs(decoded).max() > 1
    return decoded


def test_lossy_files_may_pass_one_and_are_clipped_counted_and_said(tmp_path):
    decoded = ogg(tmp_path / "a.ogg", 0.999)
    count = int((np.abs(decoded) > 1).sum())
    with pytest.warns(
        UserWarning, match=rf"a\.ogg: {count} of 16,000 samples lie beyond 1 \(up to 1\.\d+\).*clipped\."
    ):
        samples, _ = read_sound(tmp_path / "a.ogg")
    np.testing.assert_array_equal(samples, np.clip(decoded, -1, 1))
    (tmp_path / "b.ogg").write_bytes((tmp_path / "a.ogg").read_bytes())
    with pytest.warns(UserWarning, match=rf"clipped, and so were {count} of 1 more files") as caught:
        load_sounds([tmp_path / "a.ogg", tmp_path / "b.ogg"])
    assert len(caught) == 1


@pytest.mark.parametrize("suffix", [".mp3", ".ogg", ".opus", ".flac", ".wav"])
def test_lossless_files_and_nan_are_refused_still(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"a{suffix}"
    for samples, fails in (
        ([0, 1.0006, -0.5], suffix in (".flac", ".wav")),
        ([0, 0.5, np.nan], True),
        ([3.0] * 9, True),
    ):
        decoded = np.float32(samples)[:, None]
        monkeypatch.setattr(files, "_decoded", lambda path, decoded=decoded: (decoded, 8000))
        if fails:
            with pytest.raises(DataError, match=r"samples lie from -1 to 1|is clipped: 100\.0%"):
                read_sound(path)
            continue
        with pytest.warns(UserWarning, match=r"1 of 3 samples lie beyond 1 \(up to 1\.0006\)"):
            found = read_sound(path, clipped=0.5).samples
        assert found.tolist() == [0, 1, -0.5]


def test_no_file(tmp_path):
    with pytest.raises(DataError, match=r"none\.wav cannot be opened: No such file"):
        read_sound(tmp_path / "none.wav")


def test_flac_gives_what_was_written(tmp_path):
    sf = pytest.importorskip("soundfile", reason="an extra: pip install 'thalweg[sound]'")
    x = np.round(TONE * 2**15).astype(np.int16)
    sf.write(tmp_path / "a.flac", x, 16000)
    samples, rate = read_sound(tmp_path / "a.flac")
    assert rate == 16000
    np.testing.assert_array_equal(samples, x / 2**15)
    (tmp_path / "b.flac").write_bytes((tmp_path / "a.flac").read_bytes()[:60])
    with pytest.raises(DataError, match=r"b\.flac (cannot be read as sound|is 0 seconds)"):
        read_sound(tmp_path / "b.flac")
    (tmp_path / "c.flac").write_bytes(b"no sound at all")
    with pytest.raises(DataError, match=r"c\.flac cannot be read as sound: .*\n  Write it anew"):
        read_sound(tmp_path / "c.flac")


def test_without_soundfile_the_command_is_named(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "soundfile":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    (tmp_path / "a.flac").write_bytes(b"fLaC")
    with pytest.raises(MissingExtraError, match=r"a\.flac .* needs soundfile.*\n  Run: pip install 'thalweg\[sound\]'"):
        read_sound(tmp_path / "a.flac")


@pytest.mark.parametrize(("old", "new"), [(8000, 16000), (44100, 16000), (16000, 8000)])
def test_resampling_keeps_a_tone(old, new):
    seconds = 0.5
    ours = resample(np.sin(2 * np.pi * 440 * np.arange(int(old * seconds)) / old).astype(np.float32), old, new)
    want = np.sin(2 * np.pi * 440 * np.arange(int(new * seconds)) / new)
    assert (ours.dtype, len(ours)) == (np.float32, len(want))
    np.testing.assert_allclose(ours[200:-200], want[200:-200], atol=5e-3)


def test_resampling_lets_nothing_fold_back():
    high = np.sin(2 * np.pi * 7000 * np.arange(16000) / 16000)
    assert np.abs(resample(high, 16000, 8000)[200:-200]).max() < 1e-2
    assert resample(high, 16000, 16000) is high
    with pytest.raises(ConfigError, match="sampling_rate=0"):
        resample(high, 16000, 0)


def test_rates_that_differ(tmp_path):
    for name, rate in (("a", 8000), ("b", 16000)):
        scipy.io.wavfile.write(tmp_path / f"{name}.wav", rate, TONE.astype(np.float32))
    paths = [tmp_path / "a.wav", tmp_path / "b.wav"]
    said = r"b\.wav has 16000 samples a second, .*a\.wav 8000\.\n  Write sampling_rate=8000"
    with pytest.raises(DataError, match=said):
        load_sounds(paths)
    a, b = load_sounds(paths, 16000)
    assert (len(a), len(b)) == (2 * len(TONE), len(TONE))
    np.testing.assert_allclose(a, scipy.signal.resample_poly(TONE, 2, 1), atol=1e-6)
