"""Any size that a network takes, in every call, whatever came first: the numbers of a model that saw no other."""

import keras
import numpy as np
import pytest

import thalweg
from tests.peers import relaxed
from thalweg import data, layers
from thalweg.errors import ContractError

RNG = np.random.default_rng(0)
SHORT, LONG = (RNG.normal(size=(8, n, 3)).astype(np.float32) for n in (6, 9))


def over(x):
    return (x.sum(-1, keepdims=True) > 0).astype(np.float32)


def tagger(metrics=("auc",), loss="binary_crossentropy"):
    net = [layers.GRU(4, return_sequences=True), layers.Dense(1, activation="sigmoid")]
    model = thalweg.Sequential(net)
    model.compile(thalweg.optimizers.SGD(0.1), loss, list(metrics))
    model.build((None, 6, 3))
    return model


def area(model, x):
    """By Mann and Whitney: how often a positive scores above a negative."""
    p, y = model.predict(x).reshape(-1), over(x).reshape(-1) > 0
    gaps = p[y][:, None] - p[~y][None]
    return np.mean((gaps > 0) + 0.5 * (gaps == 0))


@pytest.mark.parametrize("loss", ["binary_crossentropy", lambda y, p: (y - p) ** 2], ids=["named", "of one's own"])
@pytest.mark.parametrize("first", ["train_on_batch", "fit", "evaluate", "load"])
def test_another_length_after_the_first_call(first, loss, tmp_path):
    model = tagger(loss=loss)
    if first == "load" and loss == "binary_crossentropy":
        model.evaluate(SHORT, over(SHORT))
        model = thalweg.load_model(model.save(tmp_path / "m.tw"))
    elif first == "fit":
        model.fit(SHORT, over(SHORT), verbose=0)
    else:
        (model.evaluate if first == "evaluate" else model.train_on_batch)(SHORT, over(SHORT))
    fresh = tagger(loss=loss)
    fresh.set_weights(model.get_weights())
    wanted = area(fresh, LONG)
    assert model.evaluate(LONG, over(LONG))[1] == pytest.approx(wanted, abs=1e-6)
    assert model.evaluate(LONG, over(LONG), batch_size=3)[1] == pytest.approx(wanted, abs=1e-6)
    found, expected = (m.train_on_batch(LONG, over(LONG)) for m in (model, fresh))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found[1] == pytest.approx(wanted, abs=1e-6)
    histories = [
        m.fit(LONG, over(LONG), epochs=2, verbose=0, batch_size=3, shuffle=False).history for m in (model, fresh)
    ]
    assert histories[0] == histories[1]


def test_rows_that_validate_may_be_longer_than_those_that_train():
    model = tagger(["auc", "mse"])
    logs = model.fit(SHORT, over(SHORT), validation_data=(LONG, over(LONG)), verbose=0).history
    assert logs["val_auc"][0] == pytest.approx(area(model, LONG), abs=1e-6)
    expected = np.mean((model.predict(LONG) - over(LONG)) ** 2)
    assert logs["val_mse"][0] == pytest.approx(expected, rel=1e-5)


class Lengths:
    """A source that pads each piece to a length of its own."""

    def __init__(self, longest_first):
        self.x, self.order = (LONG, SHORT), longest_first

    def __len__(self):
        return 16

    def __getitem__(self, rows):
        x = self.x[int((rows[0] < 8) != self.order)]
        return x[rows % 8], over(x)[rows % 8]


def test_a_source_whose_pieces_have_lengths_of_their_own(monkeypatch):
    monkeypatch.setattr("thalweg.train.windows.WINDOW_BYTES", 1)
    model = tagger(["mse"])
    lost = [np.mean((model.predict(x) - over(x)) ** 2) for x in (SHORT, LONG)]
    assert model.evaluate(Lengths(longest_first=False), batch_size=8)[1] == pytest.approx(np.mean(lost), rel=1e-5)


@pytest.mark.parametrize("metric", ["auc", "r2"])
def test_a_metric_of_an_epoch_of_one_shape_says_so(metric, monkeypatch):
    monkeypatch.setattr("thalweg.train.windows.WINDOW_BYTES", 1)
    with pytest.raises(ContractError, match="\n  Give rows of one length"):
        tagger([metric]).evaluate(Lengths(longest_first=False), batch_size=8)


def test_pictures_of_another_size_as_in_keras():
    small, large = (RNG.normal(size=(4, n, n, 1)).astype(np.float32) for n in (8, 12))
    y = np.array([0.0, 1, 1, 0], np.float32)[:, None]
    model = thalweg.Sequential([layers.Conv2D(2, 3), layers.GlobalAveragePooling2D(), layers.Dense(1, "sigmoid")])
    model.compile(thalweg.optimizers.SGD(0.5), "binary_crossentropy", ["accuracy"])
    model.train_on_batch(small, y)
    with relaxed():
        peer = keras.Sequential([
            keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1, "sigmoid"),
        ])  # fmt: skip
        peer.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])
        peer.build((None, None, None, 1))
        peer.set_weights(model.get_weights())
        expected = [peer.train_on_batch(large, y), peer.evaluate(small, y, verbose=0)]
    found = [model.train_on_batch(large, y), model.evaluate(small, y)]
    np.testing.assert_allclose(found, np.array(expected, float), rtol=1e-5)


def test_a_size_that_a_layer_does_not_take_names_it_and_changes_nothing(tmp_path):
    model = thalweg.Sequential([layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(SHORT, SHORT[:, 0, 0], verbose=0)
    for call in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(ContractError, match=r"layers\.1\.kernel of Dense\(1\) must have shape"):
            call(LONG, LONG[:, 0, 0])
    loaded = thalweg.load_model(model.save(tmp_path / "m.tw"))
    np.testing.assert_array_equal(loaded.predict(SHORT), model.predict(SHORT))


def test_several_outputs_are_refused_in_words():
    a = layers.Input((3,))
    model = thalweg.Model(a, [layers.Dense(1)(a), layers.Dense(2)(a)])
    model.compile("sgd", "mse")
    assert [p.shape for p in model.predict(SHORT[:, 0])] == [(8, 1), (8, 2)]
    with pytest.raises(ContractError, match=r"gives 2 outputs.*\n  "):
        model.fit(SHORT[:, 0], SHORT[:, 0, 0], verbose=0)


def test_buckets_have_room_for_the_longest():
    padded = np.concatenate([SHORT, np.zeros((8, 3, 3), np.float32)], 1)
    x = np.concatenate([padded, LONG])
    source = data.bucketed(x, over(x), per_position=True, multiple=1)
    assert len(source.extents[9]) == 2
    found = tagger().evaluate(source, batch_size=4)[1]
    p, y = (np.concatenate([np.ravel(f(v)) for v in (SHORT, LONG)]) for f in (tagger().predict, over))
    gaps = p[y > 0][:, None] - p[y == 0][None]
    assert found == pytest.approx(np.mean((gaps > 0) + 0.5 * (gaps == 0)), abs=1e-6)
