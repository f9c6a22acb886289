"""Sound to spectra, against Keras, the equation in loops, SciPy, and numbers of librosa.

The golden numbers were made once with librosa 0.11.0 in float64: `librosa.stft` with n_fft=256, hop_length=80,
win_length=200, window="hann", center=True, pad_mode="reflect"; `librosa.feature.melspectrogram` (20 bands, 50 to 3800
Hz); `power_to_db(top_db=60)`; `mfcc(n_mfcc=13, norm="ortho")`; `delta(width=9, mode="nearest")`.
"""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import scipy.fft
import scipy.signal

from tests.peers import relaxed
from thalweg import ops
from thalweg.errors import ConfigError, ContractError

T = np.arange(2000) / 8000
SOUND = 0.6 * np.sin(2 * np.pi * (300 + 1500 * T) * T) + 0.3 * np.sin(2 * np.pi * 2500 * T) * np.exp(-8 * T)
FRAMES, BANDS = (0, 7, 25), (0, 3, 11)
MEL = [
    [2.45722079, 5.65434615e-06, 0.0356682431],
    [0.547865679, 10.8089213, 0.054662563],
    [0.000212826862, 1.52668194e-08, 0.068145413],
]
HTK = [
    [93.0271032, 0.00015862499, 2.36640309],
    [557.271736, 2.38945698, 3.90774791],
    [0.0307429323, 3.28554835e-06, 14.6982963],
]
DB = [
    [3.90444182, -48.7415199, -14.4771828],
    [-2.61325905, 10.3378236, -12.6231001],
    [-36.7197356, -48.7415199, -11.6656337],
]
MFCC = [
    [-69.1109486, -152.963262, -56.1870315],
    [5.90562005, -13.1135562, -11.6838236],
    [-6.86910212, -5.75110293, -4.90028819],
]
DELTA = [
    [-13.3926929, -0.44250748, 16.847984],
    [1.23422717, -6.65722791, 5.30384156],
    [-0.502800311, -0.259681193, 0.35476662],
]


def picked(x):
    return [[x[t, k] for t in FRAMES] for k in BANDS]


