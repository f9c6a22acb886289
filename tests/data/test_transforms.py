import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from thalweg import data
from thalweg.data import MinMax, OneHot, Standardize
from thalweg.errors import ContractError, DataError
from thalweg.record import from_json, to_json

TRAIN = np.random.default_rng(0).normal([3, -200, 0.01], [2, 50, 1e-3], (200, 3))
TEST = np.random.default_rng(1).normal([3, -200, 0.01], [2, 50, 1e-3], (50, 3))
PEERS = [(Standardize, StandardScaler), (MinMax, MinMaxScaler)]


@pytest.mark.parametrize(("kind", "peer"), PEERS)
def test_scikit_learn_agrees(kind, peer):
    ours, theirs = kind.fit(TRAIN), peer().fit(TRAIN)
    np.testing.assert_allclose(ours(TEST), theirs.transform(TEST), rtol=1e-12)
    np.testing.assert_allclose(ours.inverse(ours(TEST)), TEST, rtol=1e-12)
    np.testing.assert_allclose(ours(TEST.astype(np.float32)), theirs.transform(TEST), rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [Standardize, MinMax])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64", "uint8"])
def test_numpy_and_jax_agree_to_the_bit(kind, dtype):
    with jax.enable_x64(dtype == "float64"):
        x = np.abs(TEST).astype(jnp.dtype(dtype))
        transform = kind.fit(TRAIN)
        ours, compiled = transform(x), jax.jit(transform)(jnp.asarray(x))
        assert ours.dtype == compiled.dtype == (jnp.float32 if dtype == "uint8" else jnp.dtype(dtype))
        assert np.asarray(ours).tobytes() == np.asarray(compiled).tobytes()


def test_bfloat16_is_computed_in_float32():
    x = np.float32([100.0, 101.0, 103.0, 100.5]).astype(jnp.bfloat16)
    scale = Standardize(mean=100.3, std=1.7)
    exact = (x.astype(np.float64) - 100.3) / 1.7
    np.testing.assert_allclose(scale(x).astype(np.float64), exact, rtol=2**-8)


@pytest.mark.parametrize("kind", [Standardize, MinMax])
@pytest.mark.parametrize("shape", [(20,), (20, 3), (20, 4, 3), (20, 4, 5, 3)])
def test_the_last_axis_is_the_features(kind, shape):
    x = np.random.default_rng(2).normal(5, 3, shape)
    z = kind.fit(x)(x)
    flat = z.reshape(-1, 3) if len(shape) > 1 else z
    if kind is Standardize:
        np.testing.assert_allclose(flat.mean(0), 0, atol=1e-12)
        np.testing.assert_allclose(flat.std(0), 1, rtol=1e-12)
    else:
        np.testing.assert_allclose([flat.min(0), flat.max(0)], [flat.min(0) * 0, flat.max(0) * 0 + 1], atol=1e-12)


def test_statistics_are_exact_in_chunks_and_for_pixels(monkeypatch):
    pixels = np.random.default_rng(3).integers(0, 256, (500, 6, 3), dtype=np.uint8)
    monkeypatch.setattr("thalweg.data.transforms.BLOCK", 100)
    fitted = Standardize.fit(pixels)
    np.testing.assert_allclose(fitted.mean, pixels.mean((0, 1)), rtol=1e-12)
    np.testing.assert_allclose(fitted.std, pixels.std((0, 1)), rtol=1e-12)
    assert fitted(pixels).dtype == np.float32
    shifted = 1e6 + np.arange(1000.0).astype(np.float32)  # a one-pass variance in float32 would lose this
    np.testing.assert_allclose(Standardize.fit(shifted).std, np.arange(1000.0).std(), rtol=1e-12)


def test_constant_features_become_zero():
    x = np.full((10, 2), 0.1)
    assert (Standardize.fit(x)(x) == 0).all() or np.abs(Standardize.fit(x)(x)).max() < 1e-12
    assert (MinMax.fit(x)(x) == 0).all()


def test_they_are_kept_as_plain_numbers():
    for transform in (Standardize.fit(TRAIN), Standardize.fit(TRAIN[:, 0]), MinMax.fit(TRAIN), OneHot(4)):
        text = json.dumps(to_json(transform))
        assert from_json(json.loads(text), data.ALLOWED) == transform
        assert eval(repr(transform)) == transform


def test_one_hot():
    labels = np.array([[0, 2], [1, 1]])
    rows = OneHot.fit(labels)(labels)
    assert rows.dtype == np.float32
    assert rows.tolist() == np.eye(3)[labels].tolist()
    assert np.array_equal(OneHot(3).inverse(rows), labels)
    compiled = jax.jit(OneHot(3))(jnp.uint8([0, 2]))
    assert compiled.tolist() == [[1, 0, 0], [0, 0, 1]]
    assert OneHot(300)(np.uint8([255]))[0].argmax() == 255
    for bad in ([0, 3], [-1, 0], [2**32, 0]):
        with pytest.raises(DataError, match=r"row \d holds .*; OneHot\(3\) takes 0 to 2"):
            OneHot(3)(bad)
    with pytest.raises(DataError, match="OneHot takes integers"):
        OneHot(3)([0.5])


def test_what_does_not_fit():
    with pytest.raises(DataError, match="feature 1 holds NaN or infinity"):
        Standardize.fit([[1.0, np.nan], [2.0, 3.0]])
    with pytest.raises(DataError, match="feature 0 holds NaN or infinity"):
        MinMax.fit([[np.inf, 1.0]])
    with pytest.raises(DataError, match="no rows to fit on"):
        Standardize.fit(np.zeros((0, 2)))
    with pytest.raises(ContractError, match=r"fitted on 3 features; this array has shape \(5, 2\)"):
        Standardize.fit(TRAIN)(np.zeros((5, 2)))


@pytest.mark.parametrize("kind", [Standardize, MinMax])
def test_what_is_too_large_to_be_scaled_is_an_error(kind):
    """The reciprocal of the spread would be 0, and so would the data."""
    x = np.float32([[1.0, -3e38], [2.0, 3e38]])
    with pytest.raises(DataError, match=r"too large for float32 .*\n  Write x / 1e30"):
        kind.fit(x)(x)
    assert np.ptp(kind.fit(x / 10)(x / 10)[:, 1]) == pytest.approx(2 if kind is Standardize else 1)
