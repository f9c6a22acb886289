"""Threefry against the published vectors and JAX's own; moments against theory; independence of how work is split."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry_2x32

from thalweg import random

N = 1 << 16

# Known answers of Threefry-2x32, 20 rounds, from Random123's kat_vectors: (key, counter, output)
PUBLISHED = [
    ((0x00000000, 0x00000000), (0x00000000, 0x00000000), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]


def words(pair):
    return tuple(jnp.uint32(w) for w in pair)


@pytest.fixture(scope="module")
def drawn():
    make = jax.jit(lambda key: (random.uniform(key, (N,)), random.normal(key, (N,)), random.bernoulli(key, 0.3, (N,))))
    return [np.asarray(a, np.float64) for a in make(random.key(0))]


@pytest.mark.parametrize(("key", "counter", "expected"), PUBLISHED)
def test_threefry_equals_the_published_vectors(key, counter, expected):
    assert tuple(int(w) for w in random.threefry2x32(words(key), words(counter))) == expected


def test_words_are_both_outputs_of_the_threefry_of_jax():
    """Sixteen first outputs, the sixteen second ones of the same counters, and so on."""
    key = random.key(7)
    counter = np.arange(512, dtype=np.uint32)
    theirs = np.asarray(threefry_2x32(jax.random.key_data(key), np.concatenate([counter, 0 * counter])))
    want = np.stack([theirs[:512].reshape(-1, 16), theirs[512:].reshape(-1, 16)], axis=1).ravel()
    np.testing.assert_array_equal(random.bits(key, (10, 100)), want[:1000].reshape(10, 100))


def test_a_seed_is_a_key_of_jax():
    np.testing.assert_array_equal(
        jax.random.key_data(random.key(5)), jax.random.key_data(jax.random.key(5, impl="threefry2x32"))
    )


def test_moments(drawn):
    """Within four standard errors of the mean, the variance and, for the normal, the third and fourth moment."""
    u, z, b = drawn
    assert 0 <= u.min() < 1e-3
    assert 1 - 1e-3 < u.max() < 1
    assert abs(u.mean() - 1 / 2) < 4 * np.sqrt(1 / 12 / N)
    assert abs(u.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / N)
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((z**power).mean() - moment) < 4 * np.sqrt(variance / N), power
    assert abs(b.mean() - 0.3) < 4 * np.sqrt(0.21 / N)


def test_neighbours_are_uncorrelated(drawn):
    for a in drawn[:2]:
        for lag in (1, 2, 16, 32, 64):
            assert abs(np.corrcoef(a[:-lag], a[lag:])[0, 1]) < 4 / np.sqrt(N)


def test_a_shape_does_not_change_the_numbers():
    np.testing.assert_array_equal(random.uniform(random.key(0), (6, 4)).ravel(), random.uniform(random.key(0), (24,)))
    np.testing.assert_array_equal(random.uniform(random.key(0), (24,))[:5], random.uniform(random.key(0), (5,)))


def test_folding_gives_each_path_and_step_its_own_key():
    key = random.key(0)
    keys = [random.fold(key, "a"), random.fold(key, "b"), random.fold(key, 0), random.fold(key, 1),
            random.fold(key, "a", 1), random.fold(key, 1, "a")]  # fmt: skip
    assert len({tuple(np.asarray(jax.random.key_data(k))) for k in keys}) == len(keys)
    again = jax.jit(lambda step: random.fold(key, "a", step))(1)
    np.testing.assert_array_equal(jax.random.key_data(again), jax.random.key_data(keys[4]))


def test_arrays_come_from_their_own_paths_however_many_are_alike():
    def drawn(key, shape, dtype):
        return random.normal(key, shape).astype(dtype)

    def fixed(key, shape, dtype):
        return jnp.ones(shape, dtype)

    wanted = {("a", "kernel"): (drawn, (2, 3), "float32"), ("a", "bias"): (fixed, (3,), "float32"),
              ("b", "kernel"): (drawn, (2, 3), "float32"), ("b", "bias"): (fixed, (3,), "float32"),
              ("c", "kernel"): (drawn, (3, 2), "float32"), ("d", "kernel"): (drawn, (2, 3), "float16")}  # fmt: skip
    key = random.key(5)
    made = random.arrays(key, wanted)
    assert list(made) == list(wanted)
    for path, (initializer, *what) in wanted.items():
        alone = initializer(random.fold(key, ".".join(path)), *what)
        assert made[path].dtype == alone.dtype
        np.testing.assert_array_equal(made[path], alone)
    assert random.arrays(key, {}) == {}


@pytest.mark.parametrize(("p", "expected"), [(0.0, 0), (1.0, 100)])
def test_bernoulli_at_its_ends(p, expected):
    assert random.bernoulli(random.key(0), p, (100,)).sum() == expected


def test_normal_is_finite_at_the_ends_of_its_cells(monkeypatch):
    ends = jnp.array([0, 2**32 - 1], jnp.uint32)
    monkeypatch.setattr(random, "bits", lambda key, shape: ends)
    low, high = random.normal(random.key(0), (2,))
    assert np.isfinite(low)
    assert high == -low
