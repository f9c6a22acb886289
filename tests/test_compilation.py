"""How programs of the CPU are run."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import jax, jax.numpy as jnp
import thalweg

thalweg.Model  # the settings come with it
f = jax.jit(lambda x: jnp.tanh(x @ x.T) @ x)  # an array of 64 MiB that is dropped at the end
x = jnp.ones((1 << 12, 8))
for _ in range(3):
    f(x).block_until_ready()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    f(x).block_until_ready()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(**settings):
    environment = {k: v for k, v in os.environ.items() if k not in ("MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")}
    out = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment | settings
    )
    return int(out.stdout)


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.confstr("CS_GNU_LIBC_VERSION") is None, reason="no glibc"
)
def test_freed_memory_is_kept_for_the_next_run_unless_the_user_says_otherwise():
    assert pages() < 4 * 1000
    assert pages(MALLOC_TRIM_THRESHOLD_="131072") > 4 * 4000
