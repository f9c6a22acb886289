"""Timing beside peers: each contender is a process of its own that waits for a word, and they take turns.

A contender is a module run as `python -m benchmarks.peers.NAME NETWORK`. When it has compiled and warmed up it prints
what it is, with the seconds of its first epoch; for each line `N` on its standard input it trains N epochs and prints
the seconds they took and its peak memory. The others sleep meanwhile, so that on a noisy machine A B C A B C sees the
same noise, and the ratio of medians is what counts.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Contender:
    """A waiting process that trains on request."""

    def __init__(self, name, module, network, *arguments, python=sys.executable):
        self.name, self.network = name, network
        self.process = subprocess.Popen(
            [python, "-m", module, network, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            cwd=ROOT, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )  # fmt: skip
        self.about = json.loads(self._line())

    def seconds(self, epochs):
        self.process.stdin.write(f"{epochs}\n")
        self.process.stdin.flush()
        seconds, self.about["peak_memory_mb"] = map(float, self._line().split())
        return seconds

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended early on {self.network}; run its module by hand to see why")
        return line


def serve(about, run):
    """The contender's side: `run(epochs)` trains."""
    started = time.perf_counter()
    run(1)
    about["first_epoch_s"] = round(time.perf_counter() - started, 3)
    run(1)
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        run(int(line))
        seconds = time.perf_counter() - started
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, flush=True)


def interleaved(contenders, rounds, steps, seconds=1.5):
    """Milliseconds a step of each contender, over `rounds` turns of about `seconds`; an epoch has `steps` steps."""
    epochs = {c.name: max(1, round(seconds / c.seconds(1))) for c in contenders}
    out = {c.name: [] for c in contenders}
    for _ in range(rounds):
        for c in contenders:
            out[c.name].append(c.seconds(epochs[c.name]) / epochs[c.name] / steps * 1e3)
    return out


def table(times, ours="thalweg"):
    """Median, spread and ratio to ours, a row a contender."""
    base = statistics.median(times[ours])
    rows = []
    for name, values in times.items():
        m = statistics.median(values)
        rows.append({"name": name, "median_ms": m, "min_ms": min(values), "max_ms": max(values), "ratio": m / base})
    return rows


def machine():
    """What the numbers were measured on."""
    model = next((r.split(":")[1].strip() for r in _cpuinfo() if r.startswith("model name")), platform.processor())
    return {"cpu": model, "cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}


def _cpuinfo():
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
