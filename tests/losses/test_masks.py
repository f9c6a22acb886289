"""Losses of padded sequences: each row's mean is over its real positions, the batch's over all of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.losses.rows import ROWS, example
from tests.peers import relaxed
from thalweg import losses
from thalweg.errors import ContractError

MASK = np.array([[True, True, False, False], [True] * 4, [False] * 4])
WEIGHT = np.random.default_rng(3).uniform(0.5, 2, MASK.shape).astype(np.float32)
BY_STEP = [row for row in ROWS if not row.loss.whole and row.loss.target != "tags"]  # a CRF has tests of its own


@pytest.mark.parametrize("row", BY_STEP, ids=lambda row: row.label)
def test_the_mean_of_a_row_is_over_its_real_positions(row):
    y, z = example(row.loss, (3, 4, 5))
    values = row.equation(y, z).reshape(3, 4, -1).mean(-1)
    z, y = jnp.asarray(z, jnp.float32), jnp.asarray(y, jnp.float32 if y.dtype == float else jnp.int32)
    got = jax.jit(row.loss)(y, z, mask=MASK)
    want = [values[i][MASK[i]].mean() if MASK[i].any() else 0 for i in range(3)]
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=1e-6)
    weighted = jax.jit(row.loss)(y, z, mask=MASK, weight=WEIGHT)
    want = [(values[i] * WEIGHT[i])[MASK[i]].mean() if MASK[i].any() else 0 for i in range(3)]
    np.testing.assert_allclose(weighted, want, rtol=2e-5, atol=1e-6)
    every = jax.jit(row.loss)(y, z, weight=WEIGHT)
    np.testing.assert_allclose(every, (values * WEIGHT).mean(1), rtol=2e-5, atol=1e-6)
    np.testing.assert_array_equal(row.loss.counts(y, z, jnp.asarray(MASK)), MASK.sum(1))
    assert row.loss.counts(y, z, None) is None
    gradient = np.asarray(jax.grad(lambda z: jnp.sum(row.loss(y, z, mask=MASK)))(z))
    np.testing.assert_array_equal(gradient[~MASK], 0)


def test_a_row_that_is_whole_counts_once():
    assert losses.TripletHard().counts(jnp.zeros(3), jnp.zeros((3, 2)), jnp.asarray(MASK)) is None


def test_ignored_labels_and_padding_are_keras_s_mean_over_the_batch():
    import keras

    z = jnp.asarray(np.random.default_rng(1).normal(size=(3, 4, 5)), jnp.float32)
    y = jnp.array([[0, 9, 1, 2], [9, 9, 9, 1], [0, 0, 9, 4]])
    loss = losses.SparseCategoricalCrossentropy(ignore_class=9)
    for mask in (None, jnp.asarray(MASK).at[2, :3].set(True)):
        rows, counts = loss(y, z, mask=mask), loss.counts(y, z, mask)
        assert counts.tolist() == ([3, 1, 3] if mask is None else [1, 1, 2])
        with relaxed():
            twin = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=9)
            keras.src.backend.set_keras_mask(z, mask)
            value = twin(y, z)
        np.testing.assert_allclose(jnp.sum(rows * counts) / jnp.sum(counts), value, rtol=1e-6)


def test_a_function_of_whole_rows_cannot_be_masked():
    loss = losses.loss(lambda y, p: jnp.mean((y - p) ** 2, axis=(1, 2)))
    y = jnp.zeros((3, 4, 1))
    assert loss(y, y).shape == (3,)
    with pytest.raises(
        ContractError, match=r"shape \(3,\), and the real steps .*\(3, 4\).\n  Return a number for each"
    ):
        loss(y, y, mask=MASK)
