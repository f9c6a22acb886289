"""Thalweg: compile and fit, as its documentation writes it.

python -m benchmarks.peers.thalweg_fit NETWORK [float32|bfloat16]
"""

import sys

import jax

import thalweg
from benchmarks.peers.data import BATCH, data
from benchmarks.peers.networks import NETWORKS
from benchmarks.timing import serve
from thalweg.kernels import level


def main(name, precision="float32"):
    inputs, y = data(name)
    x = inputs if len(inputs) > 1 else inputs[0]
    model, batch = thalweg.Model(NETWORKS[name]()), BATCH[name]
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"], precision=precision)

    def run(epochs):
        model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)

    serve({"name": "thalweg", "version": thalweg.__version__, "jax": jax.__version__, "kernels": level()}, run)


if __name__ == "__main__":
    main(*sys.argv[1:])
