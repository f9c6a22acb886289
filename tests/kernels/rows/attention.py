"""Attention: causal, masked, with lengths, with shared keys, of one query."""

import functools

import jax.numpy as jnp
from hypothesis import strategies as st

from tests.kernels.rows import Row
from thalweg.kernels import attention

SIZES = {  # few choices: each new shape compiles the formula anew
    "batch": st.sampled_from([1, 2]),
    "queries": st.sampled_from([2, 24, 61]),
    "keys": st.sampled_from([1, 16, 70]),
    "groups": st.sampled_from([1, 2]),
    "size": st.sampled_from([1, 16, 39]),
}
USUAL = {"batch": 2, "queries": 29, "keys": 21, "groups": 2, "size": 10}
LONG = {  # more than a block of keys, more than a task's queries
    "batch": st.just(1),
    "queries": st.sampled_from([193, 400]),
    "keys": st.sampled_from([257, 600]),
    "groups": st.just(1),
    "size": st.sampled_from([20, 64]),
}


def _make(rng, batch, queries, keys, groups, size, *, shared=1, mask=None, lengths=False):
    q = rng.normal(size=(batch, queries, groups * shared, size))
    k, v = rng.normal(size=(2, batch, keys, groups, size))
    seen = jnp.zeros((1, 1, 1, 0), bool)
    if mask is not None:
        full = (batch, groups * shared, queries)
        seen = jnp.asarray(rng.random((*(n if on else 1 for n, on in zip(full, mask, strict=True)), keys)) < 0.6)
    limits = rng.integers(0, keys + 2, batch * lengths)
    return jnp.float32(q), jnp.float32(k), jnp.float32(v), seen, jnp.int32(limits)


def _joined(rng, parts, **sizes):
    q, k, v, *seen = _make(rng, **sizes)
    if parts == 2:
        return q, jnp.concatenate([k, v], axis=2), *seen
    return jnp.concatenate([q, k, v], axis=2), *seen


def _row_of_joined(parts, name, causal=False, sizes=SIZES, **how):
    """Keys and values in one array, or queries too, then of as many steps: `queries` is drawn for both."""

    def make(rng, batch, queries, keys, groups, size):
        steps = queries if parts == 3 else keys
        return _joined(rng, parts, batch=batch, queries=queries, keys=steps, groups=groups, size=size, **how)

    def given(arrays):
        *joined, mask, lengths = arrays
        groups = joined[0].shape[2] // (how.get("shared", 1) + 2) if parts == 3 else 0
        return *joined, *[None] * (3 - len(joined)), mask, lengths, causal, 0.4, groups

    return Row(
        f"attention of {name}",
        lambda *a: attention.native(*given(a))[0],
        lambda *a: attention.reference(*given(a)),
        make,
        sizes,
        USUAL,
        differentiable=(0, 1) if parts == 2 else (0,),
        handlers=("attention", "attention_backward"),
        tolerance=2e-5,
        nan=not (causal or how.get("lengths") or how.get("mask")),
        examples=4 if sizes is LONG else 8,
    )


def _row(name, causal=False, sizes=SIZES, usual=USUAL, scale=0.4, **how):
    return Row(
        name,
        lambda *a: attention.native(*a, causal, scale, 0)[0],
        lambda *a: attention.reference(*a, causal, scale, 0),
        functools.partial(_make, **how),
        sizes,
        usual,
        differentiable=(0, 1, 2),
        handlers=("attention", "attention_backward"),
        tolerance=2e-5,
        nan=not (causal or how.get("lengths") or how.get("mask")),  # 0 NaN of the hidden is NaN in the formula alone
        examples=4 if sizes is LONG else 8,
    )


ROWS = [
    _row("attention"),
    _row("causal attention", causal=True),
    _row("attention of shared keys", shared=3),
    _row("attention of a row's lengths", lengths=True),
    _row("attention of masked keys", mask=(True, False, False)),
    _row("attention of masked scores", mask=(True, True, True), shared=2, scale=-0.3),
    _row("causal attention of everything", causal=True, shared=2, mask=(False, False, True), lengths=True),
    _row("attention in blocks", sizes=LONG),
    _row_of_joined(2, "joined keys and values"),
    _row_of_joined(2, "joined keys and values, shared, causal", causal=True, shared=2),
    _row_of_joined(2, "joined keys and values in blocks", causal=True, sizes=LONG),
    _row_of_joined(3, "one array"),
    _row_of_joined(3, "one array, shared, causal, of a row's lengths", causal=True, shared=2, lengths=True),
    _row_of_joined(3, "one array, shared, of masked scores", shared=2, mask=(True, True, True)),
    _row_of_joined(3, "one array in blocks", causal=True, sizes=LONG),
    _row(
        "attention of one query",
        shared=2,
        lengths=True,
        sizes=SIZES | {"queries": st.just(1)},
        usual=USUAL | {"queries": 1},
    ),
]
