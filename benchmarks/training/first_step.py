"""The MLP listing in a fresh process: seconds from `fit` to the end of the first step, and peak memory of a fit.

python -m benchmarks.training.first_step            # with whatever the compilation cache holds
THALWEG_CACHE=$(mktemp -d) python -m benchmarks.training.first_step     # cold
"""

import json
import resource
import time

import thalweg as keras
from thalweg.train import fit


def main():
    (x, y), _ = keras.datasets.mnist.load_data()
    x = x / 255.0
    model = keras.Sequential([
        keras.layers.Flatten(input_shape=(28, 28)), keras.layers.Dense(128, activation="relu"),
        keras.layers.Dropout(0.2), keras.layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    started = time.perf_counter()
    first = []

    measured = fit.Pace.measured

    def note(self, steps, seconds):  # the first chunk is one step
        first.append(time.perf_counter() - started)
        measured(self, steps, seconds)

    fit.Pace.measured = note
    model.fit(x, y, epochs=2, validation_split=0.1, verbose=0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"first_step_s": round(first[0], 3), "peak_memory_gb": round(peak, 3)}))


if __name__ == "__main__":
    main()
