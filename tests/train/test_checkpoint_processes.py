"""What stops a writer in its tracks (SIGKILL, a full disk) leaves a good checkpoint; two hosts write one together."""

import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from thalweg.train import checkpoint

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONWARNINGS": "ignore"}

# In a process of its own: TensorStore may answer for its other files when Orbax has given up, on the error stream.
FULL = """
import logging, resource, sys
import numpy as np
from pathlib import Path
from thalweg.errors import CheckpointError
from thalweg.train import checkpoint, leaves

leaves.BUFFER = 2**16
logged = []
handler = logging.Handler()
handler.emit = logged.append
logging.getLogger("absl").addHandler(handler)
folder, saved, meta = Path(sys.argv[1]), {"w": np.ones(2**10), "large": np.ones(2**18)}, {"history": [0.0] * 50}
good = checkpoint.save(folder, 1, saved, meta)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
for limit in (16, 200, 3000, 100_000):
    said = "nothing"
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        checkpoint.save(folder, 2, saved, meta)
    except CheckpointError as error:
        said = str(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "step 2 could not be written" in said and "File too large" in said and "untouched" in said, said
    assert len(said.splitlines()) == 2, said
    assert list(folder.iterdir()) == [good] == [checkpoint.latest(folder)]
assert not logged
assert checkpoint.save(folder, 2, saved, meta) == checkpoint.latest(folder) != good
"""


def test_a_full_disk_leaves_the_last_good_one(tmp_path):
    subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], env=ENVIRONMENT, check=True, timeout=120)


# One process imports once and forks a writer for each kill. The writer tells, by a byte, of each checkpoint that `save`
# has returned; it dies at the given delay after the first.
WRITERS = """
import os, signal, sys, time
import numpy as np
from pathlib import Path
from thalweg.train import checkpoint, leaves

leaves.BUFFER = 2**16

def write(folder, tell):
    for step in range(1, 10**6):
        small = [np.full((40, 40), step) for _ in range(6)]
        arrays = {"small": small, "large": np.full(2**18, step), "step": step}
        checkpoint.save(folder, step, arrays, {"twice": 2 * step})
        os.write(tell, b"!")

for folder, delay in (line.split() for line in sys.stdin):
    hear, tell = os.pipe()
    child = os.fork()
    if not child:
        os.close(hear)
        write(folder, tell)
    os.close(tell)
    os.read(hear, 1)
    time.sleep(float(delay))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    count = 1
    while said := os.read(hear, 2**16):
        count += len(said)
    os.close(hear)
    Path(folder, "said").write_text(str(count))
"""


def kill_writers(tmp_path: Path, delays: list[float]) -> int:
    """Kill a writer after each delay and check what it leaves; returns how many died while they wrote."""
    jobs = "".join(f"{tmp_path / str(i)} {delay}\n" for i, delay in enumerate(delays))
    command = [sys.executable, "-c", WRITERS]
    subprocess.run(command, input=jobs, text=True, check=True, env=ENVIRONMENT, timeout=60 + 5 * len(delays))
    interrupted = 0
    for i in range(len(delays)):
        folder = tmp_path / str(i)
        interrupted += any(p.name.startswith(".") for p in folder.iterdir())
        like = {"small": [np.zeros((40, 40), int)] * 6, "large": np.zeros(2**18, int), "step": 0}
        path = checkpoint.latest(folder)
        assert path is not None
        arrays, meta = checkpoint.load(path, like)
        step = meta["step"]
        said = int((folder / "said").read_text())
        assert step in (said, said + 1)
        assert meta["twice"] == 2 * step
        assert all(np.all(leaf == step) for leaf in jax.tree.leaves(arrays))
        checkpoint.save(folder, step + 1, arrays, {})
        assert sum(p.is_dir() for p in folder.iterdir()) == 2
    return interrupted


def test_a_writer_killed_at_any_moment_leaves_a_good_checkpoint(tmp_path):
    r = random.Random(1)
    assert kill_writers(tmp_path, [r.uniform(0, 0.1) for _ in range(5)]) >= 1


@pytest.mark.long
def test_two_hundred_writers_killed(tmp_path):
    r = random.Random(2)
    assert kill_writers(tmp_path, [r.uniform(0, 0.15) for _ in range(200)]) >= 50


HOST = """
import sys
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from thalweg.train import checkpoint, leaves

rank, address, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
jax.distributed.initialize(address, 2, rank)
x, mesh = np.arange(64.0).reshape(8, 8).astype(np.float32), Mesh(np.array(jax.devices()), ("data",))
make = lambda spec: jax.make_array_from_callback(x.shape, NamedSharding(mesh, spec), lambda index: x[index])
saved = {"spread": make(P("data")), "whole": make(P()), "step": 3}
for step in range(3):
    path = checkpoint.save(folder, step, saved, {})
assert checkpoint.latest(folder) == path
arrays, meta = checkpoint.load(path, saved)
assert meta == {"step": 2} and arrays["step"] == 3 and not arrays["spread"].is_fully_addressable
for name in ("spread", "whole"):
    for shard in arrays[name].addressable_shards:
        np.testing.assert_array_equal(shard.data, x[shard.index])
"""


@pytest.mark.long
def test_two_hosts_write_one_checkpoint(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment = {**ENVIRONMENT, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    hosts = [
        subprocess.Popen([sys.executable, "-c", HOST, str(rank), address, str(tmp_path)], env=environment)
        for rank in range(2)
    ]
    assert [host.wait(timeout=120) for host in hosts] == [0, 0]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0002-step-1", "0003-step-2"]
