"""Strict by default: what would be a warning, a silent promotion or a silent broadcast for a user is an error here."""

import os
from pathlib import Path

os.environ["THALWEG_CACHE"] = "off"  # the tests' own programs are not kept: workers would read what others still write
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=4"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("MPLBACKEND", "agg")

from jaxtyping import install_import_hook

import tests.checked  # noqa: F401  the hook finds it by name

install_import_hook("thalweg", "tests.checked.check")

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of public data sets; tests that need it skip without it, and fail where the gate says it is there."""
    folder = os.environ.get("THALWEG_DATA")
    if folder and Path(folder).is_dir():
        return Path(folder)
    if os.environ.get("THALWEG_REQUIRE_DATA"):
        pytest.fail("THALWEG_REQUIRE_DATA is set, but THALWEG_DATA names no folder")
    pytest.skip("needs the public data sets: set THALWEG_DATA to their folder")


@pytest.fixture(autouse=True)
def no_cache_of_the_user(monkeypatch, tmp_path_factory):
    """Compiled programs and downloads of the tests stay out of the user's cache."""
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True, scope="module")
def programs_of_other_files_are_dropped():
    """A compiled program holds about ten memory maps; Linux allows a process 65,530, for want of which XLA crashes."""
    yield
    jax.clear_caches()


@pytest.fixture(autouse=True, scope="session")
def networks_have_one_seed():
    """Most tests train one network in two ways and compare; those that ask for `drawn_seeds` have what users have."""
    from thalweg import random

    random.set_seed(0)
    random.Seeds.stride = 0


@pytest.fixture
def drawn_seeds(networks_have_one_seed, monkeypatch):
    """Each network that is given no seed has another one."""
    from thalweg import random

    monkeypatch.setattr(random.Seeds, "stride", random.STRIDE)


@pytest.fixture(autouse=True)
def seeds_begin_anew_after_each_test():
    """What a test sets ends with it."""
    from thalweg import random

    yield
    random.set_seed(0)
