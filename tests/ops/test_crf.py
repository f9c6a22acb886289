"""The CRF against the sum over all paths in NumPy, and finite differences."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.ops import crf

BATCH, TIME, TAGS = 5, 4, 3
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 1, 1], [0, 0, 0, 0]], bool)


def weights(seed=0, tags=TAGS):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(BATCH, TIME, tags)),
        rng.normal(size=(tags, tags)),
        rng.normal(size=tags),
        rng.normal(size=tags),
    )


def score(emissions, transitions, start, end, path):
    """Of one row without padding, term by term."""
    if not path:
        return 0.0
    total = start[path[0]] + end[path[-1]] + sum(emissions[t, k] for t, k in enumerate(path))
    return total + sum(transitions[a, b] for a, b in itertools.pairwise(path))


def every(emissions, transitions, start, end):
    """Each path of one row without padding, with its score."""
    paths = itertools.product(range(len(start)), repeat=len(emissions))
    return {path: score(emissions, transitions, start, end, path) for path in paths}


@pytest.fixture(scope="module", params=["padded", "whole"])
def case(request):
    mask = MASK if request.param == "padded" else np.ones_like(MASK)
    given = weights()
    with jax.enable_x64(True):
        psi = jax.jit(crf.potentials)(*given, jnp.asarray(mask) if request.param == "padded" else None)
    rows = [every(given[0][b][mask[b]], *given[1:]) for b in range(BATCH)]
    return mask, psi, rows


def test_log_z_is_that_of_all_paths(case):
    _, psi, rows = case
    with jax.enable_x64(True):
        got = jax.jit(crf.log_partition)(psi)
    np.testing.assert_allclose(got, [np.logaddexp.reduce(list(row.values())) for row in rows], rtol=1e-12, atol=1e-12)


def test_the_score_is_that_of_the_path_whatever_stands_in_padding(case):
    mask, psi, rows = case
    run = jax.jit(crf.score)
    for seed in range(4):
        tags = np.random.default_rng(seed).integers(0, TAGS, (BATCH, TIME))
        want = [row[tuple(tags[b][mask[b]])] for b, row in enumerate(rows)]
        with jax.enable_x64(True):
            np.testing.assert_allclose(run(psi, tags), want, rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(run(psi, np.where(mask, tags, -1)), want, rtol=1e-12, atol=1e-12)


def test_marginals_are_those_of_all_paths(case):
    mask, psi, rows = case
    with jax.enable_x64(True):
        got = np.asarray(jax.jit(crf.marginals)(psi))
    for b, row in enumerate(rows):
        p = np.exp(np.array(list(row.values())))
        p /= p.sum()
        for t, at in enumerate(np.flatnonzero(mask[b])):
            want = [sum(q for path, q in zip(row, p, strict=True) if path[t] == k) for k in range(TAGS)]
            np.testing.assert_allclose(got[b, at], want, rtol=1e-10)


def test_viterbi_finds_the_best_of_all_paths(case):
    mask, psi, rows = case
    psi = jnp.asarray(np.asarray(psi, np.float32))
    got = np.asarray(jax.jit(crf.viterbi)(psi))
    for b, row in enumerate(rows):
        assert tuple(got[b][mask[b]]) == max(row, key=row.get)
    np.testing.assert_array_equal(got[~mask], -1)
    np.testing.assert_array_equal(crf.real_steps(psi), mask)


def test_of_equal_paths_the_lower_tags():
    assert crf.viterbi(jnp.zeros((1, 3, 2, 2))).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("argument", range(4))
def test_gradients_are_those_of_finite_differences(argument):
    with jax.enable_x64(True):
        given = list(map(jnp.asarray, weights()))
    tags = np.random.default_rng(1).integers(0, TAGS, (BATCH, TIME))
    mix = np.random.default_rng(2).normal(size=BATCH)
    step = 1e-5 * np.random.default_rng(3).normal(size=given[argument].shape)

    def total(value):
        args = [value if i == argument else g for i, g in enumerate(given)]
        psi = crf.potentials(*args, jnp.asarray(MASK))
        return jnp.sum(mix * (crf.log_partition(psi) - crf.score(psi, jnp.asarray(tags))))

    with jax.enable_x64(True):
        run = jax.jit(jax.value_and_grad(total))
        value = given[argument]
        slope = run(value + step)[0] - run(value - step)[0]
        np.testing.assert_allclose(2 * np.sum(run(value)[1] * step), slope, rtol=1e-6)


def test_a_step_taken_out_is_padding():
    given = weights()
    with jax.enable_x64(True):
        psi = crf.potentials(*map(jnp.asarray, given))
        out = crf.without(psi, jnp.asarray(MASK))
        np.testing.assert_array_equal(crf.real_steps(out), MASK)
        np.testing.assert_array_equal(np.asarray(out)[MASK], np.asarray(psi)[MASK])
        emissions, transitions, start, _ = given
        first = every(emissions[1][:2], transitions, start, np.zeros(TAGS))  # cut short, so without its end
        np.testing.assert_allclose(crf.log_partition(out)[1], np.logaddexp.reduce(list(first.values())), rtol=1e-12)


def test_extreme_potentials_stay_finite():
    psi = 1e4 * jnp.sign(jnp.asarray(np.random.default_rng(0).normal(size=(2, 50, 3, 3)), jnp.float32))
    value, gradient = jax.value_and_grad(lambda psi: jnp.sum(crf.log_partition(psi)))(psi)
    assert jnp.isfinite(value)
    assert jnp.isfinite(gradient).all()


def test_one_tag_has_one_path():
    psi = crf.potentials(jnp.ones((2, 3, 1)), jnp.ones((1, 1)), jnp.ones(1), jnp.ones(1))
    assert crf.log_partition(psi).tolist() == [7.0, 7.0]
    assert crf.score(psi, jnp.zeros((2, 3), jnp.int32)).tolist() == [7.0, 7.0]
    assert crf.viterbi(psi).tolist() == [[0, 0, 0]] * 2
