"""Which tokens may be drawn, and how often, against NumPy and a chi-square test."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from thalweg.architectures import Greedy, Sample, top_k, top_p
from thalweg.errors import ConfigError

LOGITS = np.random.default_rng(0).normal(scale=2, size=(5, 9)).astype(np.float32)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def kept_k(row, k):
    return set(np.argsort(row)[::-1][:k].tolist())


def kept_p(row, p):
    order, found, total = np.argsort(row)[::-1], set(), 0.0
    for i in order:
        found.add(int(i))
        total += softmax(row.astype(np.float64))[i]
        if total >= p:
            break
    return found


def kept(logits):
    return [set(np.flatnonzero(np.isfinite(row)).tolist()) for row in np.asarray(logits)]


@pytest.mark.parametrize("k", [1, 3, 9, 20])
def test_top_k_keeps_the_set(k):
    assert kept(top_k(jnp.asarray(LOGITS), k)) == [kept_k(row, k) for row in LOGITS]


@pytest.mark.parametrize("p", [0.01, 0.5, 0.9, 1.0])
def test_top_p_keeps_the_smallest_set(p):
    expected = [kept_p(row, p) if p < 1 else set(range(9)) for row in LOGITS]
    assert kept(top_p(jnp.asarray(LOGITS), p)) == expected


def test_both_after_the_temperature():
    found = Sample(0.5, top_k=4, top_p=0.8).filtered(jnp.asarray(LOGITS))
    for row, ours in zip(LOGITS, np.asarray(found), strict=True):
        sharp = row / 0.5
        rest = np.where([i in kept_k(row, 4) for i in range(9)], sharp, -np.inf)
        last = np.where([i in kept_p(rest, 0.8) for i in range(9)], sharp, -np.inf)
        np.testing.assert_allclose(ours, last, rtol=1e-6)


@pytest.mark.parametrize("search", [Sample(), Sample(2.0), Sample(top_k=4), Sample(0.7, top_p=0.8)], ids=repr)
def test_frequencies_are_the_probabilities(search):
    n, row = 20000, LOGITS[0]
    keys = jax.random.split(jax.random.key(1), n)
    drawn = np.asarray(jax.jit(search.choose)(jnp.broadcast_to(jnp.asarray(row), (n, 9)), keys))
    scaled = row.astype(np.float64) / search.temperature
    if search.top_k:
        scaled = np.where([i in kept_k(scaled, search.top_k) for i in range(9)], scaled, -np.inf)
    if search.top_p:
        scaled = np.where([i in kept_p(scaled, search.top_p) for i in range(9)], scaled, -np.inf)
    expected, counts = n * softmax(scaled), np.bincount(drawn, minlength=9)
    assert not counts[expected == 0].any()
    possible = expected > 0
    assert scipy.stats.chisquare(counts[possible], expected[possible]).pvalue > 0.01


def test_greedy_takes_the_largest():
    found = Greedy().choose(jnp.asarray(LOGITS), jax.random.split(jax.random.key(0), 5))
    np.testing.assert_array_equal(found, LOGITS.argmax(-1))


def test_settings_out_of_range():
    for wrong in ({"temperature": 0.0}, {"top_k": 0}, {"top_p": 0.0}, {"top_p": 1.5}):
        with pytest.raises(ConfigError, match=f"Sample: {next(iter(wrong))} must be"):
            Sample(**wrong)
