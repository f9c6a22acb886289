"""How programs are kept, and how those of the CPU are run."""

import gc
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

import thalweg
from thalweg import layers

PROGRAM = """
import ctypes, resource
import thalweg

thalweg.Model  # the settings come with it
c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes, c.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = c.malloc(64 << 20)
    ctypes.memset(block, 1, 64 << 20)
    c.free(block)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(**settings):
    """Fresh pages that the system gives for 64 MiB which the process has had before."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")}
    out = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment | settings
    )
    return int(out.stdout)


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.confstr("CS_GNU_LIBC_VERSION") is None, reason="no glibc"
)
def test_freed_memory_is_kept_for_the_next_run_unless_the_user_says_otherwise():
    assert pages() < 100
    assert pages(MALLOC_TRIM_THRESHOLD_="131072") > 500


def test_the_programs_of_networks_long_gone_are_freed():
    def programs():
        gc.collect()
        return len(jax.devices()[0].client.live_executables())

    def trained(width):
        model = thalweg.Sequential([layers.Dense(width)])
        model.compile(optimizer="sgd", loss="mse")
        model.fit(np.eye(2), np.ones((2, width)), verbose=0)

    for width in range(1, 18):
        trained(width)
    many = programs()
    for width in range(18, 22):
        trained(width)
    assert programs() <= many
