"""The GPT of `char-lm` beside the same network in PyTorch eager, in turns: nanoGPT's setting for a CPU.

    python -m benchmarks.training.char_lm [--rounds 9] [--json benchmarks/results/char-lm.json]

The recipe must take at most two thirds of PyTorch's time. `THALWEG_DATA` has the text; without it a text from a seed
is trained on, which takes as long.
"""

import argparse
import datetime as dt
import json
import os
from pathlib import Path

from benchmarks.peers.char_lm import STEPS, TOTAL
from benchmarks.timing import Contender, interleaved, machine, table

BAR = 2 / 3
PEERS = {"thalweg": "thalweg", "pytorch-eager": "pytorch"}


def place():
    path = Path(os.environ.get("THALWEG_DATA", "")) / "tinyshakespeare" / "input.txt"
    return str(path) if path.is_file() else "-"


def measured(rounds, seconds):
    running = [Contender(name, "benchmarks.peers.char_lm", place(), how) for name, how in PEERS.items()]
    try:
        return interleaved(running, rounds, STEPS, seconds), {c.name: c.about for c in running}
    finally:
        for c in running:
            c.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--json", type=Path, default=None)
    arguments = parser.parse_args()
    times, about = measured(arguments.rounds, arguments.seconds)
    rows = table(times)
    for r in rows:
        spread = f"{r['min_ms']:.2f} to {r['max_ms']:.2f}"
        whole = r["median_ms"] * TOTAL / 1e3
        print(f"{r['name']:14} {r['median_ms']:8.2f} ms a step ({spread})   {whole:6.0f} s for {TOTAL} steps")
    share = 1 / rows[1]["ratio"]
    print(f"thalweg takes {share:.2f} of PyTorch's time; at most {BAR:.2f} is asked for")
    record = {"date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"), "machine": machine(), "share": share}
    if arguments.json is not None:
        arguments.json.write_text(json.dumps({**record, "rows": rows, "about": about}, indent=1) + "\n")


if __name__ == "__main__":
    main()
