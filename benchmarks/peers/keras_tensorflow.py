"""Keras on TensorFlow: compile and fit, as its documentation writes it."""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
from keras import layers as L

from benchmarks.peers.data import BATCH, mnist
from benchmarks.timing import serve


def network(name):
    if name == "mlp":
        body = [L.Input((28, 28)), L.Flatten(), L.Dense(128, activation="relu"), L.Dropout(0.2)]
    elif name == "lstm":
        body = [L.Input((28, 28)), L.LSTM(64, return_sequences=True), L.LSTM(64)]
    else:
        body = [
            L.Input((28, 28)), L.Reshape((28, 28, 1)), L.Conv2D(32, 3, activation="relu"), L.MaxPooling2D(),
            L.Conv2D(64, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(128, activation="relu"),
        ]  # fmt: skip
    return keras.Sequential([*body, L.Dense(10, activation="softmax")])


def main(name):
    x, y = mnist(name)
    model, batch = network(name), BATCH[name]
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

    def run(epochs):
        model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)

    serve({"name": "keras-tensorflow", "version": f"{keras.__version__} on TensorFlow"}, run)


if __name__ == "__main__":
    main(sys.argv[1])
