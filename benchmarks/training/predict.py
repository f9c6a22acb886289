"""One prediction from Python beside the peers: a batch of one picture, NumPy to NumPy, taking turns.

python -m benchmarks.training.predict [--rounds 5] [--tensorflow PYTHON]
"""

import argparse
import datetime as dt
import importlib.util
import json
import sys

from benchmarks.peers.predicting import TURN
from benchmarks.timing import ROOT, Contender, interleaved, machine, table
from benchmarks.training.networks import PEERS

NETWORKS = ("mlp", "cnn")


def measured(network, rounds, tensorflow):
    python = dict.fromkeys(PEERS, sys.executable) | {"keras-tensorflow": tensorflow or sys.executable}
    there = {n for n, (_, _, needs) in PEERS.items() if python[n] != sys.executable or importlib.util.find_spec(needs)}
    running = [Contender(n, "benchmarks.peers.predicting", network, n, python=python[n]) for n in PEERS if n in there]
    try:
        times = interleaved(running, rounds, TURN, seconds=0.5)
    finally:
        for c in running:
            c.close()
    return {"batch": 1, "rows": table(times), "about": {c.name: c.about for c in running}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tensorflow", default=None)
    arguments = parser.parse_args()
    when, networks = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"), {}
    for network in NETWORKS:
        networks[network] = measured(network, arguments.rounds, arguments.tensorflow)
        for r in networks[network]["rows"]:
            print(f"{network:5} {r['name']:17} {1e3 * r['median_ms']:8.1f} us a prediction   {r['ratio']:6.2f} x ours")
    out = ROOT / "benchmarks" / "results" / f"predict-{when}.json"
    out.write_text(json.dumps({"date": when, "machine": machine(), "networks": networks}, indent=1) + "\n")
    print(f"written: {out.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
