"""The run that `test_exactness.py` kills: python killed.py FOLDER RESUME EPOCHS OUT."""

import json
import sys
from pathlib import Path

import numpy as np

import thalweg
from thalweg import callbacks, layers
from thalweg.train import runs


class Slow(callbacks.Callback):
    """Makes each step take a moment, so that a kill falls into the middle of an epoch."""

    def on_train_batch_end(self, batch, logs=None):
        print("step", flush=True)


def main(folder, resume, epochs, out):
    runs.LEAST_SECONDS = 0.0  # a checkpoint whenever its cost allows
    runs.SHARE = 0
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(90, 6)), rng.integers(0, 3, 90)
    body = [layers.Dense(16, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.3)]
    model = thalweg.Sequential([*body, layers.Dense(3, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"], seed=3)
    hooks = [Slow(), callbacks.EarlyStopping(monitor="val_loss", patience=50), callbacks.ReduceLROnPlateau(patience=2)]
    kept = {"run_dir": folder, "resume": resume == "resume"} if folder else {}
    history = model.fit(
        x, y, epochs=int(epochs), batch_size=16, validation_split=0.2, verbose=0, callbacks=hooks, **kept
    )
    np.savez(out, **model.weights)
    Path(out + ".json").write_text(json.dumps(history.history))


if __name__ == "__main__":
    main(*sys.argv[1:])
