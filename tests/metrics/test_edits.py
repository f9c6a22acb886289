"""Edit distances and error rates against the definition by recursion, and CTC's label error rate against them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import losses, metrics
from thalweg.errors import ConfigError, ContractError
from thalweg.metrics import LabelErrorRate, character_error_rate, edit_distance, word_error_rate
from thalweg.ops import ctc_greedy


def by_definition(a, b):
    @functools.cache
    def d(i, j):
        if not i or not j:
            return i + j
        return min(d(i - 1, j) + 1, d(i, j - 1) + 1, d(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return d(len(a), len(b))


def test_edit_distance_is_that_of_the_definition():
    rng = np.random.default_rng(0)
    for _ in range(60):
        a, b = (tuple(rng.integers(0, 3, rng.integers(0, 8)).tolist()) for _ in range(2))
        assert edit_distance(a, b) == by_definition(a, b)


def test_rates_are_edits_over_the_length_of_what_was_said():
    said, heard = ["a b c d", "e f", ""], ["a x c", "e f g", "h"]
    assert word_error_rate(said, heard) == (2 + 1 + 1) / 6
    assert character_error_rate(["abc", "d"], ["abd", ""]) == 2 / 4
    assert word_error_rate(said, said) == 0
    assert word_error_rate(["a"], ["b c d"]) == 3


@pytest.mark.parametrize("pair", [(["a"], ["a", "b"]), ("a b", "a c"), (["a"], "b")])
def test_texts_that_do_not_pair_are_refused(pair):
    with pytest.raises(ContractError, match=r"\n  Give one hypothesis for each reference"):
        word_error_rate(*pair)
    with pytest.raises(ContractError, match=r"empty, so there is no rate\.\n  Give some text"):
        word_error_rate([""], ["a"])


@pytest.mark.parametrize("blank", [0, 3])
def test_the_label_error_rate_is_that_of_greedy_labels(blank):
    rng = np.random.default_rng(1)
    p = jnp.asarray(rng.dirichlet(np.ones(4), (7, 9)), jnp.float32)
    said = rng.integers(1, 4, (7, 5)) - (blank == 3)
    counts = np.array([5, 4, 3, 2, 1, 0, 5])
    labels = np.where(np.arange(5) < counts[:, None], said, -1)
    steps = np.array([9, 8, 7, 6, 5, 4, 3])
    row = np.array([1, 1, 1, 1, 1, 1, 0], np.float32)
    heard = np.asarray(ctc_greedy(p, steps, blank))
    pairs = [([k for k in heard[i] if k >= 0], said[i, : counts[i]].tolist()) for i in range(6)]
    want = sum(by_definition(tuple(a), tuple(b)) for a, b in pairs) / counts[:6].sum()

    metric = metrics.metric("label_error_rate", losses.CTC(blank=blank))
    assert metric.blank == blank
    acc = metric.init(7, jax.ShapeDtypeStruct((1, 9, 4), jnp.float32))
    weight = jnp.asarray(row[:, None] * (np.arange(9) < steps[:, None]), jnp.float32)
    update = jax.jit(metric.update)
    for i in range(0, 7, 3):
        acc = update(acc, *(jnp.asarray(a)[i : i + 3] for a in (labels, p, weight)))
    np.testing.assert_allclose(metric.result(acc), want, rtol=1e-6)


def test_labels_have_no_accuracy():
    with pytest.raises(ConfigError, match=r"no 'acc' step by step\.\n  Write metrics=\['label_error_rate'\]"):
        metrics.metric("acc", losses.CTC())
    assert metrics.metric(LabelErrorRate(blank=2), losses.CTC()).blank == 2
    assert metrics.metric("label_error_rate").blank == 0
