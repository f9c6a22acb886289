"""Losses at the edge of float32: large logits, small differences, NaN; the oracle is NumPy in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import losses

rng = np.random.default_rng(0)
FEW, MANY = 6, 2**19 // 8  # rows of 8 classes; the native cross-entropy serves many


def log_softmax(z):
    d = z.astype(float) - z.max(-1, keepdims=True)
    return d - np.log(np.exp(d).sum(-1, keepdims=True))


def value_and_gradient(loss, y, z):
    return loss(y, z), jax.grad(lambda z: jnp.sum(loss(y, z)))(jnp.asarray(z))


@pytest.mark.parametrize("rows", [FEW, MANY])
@pytest.mark.parametrize("about", [0.0, 40000.0, -40000.0, 3e6])
@pytest.mark.parametrize("e", [0.0, 0.1])
def test_a_number_added_to_all_logits_changes_no_cross_entropy(rows, about, e):
    z, y = np.float32(about + rng.integers(-8, 8, (rows, 8)) / 2), rng.integers(0, 8, rows)
    share, log_p = (1 - e) * np.eye(8)[y] + e / 8, log_softmax(z)
    expected, slope = -(share * log_p).sum(-1), np.exp(log_p) - share
    kinds = {losses.SparseCategoricalCrossentropy: y, losses.CategoricalCrossentropy: np.eye(8, dtype=np.float32)[y]}
    for kind, target in kinds.items():
        value, gradient = value_and_gradient(kind(label_smoothing=e), target, z)
        np.testing.assert_allclose(value, expected, atol=3e-6)
        np.testing.assert_allclose(gradient, slope, atol=1e-6)
    focal = losses.SparseCategoricalFocalCrossentropy()(y, z)
    ce = -log_p[np.arange(rows), y]
    np.testing.assert_allclose(focal, 0.25 * (1 - np.exp(-ce)) ** 2 * ce, atol=3e-6)


def test_the_case_of_two_logits():
    z = np.float32([[40000, 40000.5]])
    assert float(losses.SparseCategoricalCrossentropy()([1], z)[0]) == pytest.approx(0.4740770, abs=1e-6)


def test_a_crf_far_from_0_is_that_near_it():
    psi, tags = np.float32(np.round(rng.normal(size=(3, 5, 4, 4)) * 256) / 256), rng.integers(0, 4, (3, 5))
    loss = losses.CRFNegativeLogLikelihood()
    near, far = value_and_gradient(loss, tags, psi), value_and_gradient(loss, tags, psi + np.float32(20000))
    for a, b in zip(near, far, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_log_cosh_near_0_and_far_from_it():
    d = np.float32([0, 1e-4, -1e-4, 1e-2, 0.999, 1.0, -1.5, 30, -1e10])
    exact = np.float64(d)
    expected = np.where(np.abs(exact) < 0.1, exact**2 / 2 - exact**4 / 12, np.logaddexp(exact, -exact) - np.log(2))
    value, gradient = value_and_gradient(losses.LogCosh(), np.zeros((9, 1)), d[:, None])
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_allclose(gradient[:, 0], np.tanh(exact), rtol=1e-6)


def test_a_nan_among_the_outputs_is_the_loss_of_ctc():
    z = rng.normal(size=(2, 5, 3)).astype(np.float32)
    z[1, 2, 1] = np.nan
    assert np.isnan(losses.CTC()([[1, 2], [1, 2]], z)).tolist() == [False, True]
