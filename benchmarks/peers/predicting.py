"""A picture in, a row of probabilities out, NumPy to NumPy, as each contender's documentation calls a trained network.

python -m benchmarks.peers.predicting mlp|cnn thalweg|pytorch-eager|..    as `PEERS` of benchmarks.training.networks
"""

import importlib
import os
import sys

from benchmarks.peers.data import data
from benchmarks.timing import serve

TURN = 200  # predictions of one turn's unit


def thalweg(network):
    from benchmarks.peers.networks import NETWORKS
    from thalweg import Model

    model = Model(NETWORKS[network]())
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.build((None, 28, 28))
    return model.predict


def pytorch(network, how):
    import torch

    from benchmarks.peers.pytorch import NETWORKS

    model = NETWORKS[network]().eval()
    if network == "cnn":
        model = model.to(memory_format=torch.channels_last)
    forward = torch.compile(model) if how == "compile" else model

    def predict(x):
        with torch.inference_mode():
            return forward(torch.from_numpy(x)).softmax(-1).numpy()

    return predict


def keras(network, backend):
    os.environ["KERAS_BACKEND"] = backend
    model = importlib.import_module("benchmarks.peers.keras_fit").NETWORKS[network]()
    return model.predict_on_batch


def flax(network, _):
    import jax
    import numpy as np
    from flax import nnx

    from benchmarks.peers.flax_nnx import NETWORKS

    model = NETWORKS[network](nnx.Rngs(0))
    model.eval()
    forward = nnx.jit(lambda model, x: jax.nn.softmax(model(x)))
    forward = nnx.cached_partial(forward, model)  # as Flax advises where the time of a call counts
    return lambda x: np.asarray(forward(x))


def main(network, contender):
    maker, *how = contender.split("-")
    x = data(network)[0][0][:1].copy()
    predict = {"thalweg": thalweg, "pytorch": pytorch, "keras": keras, "flax": flax}[maker](network, *how)
    assert predict(x).shape == (1, 10)

    def run(turns):
        for _ in range(turns * TURN):
            predict(x)

    serve({"name": contender}, run)


if __name__ == "__main__":
    main(*sys.argv[1:])
