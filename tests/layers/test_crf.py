"""The CRF as the end of a network: its mask, its training against a brute-force optimum, and decoding."""

import jax.numpy as jnp
import numpy as np
import pytest

import thalweg
from thalweg import core, layers, losses, ops, random
from thalweg.core import Module
from thalweg.errors import ContractError
from thalweg.ops import crf


class Padded(Module):
    """Says that steps of -9 are padding, and makes them 0."""

    def __call__(self, cx, x):
        real = x[..., 0] != -9
        return cx.masked(jnp.where(real[..., None], x, 0), real)


def padded(seed=0, rows=6, time=4, tags=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, time, tags)).astype(np.float32)
    steps = rng.integers(1, time + 1, rows)
    x[np.arange(time) >= steps[:, None]] = -9
    return x, steps


def weights(tags=3):
    rng = np.random.default_rng(9)
    shapes = {"transitions": (tags, tags), "start": (tags,), "end": (tags,)}
    return {name: jnp.asarray(rng.normal(size=shape), jnp.float32) for name, shape in shapes.items()}


def test_each_row_starts_and_ends_where_its_mask_says():
    x, steps = padded()
    network = layers.Sequential([Padded(), layers.CRF()])
    params, state = core.init(network, random.key(0), jnp.asarray(x))
    params = {"layers": {"1": weights()}} if "layers" in params else params
    psi, _ = core.apply(network, params, state, jnp.asarray(x), key=random.key(0))
    for row, n in enumerate(steps):
        alone, _ = core.apply(layers.CRF(), weights(), {}, jnp.asarray(x[row : row + 1, :n]), key=random.key(0))
        np.testing.assert_allclose(psi[row, :n], alone[0], rtol=1e-6)
        np.testing.assert_allclose(crf.log_partition(psi)[row], crf.log_partition(alone)[0], rtol=1e-5)
        assert ops.viterbi(psi)[row].tolist() == ops.viterbi(alone)[0].tolist() + [-1] * (4 - n)


def test_training_learns_what_only_neighbours_tell_and_predict_decodes():
    rng = np.random.default_rng(0)
    steps = rng.integers(2, 7, 64)
    first = rng.integers(0, 2, 64)
    tags = (first[:, None] + np.arange(6)) % 2  # each tag is the other of the one before
    x = np.zeros((64, 6, 2), np.float32)
    x[np.arange(64), 0, first] = 1  # and only the first step tells which
    x[np.arange(6) >= steps[:, None]] = -9
    tags = np.where(np.arange(6) < steps[:, None], tags, -1)
    model = thalweg.Sequential([Padded(), layers.Dense(2), layers.CRF()])
    model.compile(thalweg.optimizers.Adam(0.1), "crf", metrics=["accuracy"])
    history = model.fit(x, tags, epochs=30, batch_size=32, verbose=0).history
    assert history["loss"][-1] < 0.1 < history["loss"][0]
    assert history["accuracy"][-1] == 1.0
    np.testing.assert_array_equal(ops.viterbi(model.predict(x)), tags)
    assert model.evaluate(x, tags, verbose=0)[1] == 1.0


def test_a_crf_s_loss_without_a_crf_is_refused():
    model = thalweg.Sequential([layers.Dense(3)])
    model.compile("adam", "crf")
    with pytest.raises(ContractError, match=r"End the network in Dense\(tags\) and CRF\(\)"):
        model.fit(np.zeros((8, 4, 2), np.float32), np.zeros((8, 4), int), verbose=0, batch_size=4)


def test_ctc_learns_to_spell_and_greedy_reads_it():
    rng = np.random.default_rng(0)
    words = np.array([[1, 2, -1], [2, 2, 1], [3, -1, -1], [1, 3, 3]])
    which = rng.integers(0, 4, 32)
    x = np.repeat(np.eye(4, dtype=np.float32)[which][:, None], 6, axis=1)
    x = np.concatenate([x, np.broadcast_to(np.eye(6, dtype=np.float32), (32, 6, 6))], axis=-1)
    model = thalweg.Sequential([layers.Dense(32, "relu"), layers.Dense(4, "softmax")])
    model.compile(thalweg.optimizers.Adam(0.03), losses.CTC(), metrics=["label_error_rate"])
    history = model.fit(x, words[which], epochs=40, batch_size=16, verbose=0).history
    assert history["loss"][-1] < 0.3
    assert history["label_error_rate"][-1] == 0
    p = model.predict(x)
    np.testing.assert_array_equal(ops.ctc_greedy(p)[:, :3], words[which])
    labels, _ = ops.ctc_beam(np.log(np.maximum(p, 1e-30)), beam_width=10)
    np.testing.assert_array_equal(labels[:, 0, :3], words[which])
