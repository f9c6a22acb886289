"""Weights by class in training, in each call: the loss is that of the rows, steps or labels weighted by hand."""

import keras
import numpy as np
import pytest

import thalweg
from tests.peers import relaxed
from thalweg import layers
from thalweg.errors import ContractError

RNG = np.random.default_rng(0)
X, XS = RNG.normal(size=(20, 3)).astype(np.float32), RNG.normal(size=(8, 5, 3)).astype(np.float32)
C, CS = RNG.integers(0, 3, 20), RNG.integers(0, 3, (8, 5))
BY_CLASS, W = {0: 2.0, 1: 1.0, 2: 3.0}, np.array([2.0, 1.0, 3.0])
ROWS, STEPS = RNG.uniform(0, 2, 20), RNG.uniform(0, 2, (8, 5))
SPARSE = "sparse_categorical_crossentropy"


def model(loss=SPARSE, units=3, end="softmax"):
    made = thalweg.Sequential([layers.Dense(units, activation=end)])
    made.compile(thalweg.optimizers.SGD(0.0), loss)
    return made


def lost(p, y):
    return -np.log(np.take_along_axis(p, y[..., None], -1)[..., 0])


class Rows:
    def __init__(self, *parts):
        self.parts = parts

    def __len__(self):
        return len(self.parts[0])

    def __getitem__(self, rows):
        return tuple(part[rows] for part in self.parts)


def first_losses(x, y, weight, by_class, **how):
    """The loss before the first step, by each call that trains."""
    batch = model(**how).train_on_batch(x, y, sample_weight=weight, class_weight=by_class)
    fit = [
        model(**how).fit(*data, batch_size=min(7, len(x)), class_weight=by_class, verbose=0, **more).history["loss"][0]
        for data, more in (
            ((x, y), {"sample_weight": weight}),
            ((Rows(x, y) if weight is None else Rows(x, y, weight),), {}),
        )
    ]
    return [batch, *fit]


@pytest.mark.parametrize("weight", [None, ROWS, ROWS[:, None]], ids=["alone", "rows", "column"])
def test_rows(weight):
    m = model()
    expected = np.mean(lost(m.predict(X), C) * W[C] * (1 if weight is None else weight.reshape(-1)))
    for by_class in (BY_CLASS, [2.0, 1.0, 3.0]):
        np.testing.assert_allclose(first_losses(X, C, weight, by_class), expected, rtol=1e-5)


@pytest.mark.parametrize("weight", [None, ROWS[:8], STEPS], ids=["alone", "rows", "steps"])
@pytest.mark.parametrize("one_hot", [False, True])
def test_steps(weight, one_hot):
    given = 1.0 if weight is None else weight.reshape(8, -1)
    expected = np.mean(lost(model().predict(XS), CS) * W[CS] * given)
    how = {"loss": "categorical_crossentropy"} if one_hot else {}
    y = np.eye(3)[CS] if one_hot else CS
    np.testing.assert_allclose(first_losses(XS, y, weight, BY_CLASS, **how), expected, rtol=1e-5)


@pytest.mark.parametrize("weight", [None, ROWS], ids=["alone", "rows"])
def test_labels_side_by_side(weight):
    y = (RNG.random((20, 3)) > 0.5).astype(np.float32)
    how = {"loss": "binary_crossentropy", "end": "sigmoid"}
    p = model(**how).predict(X).astype(np.float64)
    each = -(y * np.log(p) + (1 - y) * np.log(1 - p)) * W
    expected = np.mean(each * (1 if weight is None else weight[:, None]))
    np.testing.assert_allclose(first_losses(X, y, weight, BY_CLASS, **how), expected, rtol=1e-5)


def test_pixels():
    x, y = RNG.normal(size=(4, 5, 6, 2)).astype(np.float32), RNG.integers(0, 3, (4, 5, 6))
    expected = np.mean(lost(model().predict(x), y) * W[y])
    np.testing.assert_allclose(first_losses(x, y, None, BY_CLASS), expected, rtol=1e-5)


def test_masked_steps_are_not_counted():
    x = np.where(np.arange(5) < RNG.integers(1, 6, 8)[:, None], RNG.integers(1, 9, (8, 5)), 0)
    net = [layers.Embedding(9, 4, mask_zero=True), layers.Dense(3, activation="softmax")]
    m = thalweg.Sequential(net)
    m.compile(thalweg.optimizers.SGD(0.0), SPARSE)
    expected = (lost(m.predict(x), CS) * W[CS])[x > 0].sum() / (x > 0).sum()
    assert m.train_on_batch(x, CS, class_weight=BY_CLASS) == pytest.approx(expected, rel=1e-5)


