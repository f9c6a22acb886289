"""Normalisation: the rule, shapes that do not fit, the gradient's gradient, weights that count for less than one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from thalweg import ops
from thalweg.kernels import library, normalization
from thalweg.types import ShapeDtype

pytestmark = pytest.mark.usefixtures("kernels_built")
RNG = np.random.default_rng(0)


def targets(f, *arguments):
    return jax.jit(f).lower(*arguments).as_text().count("thalweg.")


def test_what_is_large_is_native_and_the_rest_is_not(monkeypatch):
    x = jnp.ones((64, 128))
    assert targets(ops.layer_norm, x) == targets(ops.rms_norm, x) == 1
    assert targets(lambda x: ops.normalize(x.reshape(8, 8, 128), (0, 1))[0], x) == 1
    assert not targets(ops.layer_norm, x[:2])
    assert targets(ops.layer_norm, x.astype(jnp.bfloat16)) == 1
    assert not targets(ops.layer_norm, x.astype(jnp.float16))
    assert not targets(lambda x: ops.layer_norm(x, jnp.ones(64), axes=0), x)
    assert not targets(lambda x: ops.layer_norm(x, axes=1), x.reshape(8, 8, 128))
    monkeypatch.setenv("THALWEG_KERNELS", "off")
    assert not targets(lambda x: ops.layer_norm(x), x)  # noqa: PLW0108  a trace of its own


def test_several_axes_are_one_row():
    x, gamma = jnp.float32(RNG.normal(size=(64, 8, 16))), jnp.float32(RNG.normal(size=(8, 16)))
    wide = np.asarray(x, np.float64)
    mu, var = wide.mean((1, 2), keepdims=True), wide.var((1, 2), keepdims=True)
    found = ops.layer_norm(x, gamma, None, (1, 2))
    assert targets(lambda x: ops.layer_norm(x, gamma, None, (1, 2)), x) == 1
    assert_allclose(found, (wide - mu) / np.sqrt(var + 1e-3) * np.asarray(gamma, np.float64), rtol=1e-4, atol=1e-5)


def test_a_large_mean_costs_no_digits():
    x = (1e4 + RNG.normal(size=(4096, 3))).astype(np.float32)
    _, _, var = normalization.by_batch(jnp.asarray(x), *[jnp.zeros(0)] * 3, 1e-3, 1.0)
    assert_allclose(var, x.astype(np.float64).var(0), rtol=1e-4)
    y, _, _ = normalization.normalized(jnp.asarray(x.T), *[jnp.zeros(0)] * 2, True, 0.0)
    assert_allclose(np.asarray(y).std(1), 1, rtol=1e-3)


@pytest.mark.parametrize("centered", [True, False])
def test_the_gradient_has_a_gradient(centered):
    x, gamma, beta = (jnp.float32(RNG.normal(size=s)) for s in ((9, 20), (20,), (20,)))

    def twice(f):
        inner = jax.grad(lambda x, gamma: jnp.sum(f(x, gamma, beta) ** 3), argnums=(0, 1))
        return jax.grad(lambda *a: sum(jnp.sum(g**2) for g in inner(*a)), argnums=(0, 1))(x, gamma)

    found = twice(lambda *a: normalization.normalized(*a, centered, 1e-3)[0])
    expected = twice(lambda *a: normalization.reference(*a, centered, 1e-3))
    for a, b in zip(found, expected, strict=True):
        assert_allclose(a, b, rtol=1e-3, atol=1e-3 * np.abs(b).max())


def test_weights_below_one_row_differentiate_as_the_formula():
    x, w = jnp.float32(1 + RNG.normal(size=(6, 5))), jnp.float32([0.1, 0, 0.2, 0, 0, 0.1])
    arguments = (x, w, jnp.ones(5), jnp.zeros(5))

    def loss(f):
        return jax.grad(lambda x: sum(jnp.sum(jnp.sin(p)) for p in f(x, *arguments[1:], 1e-3, 1.0)))(x)

    assert_allclose(loss(normalization.by_batch), loss(normalization.columns_reference), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "sizes", "what"), [
    ("layer_norm", ((4,), (4,), (4,)), "two axes"),
    ("layer_norm", ((3, 4), (5,), (4,)), r"gamma must have a number.*\[5\]"),
    ("layer_norm", ((3, 4), (4,), (3,)), r"beta must have a number.*\[3\]"),
])  # fmt: skip
def test_shapes_that_do_not_fit(name, sizes, what):
    arrays = [jnp.ones(s) for s in sizes]
    results = (ShapeDtype(sizes[0], jnp.float32), ShapeDtype((3,), jnp.float32), ShapeDtype((3,), jnp.float32))
    with pytest.raises(Exception, match=what):
        jax.block_until_ready(
            jax.jit(lambda *a: library.call(name, results, *a, centered=True, epsilon=np.float32(1e-3)))(*arrays)
        )


def test_a_batch_norm_of_other_weights():
    results = (ShapeDtype((3, 4), jnp.float32), ShapeDtype((4,), jnp.float32), ShapeDtype((4,), jnp.float32))
    one = np.float32(1)
    with pytest.raises(Exception, match=r"a weight for each row.*\[2\]"):
        jax.block_until_ready(
            jax.jit(lambda *a: library.call("batch_norm", results, *a, epsilon=one, least=one))(
                jnp.ones((3, 4)), jnp.ones(2), jnp.ones(4), jnp.ones(4)
            )
        )
