"""Attention against its equation in loops, JAX's own and PyTorch's; natively and by the formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from thalweg import ops
from thalweg.errors import ContractError

pytestmark = pytest.mark.parametrize("setting", ["on", "off"])


@pytest.fixture(autouse=True)
def kernels(setting, monkeypatch):
    monkeypatch.setenv("THALWEG_KERNELS", setting)


def drawn(batch=2, queries=30, keys=30, heads=4, groups=4, size=24):
    rng = np.random.default_rng(0)
    shapes = ((batch, queries, heads, size), (batch, keys, groups, size), (batch, keys, groups, size))
    return tuple(jnp.float32(rng.normal(size=s)) for s in shapes)


def by_loops(q, k, v, seen):
    q, k, v = (np.asarray(a, np.float64) for a in (q, k, v))
    o = np.zeros(q.shape)
    each = q.shape[2] // k.shape[2]
    for b, t, h in np.ndindex(q.shape[:3]):
        keys = [s for s in range(k.shape[1]) if seen(b, h, t, s)]
        if keys:
            scores = np.array([q[b, t, h] @ k[b, s, h // each] for s in keys]) / np.sqrt(q.shape[-1])
            p = np.exp(scores - scores.max())
            o[b, t, h] = sum(w * v[b, s, h // each] for w, s in zip(p / p.sum(), keys, strict=True))
    return o


def gradients(f, *arguments):
    y, back = jax.vjp(f, *arguments)
    return y, *back(jnp.float32(np.random.default_rng(1).normal(size=y.shape)))


def test_the_equation():
    q, k, v = drawn(groups=2)
    assert_allclose(ops.attention(q, k, v), by_loops(q, k, v, lambda *_: True), rtol=1e-4, atol=1e-5)
    causal = by_loops(q, k, v, lambda _b, _h, t, s: s <= t)
    assert_allclose(ops.attention(q, k, v, causal=True), causal, rtol=1e-4, atol=1e-5)


def test_masks_and_lengths_and_queries_that_see_nothing():
    q, k, v = drawn(groups=1)
    mask = np.random.default_rng(2).random((2, 4, 30, 30)) < 0.5
    mask[:, :, 3] = False
    lengths = np.array([0, 17])
    y = ops.attention(q, k, v, mask=jnp.asarray(mask), lengths=jnp.asarray(lengths))
    expected = by_loops(q, k, v, lambda b, h, t, s: mask[b, h, t, s] and s < lengths[b])
    assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    assert not np.asarray(y)[0].any()
    assert not np.asarray(y)[:, 3].any()
    _, *found = gradients(lambda *a: ops.attention(*a, lengths=jnp.asarray(lengths)), q, k, v)
    assert all(np.isfinite(g).all() and not np.asarray(g)[0].any() for g in found)


@pytest.mark.parametrize("shape", [(1, 1, 1, 30), (2, 1, 1, 30), (1, 4, 1, 1), (1, 1, 30, 30)])
def test_a_mask_broadcasts(shape):
    q, k, v = drawn()
    mask = np.random.default_rng(2).random(shape) < 0.5
    full = np.broadcast_to(mask, (2, 4, 30, 30))
    expected = by_loops(q, k, v, lambda b, h, t, s: full[b, h, t, s])
    assert_allclose(ops.attention(q, k, v, mask=jnp.asarray(mask)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_jax_has_the_same(causal):
    arguments = drawn(queries=40, keys=40, groups=2)
    found = gradients(lambda *a: ops.attention(*a, causal=causal), *arguments)
    expected = gradients(lambda *a: jax.nn.dot_product_attention(*a, is_causal=causal), *arguments)
    for a, b in zip(found, expected, strict=True):
        assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("causal", [False, True])
def test_torch_has_the_same(causal):
    torch = pytest.importorskip("torch")
    arguments = drawn(queries=37, keys=50, groups=2)
    found = gradients(lambda *a: ops.attention(*a, causal=causal, scale=0.3), *arguments)
    q, k, v = (torch.tensor(np.asarray(a).swapaxes(1, 2), requires_grad=True) for a in arguments)
    y = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=0.3, enable_gqa=True)
    dy = np.random.default_rng(1).normal(size=found[0].shape).astype(np.float32)
    y.backward(torch.tensor(dy.swapaxes(1, 2)))
    for a, b in zip(found, (y.detach(), q.grad, k.grad, v.grad), strict=True):
        assert_allclose(a, np.asarray(b).swapaxes(1, 2), rtol=1e-4, atol=1e-4)


def test_one_query_over_a_cache_is_the_last_of_a_sequence():
    q, k, v = drawn(queries=40, keys=40, groups=2)
    whole = ops.attention(q, k, v, causal=True)
    last = ops.attention(q[:, 20:21], k, v, lengths=jnp.array([21, 21]))
    assert_allclose(last, whole[:, 20:21], rtol=1e-5, atol=1e-6)


def test_large_scores_neither_overflow_nor_vanish():
    q, k, v = drawn()
    y = ops.attention(q * 100, k * 100, v)
    assert_allclose(y, by_loops(q * 100, k * 100, v, lambda *_: True), rtol=1e-2, atol=1e-2)


def test_values_of_another_depth():
    q, k, v = drawn()
    deep = jnp.concatenate([v, v], axis=-1)
    assert_allclose(ops.attention(q, k, deep)[..., :24], ops.attention(q, k, v), rtol=1e-5, atol=1e-6)


def test_heads_that_cannot_be_shared():
    q, k, v = drawn(heads=4, groups=3)
    with pytest.raises(ContractError, match="4 heads of queries cannot share 3 heads of keys"):
        ops.attention(q, k, v)
