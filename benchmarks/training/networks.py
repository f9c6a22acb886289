"""Whole training steps beside the peers: same batches, same data, same precision, taking turns.

    python -m benchmarks.training.networks [--networks mlp cnn ..] [--peers pytorch-eager ..] [--rounds 5]
        [--precision bfloat16] [--tensorflow PYTHON]

A peer that is not installed is left out, and so is one that has no such network. `--tensorflow` names the Python of an
environment that has Keras and TensorFlow, where this one has not.
"""

import argparse
import datetime as dt
import importlib.util
import json
import sys

from benchmarks.peers.data import BATCH, STEPS
from benchmarks.timing import ROOT, Contender, interleaved, machine, table

PEERS = {  # by name: the module, its arguments after the network, and what must be installed
    "thalweg": ("thalweg_fit", (), "thalweg"),
    "pytorch-eager": ("pytorch", ("eager",), "torch"),
    "pytorch-compile": ("pytorch", ("compile",), "torch"),
    "keras-tensorflow": ("keras_fit", ("tensorflow",), "tensorflow"),
    "keras-jax": ("keras_fit", ("jax",), "keras"),
    "keras-torch": ("keras_fit", ("torch",), "torch"),
    "flax-nnx": ("flax_nnx", (), "flax"),
}
LACKING = {"flax-nnx": {"transformer"}}  # networks that a peer's file does not have


def contenders(network, peers, precision, tensorflow):
    for name in peers:
        module, arguments, needs = PEERS[name]
        python = tensorflow if name == "keras-tensorflow" and tensorflow else sys.executable
        if python == sys.executable and importlib.util.find_spec(needs) is None:
            continue
        if network in LACKING.get(name, ()) or (precision != "float32" and name == "flax-nnx"):
            continue
        given = (network, *arguments, *(() if precision == "float32" else (precision,)))
        yield Contender(name, f"benchmarks.peers.{module}", *given, python=python)


def measured(network, arguments):
    running = list(contenders(network, arguments.peers, arguments.precision, arguments.tensorflow))
    try:
        times = interleaved(running, arguments.rounds, STEPS[network])
    finally:
        for c in running:
            c.close()
    return {"batch": BATCH[network], "rows": table(times), "about": {c.name: c.about for c in running}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--networks", nargs="+", default=list(BATCH), choices=list(BATCH))
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--tensorflow", default=None)
    arguments = parser.parse_args()
    found, when = {}, dt.datetime.now(dt.UTC).strftime("%Y-%m-%d")
    suffix = "" if arguments.precision == "float32" else f"-{arguments.precision}"
    out = ROOT / "benchmarks" / "results" / f"networks{suffix}-{when}.json"
    known = json.loads(out.read_text())["networks"] if out.exists() else {}
    for network in arguments.networks:
        found[network] = measured(network, arguments)
        for r in found[network]["rows"]:
            spread = f"{r['min_ms']:.3f} to {r['max_ms']:.3f}"
            print(f"{network:11} {r['name']:17} {r['median_ms']:9.3f} ms a step ({spread})   {r['ratio']:6.2f} x ours")
        record = {"date": when, "machine": machine(), "precision": arguments.precision, "networks": known | found}
        out.write_text(json.dumps(record, indent=1) + "\n")
    print(f"written: {out.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
