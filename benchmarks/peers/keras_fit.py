"""Keras: compile and fit, as its documentation writes it.

python -m benchmarks.peers.keras_fit NETWORK [tensorflow|jax|torch] [float32|bfloat16]
"""

import os
import sys

if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = sys.argv[2] if len(sys.argv) > 2 else "tensorflow"
import keras
from keras import layers as L

from benchmarks.peers.data import BATCH, CHARACTERS, WORDS, data
from benchmarks.timing import serve


def mlp():
    return keras.Sequential([
        L.Input((28, 28)), L.Flatten(), L.Dense(128, activation="relu"), L.Dropout(0.2),
        L.Dense(10, activation="softmax"),
    ])  # fmt: skip


def cnn():
    return keras.Sequential([
        L.Input((28, 28)), L.Reshape((28, 28, 1)), L.Conv2D(32, 3, activation="relu"), L.MaxPooling2D(),
        L.Conv2D(64, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(128, activation="relu"),
        L.Dense(10, activation="softmax"),
    ])  # fmt: skip


def lstm():
    body = [L.Input((28, 28)), L.LSTM(64, return_sequences=True), L.LSTM(64)]
    return keras.Sequential([*body, L.Dense(10, activation="softmax")])


def gru():
    body = [L.Input((100, 64)), L.Masking(), L.GRU(128, return_sequences=True), L.GRU(128)]
    return keras.Sequential([*body, L.Dense(10, activation="softmax")])


def _residual(x, filters, stride):
    y = L.Conv2D(filters, 3, stride, "same", use_bias=False)(x)
    y = L.ReLU()(L.BatchNormalization()(y))
    y = L.BatchNormalization()(L.Conv2D(filters, 3, 1, "same", use_bias=False)(y))
    if stride != 1 or x.shape[-1] != filters:
        x = L.BatchNormalization()(L.Conv2D(filters, 1, stride, use_bias=False)(x))
    return L.ReLU()(L.Add()([x, y]))


def resnet18():
    inputs = L.Input((32, 32, 3))
    x = L.ReLU()(L.BatchNormalization()(L.Conv2D(64, 3, 1, "same", use_bias=False)(inputs)))
    for stage, filters in enumerate((64, 128, 256, 512)):
        for i in range(2):
            x = _residual(x, filters, 2 if stage and not i else 1)
    return keras.Model(inputs, L.Dense(10, activation="softmax")(L.GlobalAveragePooling2D()(x)))


def _block(x, d, heads, *, causal, memory=None):
    y = L.LayerNormalization(epsilon=1e-5)(x)
    x = x + L.MultiHeadAttention(heads, d // heads)(y, y, use_causal_mask=causal)
    if memory is not None:
        x = x + L.MultiHeadAttention(heads, d // heads)(L.LayerNormalization(epsilon=1e-5)(x), memory)
    y = L.LayerNormalization(epsilon=1e-5)(x)
    return x + L.Dense(d)(L.Dense(4 * d, activation="relu" if d == 256 else "gelu")(y))


class Embedded(L.Layer):
    """Words and places, as Keras's own example of a Transformer adds them."""

    def __init__(self, vocabulary, d, time):
        super().__init__()
        self.words, self.places, self.time = L.Embedding(vocabulary, d), L.Embedding(time, d), time

    def call(self, tokens):
        return self.words(tokens) + self.places(keras.ops.arange(self.time))


def _embedded(tokens, vocabulary, d, time):
    return Embedded(vocabulary, d, time)(tokens)


def gpt(d=128):
    inputs = L.Input((128,), dtype="int32")
    x = _embedded(inputs, CHARACTERS, d, 128)
    for _ in range(4):
        x = _block(x, d, 4, causal=True)
    y = L.Dense(CHARACTERS)(L.LayerNormalization(epsilon=1e-5)(x))
    return keras.Model(inputs, L.Activation("softmax", dtype="float32")(y))


def transformer(d=256):
    source, target = L.Input((32,), dtype="int32"), L.Input((32,), dtype="int32")
    memory = _embedded(source, WORDS, d, 32)
    for _ in range(3):
        memory = _block(memory, d, 8, causal=False)
    memory = L.LayerNormalization(epsilon=1e-5)(memory)
    x = _embedded(target, WORDS, d, 32)
    for _ in range(3):
        x = _block(x, d, 8, causal=True, memory=memory)
    return keras.Model([source, target], L.Dense(WORDS, activation="softmax")(L.LayerNormalization(epsilon=1e-5)(x)))


NETWORKS = {
    "mlp": mlp, "cnn": cnn, "lstm": lstm, "gru": gru, "resnet18": resnet18, "gpt": gpt, "transformer": transformer,
}  # fmt: skip


def main(name, backend="tensorflow", precision="float32"):
    if precision == "bfloat16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    inputs, y = data(name)
    x = list(inputs) if name == "transformer" else inputs[0]
    model, batch = NETWORKS[name](), BATCH[name]
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

    def run(epochs):
        model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)

    serve({"name": f"keras {backend}", "version": keras.__version__}, run)


if __name__ == "__main__":
    main(*sys.argv[1:])