def test_a_batch_without_one_of_the_classes():
    y = np.where(C == 2, 1, C)
    expected = np.mean(lost(model().predict(X), y) * W[y])
    assert model().train_on_batch(X, y, class_weight=BY_CLASS) == pytest.approx(expected, rel=1e-5)


def test_texts_are_weighted_by_their_names():
    expected = model().train_on_batch(X, C, class_weight=BY_CLASS)
    by_name = {"a": 2.0, "b": 1.0, "c": 3.0}
    assert model().train_on_batch(X, np.array(list("abc"))[C], class_weight=by_name) == pytest.approx(expected)


def test_a_step_of_training_is_that_of_keras():
    by_class = {0: 2.0, 1: 5.0}
    with relaxed():
        peer = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
        peer.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
        m = thalweg.Sequential([layers.Dense(1, activation="sigmoid", input_shape=(3,))])
        m.compile(thalweg.optimizers.SGD(0.5), "binary_crossentropy")
        m.set_weights(peer.get_weights())
        expected = peer.fit(X, C[:, None] > 0, 7, 3, shuffle=False, verbose=0, class_weight=by_class).history["loss"]
    found = m.fit(X, C > 0, 7, 3, shuffle=False, verbose=0, class_weight=by_class).history["loss"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("how", ["share", "apart", "source"])
def test_rows_that_validate_are_not_weighted_by_class_as_in_keras(how):
    apart = {"validation_data": (X + 1, C)} if how == "apart" else {"validation_split": 0.25}
    data = (Rows(X, C),) if how == "source" else (X, C)
    plain, weighted = (
        model().fit(*data, verbose=0, class_weight=by_class, **apart).history for by_class in (None, BY_CLASS)
    )
    assert weighted["val_loss"] == plain["val_loss"]
    assert weighted["loss"] != plain["loss"]


def test_a_source_cannot_be_balanced():
    with pytest.raises(ContractError, match=r"does not go with a source.*\n  Write class_weight="):
        model().fit(Rows(X, C), class_weight="balanced", verbose=0)


def test_a_loss_of_a_whole_row_has_no_classes():
    m = model("ctc", end=None)
    with pytest.raises(ContractError, match="Give sample_weight"):
        m.fit(XS, np.full((8, 2), 1), class_weight={1: 2.0}, verbose=0)


@pytest.mark.parametrize("texts", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_balanced_counts_the_rows_that_train_alone(texts, weighted):
    """With n training rows of k classes, class c weighs n / (k n_c); the rows in front train."""
    y, n = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1] + [1] * 6 + [0] * 4), 15
    weight = np.arange(1.0, 21) if weighted else np.ones(20)
    made = model(units=2)
    p = made.predict(X)
    by_class = n / (2 * np.bincount(y[:n]))
    expected = np.mean((lost(p, y) * by_class[y] * weight)[:n])
    given = {"sample_weight": weight} if weighted else {}
    with pytest.warns(UserWarning, match="the last 5 rows validate"):
        history = made.fit(
            X, np.array(["a", "b"])[y] if texts else y, class_weight="balanced", validation_split=0.25, split="time",
            verbose=0, **given,
        )  # fmt: skip
    np.testing.assert_allclose(history.history["loss"], [expected], rtol=1e-6)
    np.testing.assert_allclose(history.history["val_loss"], [np.mean((lost(p, y) * weight)[n:])], rtol=1e-6)


@pytest.mark.parametrize(
    ("given", "does"),
    [
        ({"class_weight": {0: 0.0}}, "trains"),
        ({"sample_weight": (np.arange(20) >= 15) * 1.0}, "trains"),
        ({"class_weight": {0: 0.0, 1: 1.0}, "sample_weight": np.ones(20)}, "trains"),
        ({"sample_weight": (np.arange(20) < 15) * 1.0}, "validates"),
    ],
)
def test_a_part_of_a_split_whose_weights_are_all_0_is_an_error(given, does):
    y = np.repeat([0, 1], [15, 5])
    with (
        pytest.warns(UserWarning, match="the last 5 rows validate"),
        pytest.raises(ContractError, match=rf"every row that {does} has the weight 0.*\n  Give some"),
    ):
        model(units=2).fit(X, y, validation_split=0.25, split="time", verbose=0, **given)
