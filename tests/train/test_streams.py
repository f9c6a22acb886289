"""Streams: the rows of a source are held against the contract as they are read, and teach what arrays teach."""

import numpy as np
import pytest

import thalweg
from thalweg import layers
from thalweg.errors import ContractError
from thalweg.train import windows


class Stream:
    """Rows that are read when they are needed."""

    def __init__(self, x, y=None):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, rows):
        return (self.x[rows],) if self.y is None else (self.x[rows], self.y[rows])


WORDS = np.arange(600, dtype=np.int32).reshape(200, 3) % 7
SPOILED = {
    "an index": (150, 7, 0, "row 150 of the source, looked at by itself: x holds 7 in 1 rows"),
    "a class": (31, 0, 2, "row 31 of the source, looked at by itself: .* labels outside 0 to 1, .*: 2"),
}


def spoiled(row, word, label):
    x, y = WORDS.copy(), (np.arange(200) % 2).astype(np.float32)
    x[row], y[row] = word, label
    return x, y


def reader():
    model = thalweg.Sequential([layers.Embedding(7, 4), layers.Flatten(), layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(("row", "word", "label", "message"), SPOILED.values(), ids=SPOILED)
def test_the_rows_of_a_stream_are_checked_as_they_are_read(row, word, label, message):
    source, good = Stream(*spoiled(row, word, label)), Stream(*spoiled(0, 0, 0))
    for call in (
        lambda model: model.fit(source, batch_size=50, epochs=1, verbose=0),
        lambda model: model.fit(good, batch_size=50, epochs=1, validation_data=source, verbose=0),
        lambda model: model.evaluate(source),
    ):
        with pytest.raises(ContractError, match=message.replace("x holds", "(validation )?x holds")):
            call(reader())


def test_the_indices_of_a_stream_are_checked_by_predict():
    x, _ = spoiled(150, 7, 0)
    with pytest.raises(ContractError, match=r"counted from row 150 of the source: x holds 7 .* the first is row 0"):
        reader().predict(Stream(x), batch_size=50)


def test_a_stream_teaches_what_its_arrays_teach():
    x, y = spoiled(0, 0, 0)
    streamed, whole = reader(), reader()
    for model, given in ((streamed, (Stream(x, y),)), (whole, (x, y))):
        model.fit(*given, batch_size=50, epochs=2, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(streamed.get_weights(), whole.get_weights(), strict=True))


def test_a_piece_of_a_stream_may_lack_what_the_whole_has(monkeypatch):
    monkeypatch.setattr(windows, "WINDOW_BYTES", 1)  # a piece is a batch
    y = np.zeros((300, 1), np.float32)
    y[:40] = 1
    weight = (np.arange(300) < 40).astype(np.float32)

    class Weighted(Stream):
        def __getitem__(self, rows):
            return y[rows], y[rows], weight[rows]

    model = thalweg.Sequential([layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    assert np.isfinite(model.evaluate(Weighted(y), batch_size=10))
