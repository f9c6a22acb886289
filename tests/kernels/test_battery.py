"""Every native kernel against its formula in JAX, on each instruction set that this processor has."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from tests.kernels.rows import rows
from thalweg.kernels import library

ROWS = rows()
each = pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
NATIVE = Path(__file__).parents[2] / "native" / "src"


@pytest.fixture(params=library.LEVELS, autouse=True)
def level(request, monkeypatch, kernels_built):
    if library.LEVELS.index(request.param) > library.LEVELS.index(kernels_built):
        pytest.skip(f"this processor has no {request.param}")
    if library.path_of(request.param) is None:
        pytest.skip(f"{request.param} was not built: install with THALWEG_LEVELS=all")
    monkeypatch.setenv("THALWEG_KERNELS", request.param)
    return request.param


def agree(found, expected, tolerance):
    pairs = zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True)
    for a, b in ((np.asarray(a, np.float64), np.asarray(b, np.float64)) for a, b in pairs):
        assert a.shape == b.shape
        finite = np.abs(b[np.isfinite(b)])
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * finite.max(initial=1e-30))


def native(row):
    """A function of its own at each call, so that no trace is shared between instruction sets."""
    return lambda *arguments: row.native(*arguments)  # noqa: PLW0108


def pulled(f, row, arguments):
    """`f` and its gradient for a cotangent drawn from a seed."""

    def at(*parts):
        full = list(arguments)
        for i, part in zip(row.differentiable, parts, strict=True):
            full[i] = part
        return f(*full)

    y, back = jax.vjp(at, *(arguments[i] for i in row.differentiable))
    rng = np.random.default_rng(2)
    return y, back(jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape), a.dtype), y))


def made(row, seed=0, **sizes):
    return row.make(np.random.default_rng(seed), **sizes)


@each
def test_it_reaches_its_native_functions(row, level):
    arguments = made(row, **row.usual)
    program = jax.jit(lambda: pulled(native(row), row, arguments)).lower().as_text()
    assert set(re.findall(r"thalweg\.(\w+)\.(\w+)", program)) == {(handler, level) for handler in row.handlers}


@each
def test_it_equals_its_formula(row, level, kernels_built):
    # `base` differs from `avx2` in how wide its vectors are, `avx512` from `amx` in bfloat16: fewer for these
    examples = row.examples if level in ("avx2", kernels_built) else (row.examples + 2) // 3

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.fixed_dictionaries(dict(row.sizes)), st.integers(0, 2**32 - 1))
    def check(sizes, seed):
        arguments = made(row, seed, **sizes)
        agree(jax.jit(native(row))(*arguments), row.reference(*arguments), row.tolerance)

    check()


@each
def test_its_gradient_is_that_of_its_formula(row):
    if not row.differentiable:
        pytest.skip("it has no gradient")
    arguments = made(row, 1, **row.usual)
    found = jax.jit(lambda: pulled(native(row), row, arguments))()
    agree(found, pulled(row.reference, row, arguments), 4 * row.tolerance)


@each
def test_its_gradient_is_that_of_finite_differences(row):
    if not row.differentiable:
        pytest.skip("it has no gradient")
    if row.kinks:
        pytest.skip("differences across a corner are no derivative")
    arguments = made(row, 3, **row.usual)
    if any(a.dtype == jnp.bfloat16 for a in arguments):
        pytest.skip("differences need more digits")

    def at(*parts):
        full = list(arguments)
        for i, part in zip(row.differentiable, parts, strict=True):
            full[i] = part
        return row.native(*full)

    check_grads(
        jax.jit(at), tuple(arguments[i] for i in row.differentiable), 1, ["rev"], atol=0.05, rtol=0.05, eps=1e-2
    )


@each
def test_a_batch_of_models_is_each_model(row):
    if not row.vmapped:
        pytest.skip("its arguments do not map")
    several = [made(row, seed, **row.usual) for seed in range(3)]
    mapped = jax.jit(jax.vmap(native(row)))(*(jnp.stack(a) for a in zip(*several, strict=True)))
    each_alone = [jax.jit(native(row))(*a) for a in several]
    agree(mapped, jax.tree.map(lambda *a: jnp.stack(a), *each_alone), 1e-6)


@each
def test_what_is_not_finite_comes_out_where_it_does_in_the_formula(row):
    if not row.nan:
        pytest.skip("stated otherwise")
    run, formula, rng = jax.jit(native(row)), jax.jit(row.reference), np.random.default_rng(5)
    for bad in (np.nan, np.inf, -np.inf):
        for i in row.differentiable or range(len(made(row, 4, **row.usual))):
            arguments = [np.array(a) for a in made(row, 4, **row.usual)]
            if arguments[i].dtype.kind != "f" or not arguments[i].size:
                continue
            arguments[i].flat[rng.integers(arguments[i].size)] = bad
            arguments = [jnp.asarray(a) for a in arguments]
            agree(run(*arguments), formula(*arguments), row.tolerance)


@each
def test_it_gives_the_same_bits_every_time(row):
    arguments = made(row, 6, **row.usual)
    run = jax.jit(native(row))
    first = jax.tree.leaves(run(*arguments))
    for _ in range(3):
        for a, b in zip(first, jax.tree.leaves(run(*arguments)), strict=True):
            np.testing.assert_array_equal(a, b)


def test_every_handler_has_a_row():
    defined = {
        h for f in NATIVE.glob("*.cc") for h in re.findall(r"THALWEG_(?:HANDLER|RULE)\(thalweg_(\w+)", f.read_text())
    }
    assert defined == {h for row in ROWS for h in row.handlers}
