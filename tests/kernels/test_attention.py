"""Attention: the rule, shapes that do not fit, one lane of the mask per model, the gradient's gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from thalweg import ops
from thalweg.kernels import attention, library
from thalweg.types import ShapeDtype

pytestmark = pytest.mark.usefixtures("kernels_built")
RNG = np.random.default_rng(0)


def qkv(*shape):
    return tuple(jnp.float32(a) for a in RNG.normal(size=(3, *shape)))


def test_the_rule():
    def program(*a):
        return jax.jit(lambda *a: ops.attention(*a)).lower(*a).as_text()  # noqa: PLW0108  a trace of its own

    large = qkv(1, 64, 2, 32)
    assert "thalweg.attention" in program(*large)
    assert "thalweg." not in program(*qkv(1, 8, 2, 4))
    assert "thalweg.attention" in program(*(a.astype(jnp.bfloat16) for a in large))
    assert "thalweg." not in program(*(a.astype(jnp.float16) for a in large))


def test_bfloat16_is_widened_and_rounded_once():
    q, k, v = (a.astype(jnp.bfloat16) for a in qkv(1, 64, 2, 32))
    y = ops.attention(q, k, v, causal=True)
    wide = ops.attention(*(a.astype(jnp.float32) for a in (q, k, v)), causal=True)
    assert y.dtype == jnp.bfloat16
    np.testing.assert_array_equal(y, wide.astype(jnp.bfloat16))


def test_the_gradient_has_a_gradient():
    q, k, v = qkv(1, 6, 2, 5)
    none = jnp.zeros((1, 1, 1, 0), bool), jnp.zeros(0, jnp.int32)

    def twice(f):
        inner = jax.grad(lambda *a: jnp.sum(f(*a) ** 3), argnums=(0, 1, 2))
        return jax.grad(lambda *a: sum(jnp.sum(g**2) for g in inner(*a)), argnums=(0, 1, 2))(q, k, v)

    found = twice(lambda *a: attention.native(*a, *none, True, 0.5, 0)[0])
    expected = twice(lambda *a: attention.reference(*a, *none, True, 0.5, 0))
    for a, b in zip(found, expected, strict=True):
        assert_allclose(a, b, rtol=1e-3, atol=1e-3 * np.abs(b).max())


def test_shared_keys_under_vmap_with_a_mask_of_one_row():
    q, k, v = qkv(3, 2, 9, 2, 5)
    mask, limits = jnp.asarray(RNG.random((3, 1, 1, 1, 9)) < 0.5), jnp.int32(RNG.integers(1, 9, (3, 2)))
    found = jax.vmap(lambda *a: attention.native(*a, False, 0.5, 0)[0])(q, k, v, mask, limits)
    expected = jax.vmap(lambda *a: attention.reference(*a, False, 0.5, 0))(q, k, v, mask, limits)
    assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_nothing_at_all():
    for batch, queries, keys in ((0, 3, 3), (2, 0, 3), (2, 3, 0)):
        q, k = jnp.ones((batch, queries, 2, 4)), jnp.ones((batch, keys, 2, 4))
        none = jnp.zeros((1, 1, 1, 0), bool), jnp.zeros(0, jnp.int32)
        y, back = jax.vjp(lambda q, k, none=none: attention.native(q, k, k, *none, False, 1.0, 0)[0], q, k)
        assert y.shape == q.shape
        assert not np.asarray(y).any()
        assert all(not np.asarray(g).any() for g in back(y + 1))


@pytest.mark.parametrize(("q", "k", "mask", "lengths", "what"), [
    ((3, 2, 4), (3, 2, 4), (0,), (0,), r"q must be \[batch"),
    ((1, 3, 2, 4), (1, 3, 2, 5), (1, 1, 1, 0), (0,), "another size"),
    ((1, 3, 2, 4), (2, 3, 2, 4), (1, 1, 1, 0), (0,), "another batch"),
    ((1, 3, 4, 4), (1, 3, 3, 4), (1, 1, 1, 0), (0,), "must divide"),
    ((1, 3, 2, 4), (1, 3, 2, 4), (1, 1, 2, 3), (0,), "the mask must be"),
    ((1, 3, 2, 4), (1, 3, 2, 4), (1, 1, 1, 0), (2,), "a length for each row"),
])  # fmt: skip
def test_shapes_that_do_not_fit(q, k, mask, lengths, what):
    results = (ShapeDtype(q, jnp.float32), ShapeDtype((q[0], q[-2], q[1]), jnp.float32))
    call = jax.jit(lambda *a: library.call("attention", results, *a, causal=False, scale=np.float32(1), joined=0))
    with pytest.raises(Exception, match=what):
        jax.block_until_ready(
            call(jnp.ones(q), jnp.ones(k), jnp.ones(k), jnp.ones(mask, bool), jnp.zeros(lengths, jnp.int32))
        )
