"""Regularizers and constraints."""

import jax.numpy as jnp
import keras
import numpy as np
import pytest

from tests.peers import relaxed
from thalweg.errors import ConfigError
from thalweg.ops import constraint, regularizer
from thalweg.ops.constraints import MaxNorm, NonNeg, UnitNorm
from thalweg.ops.regularizers import L1, L1L2, L2

W = np.random.default_rng(0).normal(size=(2, 3, 4))


@pytest.mark.parametrize(
    ("ours", "equation", "theirs"),
    [
        (L1(0.1), 0.1 * abs(W).sum(), keras.regularizers.L1(0.1)),
        (L2(0.1), 0.1 * (W**2).sum(), keras.regularizers.L2(0.1)),
        (L1L2(0.1, 0.3), 0.1 * abs(W).sum() + 0.3 * (W**2).sum(), keras.regularizers.L1L2(0.1, 0.3)),
        ("l1", 0.01 * abs(W).sum(), "l1"),
        ("l2", 0.01 * (W**2).sum(), "l2"),
        ("l1_l2", 0.01 * abs(W).sum() + 0.01 * (W**2).sum(), None),  # Keras's is L1L2(0, 0), which does nothing
    ],
)
def test_regularizers(ours, equation, theirs):
    w = jnp.asarray(W, jnp.float32)
    np.testing.assert_allclose(regularizer(ours)(w), equation, rtol=1e-5)
    assert regularizer(ours)(w.astype(jnp.bfloat16)).dtype == jnp.float32
    if theirs is not None:
        with relaxed():
            np.testing.assert_allclose(regularizer(ours)(w), np.asarray(keras.regularizers.get(theirs)(w)), rtol=1e-5)


def norm(w, axis):
    return np.sqrt((w**2).sum(axis, keepdims=True))


@pytest.mark.parametrize(
    ("ours", "equation", "theirs"),
    [
        (MaxNorm(0.5), W * np.minimum(1, 0.5 / norm(W, 0)), keras.constraints.MaxNorm(0.5)),
        (MaxNorm(2, (0, 1)), W * np.minimum(1, 2 / norm(W, (0, 1))), keras.constraints.MaxNorm(2, (0, 1))),
        (NonNeg(), np.maximum(W, 0), keras.constraints.NonNeg()),
        (UnitNorm((0, 1)), W / norm(W, (0, 1)), keras.constraints.UnitNorm((0, 1))),
        ("max_norm", W * np.minimum(1, 2 / norm(W, 0)), "max_norm"),
        ("unit_norm", W / norm(W, 0), "unit_norm"),
        ("NonNeg", np.maximum(W, 0), "non_neg"),
    ],
)
def test_constraints(ours, equation, theirs):
    w = jnp.asarray(W, jnp.float32)
    np.testing.assert_allclose(constraint(ours)(w), equation, rtol=1e-5, atol=1e-6)
    with relaxed():
        np.testing.assert_allclose(constraint(ours)(w), np.asarray(keras.constraints.get(theirs)(w)), rtol=1e-5)


def test_a_weight_of_zeros_stays_zero():
    for ours in (MaxNorm(), UnitNorm()):
        np.testing.assert_array_equal(ours(jnp.zeros((2, 2))), np.zeros((2, 2)))


def test_names():
    assert regularizer(None) is None
    assert constraint(None) is None
    assert constraint("MaxNorm") == MaxNorm()
    with pytest.raises(ConfigError, match="unknown regularizer 'l3'"):
        regularizer("l3")
    with pytest.raises(ConfigError, match=r"unknown constraint 'maxnrm'.\n  Did you mean 'maxnorm'"):
        constraint("maxnrm")


@pytest.mark.parametrize("rule", [MaxNorm(), UnitNorm()])
def test_a_norm_that_overflows_leaves_no_zeros(rule):
    """The weights would be 0, and finite, so that nothing else would say it."""
    w = jnp.full((4, 3), 1e18)
    np.testing.assert_allclose(jnp.linalg.norm(rule(w), axis=0), getattr(rule, "max_value", 1), rtol=1e-6)
    assert np.isnan(rule(100 * w)).all()
    half = rule(jnp.full((4, 3), 300, jnp.float16))  # whose squares are no float16
    assert half.dtype == jnp.float16
    np.testing.assert_allclose(half.astype(jnp.float32), getattr(rule, "max_value", 1) / 2, rtol=1e-3)
