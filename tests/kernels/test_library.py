"""The library: found or not, refused, switched off, lesser instruction sets, and errors in place of crashes."""

import ctypes
import functools
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.peers import relaxed
from thalweg.errors import ConfigError
from thalweg.kernels import formulas, library, matmul, system

X, W = jnp.ones((64, 64)), jnp.ones((64, 64))


@pytest.fixture
def unbuilt(monkeypatch, tmp_path):
    monkeypatch.setenv("THALWEG_NATIVE", str(tmp_path))
    library.best_level.cache_clear()
    yield
    library.best_level.cache_clear()


@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
def built_later(frame):
    """A function for XLA that answers, as one built with headers of version 0.999 would, what version it has.

    `XLA_FFI_CallFrame`, `XLA_FFI_Metadata_Extension` and `XLA_FFI_Metadata` of `xla/ffi/api/c_api.h`, by their offsets.
    """
    extension = ctypes.cast(frame[1], ctypes.POINTER(ctypes.c_void_p))
    metadata = ctypes.cast(extension[3], ctypes.POINTER(ctypes.c_int32))
    metadata[6], metadata[7] = 0, 999


def target(**_):
    return str(jax.make_jaxpr(lambda *a: matmul.linear(*a))(X, W))  # noqa: PLW0108  a function of its own


def test_without_a_library_the_formula_runs_and_the_remedy_is_told(unbuilt):
    assert not library.serves()
    assert "ffi_call" not in target()
    np.testing.assert_array_equal(matmul.linear(X, W), X @ W)
    said = dict(system.describe())["native kernels"]
    assert "not built" in said
    assert "To build them:" in said


def test_what_a_newer_jaxlib_built_is_refused_with_the_remedy_and_the_formula_runs(kernels_built, monkeypatch):
    """XLA itself refuses: a function registered here says, when it is asked, that its headers were of version 0.999."""
    monkeypatch.setattr(library, "_library", lambda _: types.SimpleNamespace(thalweg_matmul=built_later))
    monkeypatch.setattr(library, "_target", functools.cache(library._target.__wrapped__))
    monkeypatch.setattr(library, "refusal", functools.cache(library.refusal.__wrapped__))
    with pytest.warns(UserWarning, match=r"(?s)refuses the native kernels.*--force-reinstall.*0\.999"):
        assert not library.serves()
    assert "ffi_call" not in target()
    said = dict(system.describe())["native kernels"]
    assert "refused by this jaxlib" in said
    assert "To build them again:" in said


def test_they_can_be_switched_off_and_weakened(kernels_built, monkeypatch):
    monkeypatch.setenv("THALWEG_KERNELS", "off")
    assert "ffi_call" not in target()
    assert "switched off" in dict(system.describe())["native kernels"]
    monkeypatch.setenv("THALWEG_KERNELS", "base")
    if library.path_of("base") is None:
        with pytest.raises(ConfigError, match="THALWEG_LEVELS=all"):
            target()
    else:
        assert "thalweg.matmul.base" in target()
    monkeypatch.setenv("THALWEG_KERNELS", "on")
    assert f"thalweg.matmul.{kernels_built}" in target()
    assert f"with {kernels_built}" in dict(system.describe())["native kernels"]
    with formulas():
        assert "ffi_call" not in target()


def test_one_library_is_enough_and_those_of_better_processors_are_left_alone(kernels_built, unbuilt, monkeypatch):
    folder, best = library.folder(), library.LEVELS.index(kernels_built)
    monkeypatch.undo()
    for level in library.LEVELS[best:]:  # no libraries, and those above the processor's are never loaded
        (folder / f"libthalweg-{level}{library.SUFFIX}").write_bytes(b"")
    built = library.path_of(kernels_built)
    monkeypatch.setenv("THALWEG_NATIVE", str(folder))
    (folder / built.name).write_bytes(built.read_bytes())
    assert library.best_level() == kernels_built


def test_an_unknown_setting_is_refused(monkeypatch):
    monkeypatch.setenv("THALWEG_KERNELS", "avx3")
    with pytest.raises(ConfigError, match="avx2"):
        library.level()


def test_small_products_and_other_dtypes_stay_with_xla(kernels_built):
    assert not matmul.serves(jnp.ones((4, 4)), jnp.ones((4, 4)))
    assert not matmul.serves(X.astype(jnp.float16), W.astype(jnp.float16))
    assert matmul.serves(X, W)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((3, 4), (5, 6), (0,), (0,), (3, 6)), "the inner axes differ"),
        (((3, 4), (4, 6), (5,), (0,), (3, 6)), "the bias must have a number for each column"),
        (((3, 4), (4, 6), (0,), (1, 6), (3, 6)), "the shortcut must be as large as y"),
        (((3, 4), (4, 6), (0,), (0,), (2, 6)), "x has another number of rows"),
        (((3, 4), (4, 6), (0,), (0,), (3, 7)), "the kernel has other columns"),
        (((4,), (4, 6), (0,), (0,), (3, 6)), "x must have as many axes as the result"),
        (((2, 3, 4), (1, 4, 6), (0,), (0,), (2, 3, 6)), "the leading axes differ"),
    ],
)
def test_wrong_shapes_are_errors_through_the_ffi(kernels_built, shapes, message):
    *arguments, result = shapes
    with pytest.raises(Exception, match=message):
        library.call(
            "matmul", jax.ShapeDtypeStruct(result, jnp.float32), *map(jnp.ones, arguments),
            x_transposed=False, w_transposed=False, relu=False,
        )  # fmt: skip


def test_a_wrong_dtype_is_an_error_through_the_ffi(kernels_built):
    out = jax.ShapeDtypeStruct((3, 6), jnp.float32)
    with pytest.raises(Exception, match=r"(?i)dtype"), relaxed():
        library.call(
            "matmul", out, jnp.ones((3, 4), jnp.int32), jnp.ones((4, 6)), jnp.ones(0), jnp.ones(0),
            x_transposed=False, w_transposed=False, relu=False,
        )  # fmt: skip
