"""Training on padded sequences: the loss and the metrics count real positions, once each, over batch and epoch."""

import jax.numpy as jnp
import keras
import numpy as np
import pytest

import thalweg
from tests.peers import relaxed
from thalweg import core, data, layers, random
from thalweg.errors import ContractError

N, TIME, WORDS, TAGS = 11, 5, 9, 3
RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(1, TIME + 1, N)
REAL = np.arange(TIME) < LENGTHS[:, None]
X = np.where(REAL, RNG.integers(1, WORDS, (N, TIME)), 0).astype(np.int32)
Y = RNG.integers(0, TAGS, (N, TIME)).astype(np.int32)
STEPS = RNG.uniform(0, 2, (N, TIME)).astype(np.float32)
ROWS = RNG.uniform(0, 2, N).astype(np.float32)


def tagger(mask=True, loss="sparse_categorical_crossentropy", seed=0):
    model = thalweg.Sequential([
        layers.Embedding(WORDS, 4, mask_zero=mask, input_shape=(TIME,)), layers.LSTM(3, return_sequences=True),
        layers.Dense(TAGS, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer=thalweg.optimizers.SGD(0.5), loss=loss, metrics=["accuracy"], seed=seed)
    return model


def by_hand(model, weight=None, real=REAL):
    """Loss and accuracy: sums over real positions, divided by their number."""
    p = model.predict(X).astype(np.float64)
    loss = -np.log(np.take_along_axis(p, Y[..., None], -1)[..., 0])
    weight = np.ones_like(loss) if weight is None else np.broadcast_to(weight.T, loss.T.shape).T
    return [(loss * weight)[real].sum() / real.sum(), (p.argmax(-1) == Y)[real].mean()]


WEIGHTS = {"none": None, "a row": ROWS, "a row, as a column": ROWS[:, None], "a step": STEPS}


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("mask", [True, False])
def test_evaluate_is_the_mean_over_real_positions_however_it_is_batched(mask, weight):
    model = tagger(mask)
    real = REAL if mask else np.ones_like(REAL)
    for batch in (4, N):
        found = model.evaluate(X, Y, batch_size=batch, sample_weight=weight)
        np.testing.assert_allclose(found, by_hand(model, weight, real), rtol=1e-5)
    streamed = model.evaluate(Rows(weight), batch_size=4)
    np.testing.assert_allclose(streamed, found, rtol=1e-5)


class Rows:
    """The rows as a source that is read batch by batch."""

    def __init__(self, weight):
        self.parts = (X, Y) if weight is None else (X, Y, weight)

    def __len__(self):
        return N

    def __getitem__(self, indices):
        return tuple(a[indices] for a in self.parts)


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("mask", [True, False])
def test_a_step_is_keras_s(mask, weight):
    model = tagger(mask)
    with relaxed():
        twin = keras.Sequential([
            keras.layers.Embedding(WORDS, 4, mask_zero=mask), keras.layers.LSTM(3, return_sequences=True),
            keras.layers.Dense(TAGS, activation="softmax"),
        ])  # fmt: skip
        twin.compile(keras.optimizers.SGD(0.5), loss="sparse_categorical_crossentropy")
        twin(X)
        twin.set_weights(model.get_weights())
        p = twin(X)
        accuracy = keras.metrics.SparseCategoricalAccuracy()
        accuracy.update_state(Y, p)
        given = weight[:, None] if weight is not None and weight.ndim == 1 else weight  # Keras takes no other
        expected = [twin.train_on_batch(X, Y, sample_weight=given), float(accuracy.result())]
        after = twin.get_weights()
    got = model.train_on_batch(X, Y, sample_weight=weight)
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    names = ["embeddings", "1.kernel", "1.recurrent_kernel", "1.bias", "2.kernel", "2.bias"]
    for name, b in zip(names, after, strict=True):
        a = next(value for path, value in model.weights.items() if path.endswith(name))
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_padded_batch_trains_as_the_real_rows_and_steps_do():
    ends = []
    for rows, time in ((slice(None), TIME), (slice(3), TIME + 4)):
        x, y = (np.pad(a[rows], ((0, 0), (0, time - TIME))) for a in (X[:3], Y[:3]))
        model = thalweg.Sequential([
            layers.Embedding(WORDS, 4, mask_zero=True), layers.LSTM(3, return_sequences=True), layers.Dense(TAGS)
        ])  # fmt: skip
        model.compile(optimizer="sgd", loss=thalweg.losses.SparseCategoricalCrossentropy(from_logits=True), seed=1)
        history = model.fit(x, y, epochs=3, batch_size=2, shuffle=False, verbose=0)
        ends.append((model.get_weights(), history.history["loss"]))
    np.testing.assert_allclose(ends[0][1], ends[1][1], rtol=1e-5)
    for a, b in zip(ends[0][0], ends[1][0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_an_epoch_is_the_mean_over_its_real_positions():
    model = tagger()
    model.compile(optimizer=thalweg.optimizers.SGD(0.0), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    before = by_hand(model, STEPS)
    history = model.fit(X, Y, batch_size=4, sample_weight=STEPS, verbose=0).history
    np.testing.assert_allclose([history["loss"][0], history["accuracy"][0]], before, rtol=1e-5)


def test_resumed_to_the_same_bits(tmp_path):
    settings = {"batch_size": 4, "sample_weight": STEPS, "verbose": 0, "validation_split": 0.3}
    straight = tagger()
    straight.fit(X, Y, epochs=3, **settings)
    tagger().fit(X, Y, epochs=1, run_dir=tmp_path / "run", **settings)
    resumed = tagger()
    history = resumed.fit(X, Y, epochs=3, run_dir=tmp_path / "run", resume=True, **settings)
    assert history.history["val_loss"] == straight.history.history["val_loss"]
    for a, b in zip(straight.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_that_fit_neither_rows_nor_steps():
    with pytest.raises(ContractError, match=r"sample_weight has shape \(11, 4\).\n  .*shape \(11,\), or .*\(11, 5\)"):
        tagger().fit(X, Y, sample_weight=STEPS[:, :4], verbose=0)
    with pytest.raises(ContractError, match="sample_weight is negative in 11 rows"):
        tagger().fit(X, Y, sample_weight=-STEPS - 1, verbose=0)
    flat = thalweg.Sequential([layers.Dense(TAGS)])
    flat.compile(optimizer="sgd", loss="mse")
    with pytest.raises(ContractError, match=r"shape \(11, 3\).\n  Give one weight for each row: shape \(11,\)\."):
        flat.fit(STEPS, STEPS[:, :3], sample_weight=STEPS[:, :3], verbose=0)


def test_an_index_out_of_range_is_told_before_the_first_step():
    bad = X.copy()
    bad[3, 1], bad[5, 0] = WORDS, -1
    model = tagger()
    message = r"holds -1, 9 in 2 rows; the first is row 3. The Embedding .* from 0 to 8.\n  Write input_dim="
    for call in (
        lambda: model.fit(bad, Y, verbose=0),
        lambda: model.evaluate(bad, Y),
        lambda: model.predict(bad),
        lambda: model.fit(X, Y, validation_data=(bad, Y), verbose=0),
    ):
        with pytest.raises(ContractError, match=message):
            call()
    with pytest.raises(ContractError, match=r"holds 1\.5 in 1 rows"):
        model.predict(np.array([[1.5, 0, 0, 0, 0]]))
    model.predict(X[:4])
    model.predict(X[:4])  # known by now, and still looked at
    with pytest.raises(ContractError, match=message.replace("-1, 9 in 2", "9 in 1")):
        model.predict(bad[:4])


def test_an_index_out_of_range_in_a_graph_names_its_input():
    words, tags = layers.Input((TIME,), "int32", name="words"), layers.Input((TIME,), "int32", name="tags")
    joined = layers.add([layers.Embedding(WORDS, 2)(words), layers.Embedding(TAGS, 2)(tags)])
    model = thalweg.Model(layers.graph([words, tags], layers.Dense(1)(joined)))
    model.compile(optimizer="sgd", loss="mse")
    y = STEPS[..., None]
    model.fit((X, Y), y, verbose=0)
    with pytest.raises(ContractError, match=r"x\[1\] holds 3 in 1 rows"):
        model.fit((X, np.where(np.arange(N)[:, None] == 2, 3, Y)), y, verbose=0)
    with pytest.raises(ContractError, match=r"x\['tags'\] holds 3"):
        model.fit({"words": X, "tags": Y + 1}, y, verbose=0)


def test_a_streamed_index_out_of_range_stops_training():
    source = Rows(None)
    source.parts = (np.where(X == 2, WORDS + 3, X), Y)
    with pytest.raises(ContractError, match=r"row \d+ of the source, looked at by itself: x holds"):
        tagger().fit(source, verbose=0, batch_size=4)


def test_floats_stand_for_whole_numbers_unless_they_are_too_short():
    model = tagger()
    np.testing.assert_array_equal(model.predict(X.astype(np.float32)), model.predict(X))
    with pytest.raises(ContractError, match="holds them up to 256 only"):
        core.init(layers.Embedding(WORDS, 2), random.key(0), jnp.zeros((1, 2)), policy=core.BFLOAT16)


def test_class_weights_of_rows_and_a_mask_multiply():
    y = (np.arange(N) % 2).astype(np.int32)
    model = thalweg.Sequential([layers.Embedding(WORDS, 4, mask_zero=True), layers.LSTM(3), layers.Dense(2, "softmax")])
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    found = model.evaluate(X, y, sample_weight=ROWS)
    p = model.predict(X).astype(np.float64)
    np.testing.assert_allclose(found, (-np.log(p[np.arange(N), y]) * ROWS).mean(), rtol=1e-5)


assert data.is_source(Rows(None))
