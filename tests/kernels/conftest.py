"""The native library as the tests find it."""

import os

import pytest

from thalweg.kernels import library


@pytest.fixture(scope="session")
def kernels_built() -> str:
    """The best instruction set; skips where nothing was built, and fails where the gate says a compiler was there."""
    found = library.best_level()
    if found is None and os.environ.get("THALWEG_REQUIRE_KERNELS"):
        pytest.fail("THALWEG_REQUIRE_KERNELS is set, but no native library was built")
    if found is None:
        pytest.skip("no native library: install with a C++ compiler")
    return found
