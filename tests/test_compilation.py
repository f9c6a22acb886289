"""How programs are kept, and how those of the CPU are run."""

import gc
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

import thalweg
from thalweg import architectures, compilation, layers
from thalweg.train.program import TRACES

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


def lengths(units=1):
    made = thalweg.Sequential([layers.GlobalAveragePooling1D(input_shape=(None, 2)), layers.Dense(units)])
    made.compile("sgd", "mse")
    return made


CALLS = {
    "predict": lambda made, x: made.predict(x),
    "evaluate": lambda made, x: made.evaluate(x, x[:, 0, :1]),
    "train_on_batch": lambda made, x: made.train_on_batch(x, x[:, 0, :1]),
    "fit": lambda made, x: made.fit(x, x[:, 0, :1], verbose=0),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.filterwarnings("ignore:a network was given inputs of more than 4 shapes")
def test_the_programs_of_lengths_long_gone_are_freed(call, monkeypatch):
    monkeypatch.setattr(compilation, "SHAPES", 4)
    made, living = lengths(), []
    for length in range(1, 25):
        CALLS[call](made, np.ones((2, length, 2), np.float32))
        if length in (8, 24):
            gc.collect()
            living.append((len(jax.devices()[0].client.live_executables()), len(jax.live_arrays())))
    assert living[0] == living[1]


def test_a_length_that_is_kept_compiles_nothing_and_too_many_are_said(monkeypatch):
    monkeypatch.setattr(compilation, "SHAPES", 3)
    made = lengths(2)
    xs = [np.ones((3, length, 2), np.float32) for length in range(1, 5)]
    for x in xs[:3]:
        made.predict(x)
    traced = TRACES["predict"]
    for x in xs[:3]:
        made.predict(x)
    assert TRACES["predict"] == traced
    with pytest.warns(UserWarning, match=r"inputs of more than 3 shapes.*\n  Pad them to a few lengths"):
        made.predict(xs[3])


@pytest.mark.filterwarnings("ignore:a network was given inputs of more than 2 shapes")
def test_prompts_of_many_lengths_keep_few_programs(monkeypatch):
    monkeypatch.setattr(compilation, "SHAPES", 2)
    made = thalweg.Model(architectures.GPT(5, context=16, width=4, num_layers=1, num_heads=1))
    made.predict(np.zeros((1, 16), np.int32))
    living = []
    for length in range(1, 9):
        architectures.generate(made, np.zeros((1, length), np.int32), 3)
        if length in (4, 8):
            gc.collect()
            living.append(len(jax.devices()[0].client.live_executables()))
    assert living[1] <= living[0] + 2


FORK = """
import os, sys
import numpy as np
import thalweg
from thalweg import layers

def model():
    made = thalweg.Sequential([layers.Dense(64, input_shape=(64,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made

x, y = np.ones((4096, 64), "float32"), np.ones((4096, 1), "float32")
calls = [
    lambda: made.predict(x), lambda: made.fit(x, y, verbose=0), lambda: made.evaluate(x, y),
    lambda: made.train_on_batch(x, y), lambda: model().predict(x), lambda: made.predict(x[:4]),
]
made = model()
if sys.argv[1] == "after":
    made.fit(x, y, verbose=0)
    made.predict(x[:4])
child = os.fork()
if not child:
    for call in calls:
        try:
            call()
            print("it ran")
        except thalweg.errors.ContractError as error:
            print(error)
    sys.stdout.flush()
    os._exit(0)
os.waitpid(child, 0)
made.predict(x)
print("parent")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_of_a_process_that_has_used_a_network_says_so_and_does_not_hang():
    def output(when):
        command = [sys.executable, "-W", "ignore", "-c", FORK, when]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout

    after, before = output("after"), output("before")
    assert after.count("this process is a fork of one that had used a network") == 6
    assert after.count("\n  Start it by multiprocessing.get_context('spawn')") == 6
    assert "it ran" not in after
    assert before.count("it ran") == 6
    assert after.endswith("parent\n")
    assert before.endswith("parent\n")