def test_stft_is_the_equation():
    rng = np.random.default_rng(0)
    x, N, L, stride = rng.normal(size=(2, 30)), 8, 6, 3
    real, imag = ops.stft(x, L, stride, N, "hamming", center=False)
    w = np.zeros(N)
    for n in range(L):
        w[1 + n] = 0.54 - 0.46 * np.cos(2 * np.pi * n / L)
    for b in range(2):
        for t in range(real.shape[1]):
            for k in range(N // 2 + 1):
                X = sum(w[n] * x[b, t * stride + n] * np.exp(-2j * np.pi * k * n / N) for n in range(N))
                np.testing.assert_allclose([real[b, t, k], imag[b, t, k]], [X.real, X.imag], atol=1e-12)
    assert real.shape == (2, 1 + (30 - N) // stride, 5)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize(("length", "window"), [(64, "hann"), (50, "hamming"), (49, "hann"), (64, None)])
def test_keras_agrees(center, length, window):
    x = np.random.default_rng(1).normal(size=(2, 200)).astype(np.float32)
    with relaxed():
        theirs = keras.ops.stft(x, length, 20, 64, window=window, center=center)
    for ours in (ops.stft(x, length, 20, 64, window, center), ops.stft(jnp.asarray(x), length, 20, 64, window, center)):
        for a, b in zip(ours, theirs, strict=True):
            assert a.dtype == np.float32
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=2e-5)


def test_scipy_agrees():
    _, _, theirs = scipy.signal.stft(SOUND, nperseg=256, noverlap=256 - 80, boundary=None, padded=False)
    real, imag = ops.stft(SOUND, 256, 80, 256, center=False)
    total = scipy.signal.get_window("hann", 256).sum()  # by which SciPy divides
    np.testing.assert_allclose(real + 1j * imag, theirs.T * total, atol=1e-10)


def test_librosa_agrees():
    real, imag = ops.stft(SOUND, 200, 80, 256)
    assert real.shape == (26, 129)
    golden = {(0, 10): -1.54257127 + 0j, (7, 20): -0.554785757 - 0.26497083j, (25, 80): 0.87326387 - 2.06540563j}
    for place, X in golden.items():
        np.testing.assert_allclose(real[place] + 1j * imag[place], X, rtol=1e-8)
    power = ops.power_spectrum(SOUND, 200, 80, 256)
    np.testing.assert_allclose(picked(power @ ops.mel_filter_bank(8000, 256, 20, 50, 3800)), MEL, rtol=1e-6)
    htk = ops.mel_filter_bank(8000, 256, 20, 50, 3800, htk=True, unit_area=False)
    np.testing.assert_allclose(picked(power @ htk), HTK, rtol=1e-6)
    db = ops.decibels(power @ ops.mel_filter_bank(8000, 256, 20, 50, 3800), top_db=60.0)
    np.testing.assert_allclose(picked(db), DB, rtol=1e-6)
    np.testing.assert_allclose(picked(ops.dct(db, 13)), MFCC, rtol=1e-5)
    np.testing.assert_allclose(picked(ops.deltas(ops.dct(db, 13))), DELTA, rtol=1e-5)
    np.testing.assert_allclose(
        ops.pre_emphasis(SOUND)[[0, 1, 2, 777]], [0, 0.41703996720, -0.34352780218, -0.11068588063]
    )


@pytest.mark.parametrize("length", [24, 25, 401])
def test_a_triangle_at_each_bin_stands_at_its_frequency(length):
    bank = ops.mel_filter_bank(8000, length, 3, 500, 3500, htk=True, unit_area=False)
    mels = np.linspace(2595 * np.log10(1 + 500 / 700), 2595 * np.log10(1 + 3500 / 700), 5)
    corners = 700 * (10 ** (mels / 2595) - 1)
    bins = np.fft.rfftfreq(length, 1 / 8000)
    for m in range(3):
        np.testing.assert_allclose(bank[:, m], np.interp(bins, corners[m : m + 3], [0, 1, 0]), atol=1e-12)


def test_mel_banks_of_librosa():
    bins = np.arange(257)[:, None]
    slaney = ops.mel_filter_bank(16000, 512, 80)
    assert slaney[:, 0].nonzero()[0].tolist() == [1, 2]
    got = slaney.sum(), slaney[:, 40].max(), (slaney * bins).sum()
    np.testing.assert_allclose(got, (2.5582607778404807, 0.014444176346352967, 196.40476665126334), rtol=1e-6)
    htk = ops.mel_filter_bank(16000, 512, 40, htk=True, unit_area=False)
    got = htk.sum(), htk[:, 20].max(), (htk * bins).sum()
    np.testing.assert_allclose(got, (246.89891218568434, 0.9930171386923647, 30687.398925456368), rtol=1e-6)


def test_mel_filters_are_triangles():
    bank = ops.mel_filter_bank(8000, 128, 5, 100.0, 3000.0, unit_area=False)
    mels = [ops_mel(100.0) + i * (ops_mel(3000.0) - ops_mel(100.0)) / 6 for i in range(7)]
    c = [m * 200 / 3 if m < 15 else 1000 * np.exp((m - 15) * np.log(6.4) / 27) for m in mels]
    for m in range(5):
        for k in range(65):
            f = k * 8000 / 128
            up, down = (f - c[m]) / (c[m + 1] - c[m]), (c[m + 2] - f) / (c[m + 2] - c[m + 1])
            np.testing.assert_allclose(bank[k, m], max(0.0, min(up, down)), atol=1e-12)


def ops_mel(hz):
    return hz * 3 / 200 if hz < 1000 else 15 + 27 * np.log(hz / 1000) / np.log(6.4)


def test_dct_and_deltas():
    x = np.random.default_rng(2).normal(size=(3, 12, 20))
    np.testing.assert_allclose(ops.dct(x, 7), scipy.fft.dct(x, type=2, norm="ortho")[..., :7], atol=1e-12)
    slope = scipy.signal.savgol_filter(x, 5, polyorder=1, deriv=1, axis=1, mode="nearest")
    np.testing.assert_allclose(ops.deltas(x, 5), slope, atol=1e-12)


def test_an_utterance_has_its_own_scale():
    x = np.random.default_rng(3).normal(5, 3, (2, 40, 3))
    y = ops.normalize_utterance(x, epsilon=0.0)
    np.testing.assert_allclose(y, (x - x.mean(1)[:, None]) / x.std(1)[:, None], rtol=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        ops.pre_emphasis,
        lambda x: ops.power_spectrum(x, 50, 20, 64),
        lambda x: ops.decibels(ops.power_spectrum(x, 50, 20, 64)),
        lambda x: ops.dct(ops.frames(x, 16, 8), 5),
        lambda x: ops.deltas(ops.frames(x, 16, 8)),
        lambda x: ops.normalize_utterance(ops.frames(x, 16, 8)),
    ],
)
def test_a_compiled_program_and_numpy_agree(function):
    x = np.random.default_rng(4).normal(size=(2, 300)).astype(np.float32)
    ours, compiled = function(x), jax.jit(function)(x)
    assert type(ours) is np.ndarray
    assert ours.dtype == compiled.dtype == np.float32
    np.testing.assert_allclose(ours, np.asarray(compiled), rtol=2e-4, atol=2e-4)


def test_what_does_not_fit():
    with pytest.raises(ContractError, match=r"x has 5 samples; one frame needs 8.\n  Pad it with zeros"):
        ops.frames(np.zeros(5), 8, 2)
    with pytest.raises(ContractError, match=r"x has 32 samples; a centred frame of 64 reflects 32, which needs 33"):
        ops.stft(np.zeros(32), 64, 16, 64)
    with pytest.raises(ConfigError, match="a window has 1 to fft_length samples"):
        ops.stft(np.zeros(99), 65, 16, 64)
    with pytest.raises(ConfigError, match="window='kaiser' is unknown"):
        ops.stft(np.zeros(99), 64, 16, 64, "kaiser")
    with pytest.raises(ConfigError, match="mel filter 0 of 300 lies between two bins"):
        ops.mel_filter_bank(8000, 256, 300)
    with pytest.raises(ConfigError, match="Write frequencies from 0 to 4000"):
        ops.mel_filter_bank(8000, 256, 20, 0.0, 8000.0)
    with pytest.raises(ConfigError, match="a slope needs an odd number"):
        ops.deltas(np.zeros((9, 2)), 4)
    with pytest.raises(ConfigError, match="count=9 coefficients of 4 features"):
        ops.dct(np.zeros((2, 4)), 9)


def test_a_feature_that_never_changes_is_normalised_to_0():
    x = np.full((7, 3), -23.0259, np.float32)
    assert not ops.normalize_utterance(x).any()
    assert not np.any(ops.normalize_utterance(jnp.asarray(x)))


def test_a_deviation_that_overflows_leaves_no_zeros():
    x = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    for array in (x, jnp.asarray(x)):
        np.testing.assert_allclose(ops.normalize_utterance(1e17 * array).std(0), 1, rtol=1e-5)
        with np.errstate(over="ignore"):
            assert np.isnan(ops.normalize_utterance(1e21 * array)).all()
