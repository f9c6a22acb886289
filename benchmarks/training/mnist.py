"""Training steps on MNIST beside the peers: MLP, CNN and LSTM, same batches, same data, taking turns.

    python -m benchmarks.training.mnist [--rounds 7] [--networks mlp cnn lstm] [--tensorflow PYTHON]

`--tensorflow` names the Python of an environment that has TensorFlow and Keras; without it that peer is left out.
"""

import argparse
import datetime as dt
import importlib.util
import json

from benchmarks.peers.data import BATCH, STEPS
from benchmarks.timing import ROOT, Contender, interleaved, machine, table


def contenders(network, tensorflow):
    yield Contender("thalweg", "benchmarks.peers.thalweg_fit", network)
    if importlib.util.find_spec("torch"):
        yield Contender("pytorch", "benchmarks.peers.pytorch", network)
    if tensorflow:
        yield Contender("keras-tensorflow", "benchmarks.peers.keras_tensorflow", network, tensorflow)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", nargs="+", default=list(BATCH))
    parser.add_argument("--tensorflow", default=None)
    given = parser.parse_args()
    found = {}
    for network in given.networks:
        running = list(contenders(network, given.tensorflow))
        times = interleaved(running, given.rounds, STEPS[network])
        found[network] = {"batch": BATCH[network], "rows": table(times), "about": [c.about for c in running]}
        for c in running:
            c.close()
        for r in found[network]["rows"]:
            spread = f"{r['min_ms']:.3f} to {r['max_ms']:.3f}"
            print(f"{network:5} {r['name']:18} {r['median_ms']:9.3f} ms a step ({spread})   {r['ratio']:6.2f} x ours")
    when = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d")
    out = ROOT / "benchmarks" / "results" / f"mnist-{when}.json"
    out.write_text(json.dumps({"date": when, "machine": machine(), "networks": found}, indent=1) + "\n")
    print(f"written: {out.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
