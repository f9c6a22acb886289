"""A number that is not finite is an error at every call that takes inputs, by row and column, before any work."""

import warnings

import numpy as np
import pytest

from thalweg import layers
from thalweg.errors import ContractError, DataError
from thalweg.layers import Input
from thalweg.model import Model, Sequential

GOOD = np.linspace(-1, 1, 32, dtype=np.float32).reshape(8, 4)
WRONG = {"nan": np.nan, "inf": np.inf, "minus inf": -np.inf}


def classifier():
    model = Sequential([layers.Dense(3, activation="softmax", input_shape=(4,))])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def spoiled(value, dtype=np.float32):
    x = GOOD.astype(dtype)
    x[5, 2] = value
    return x


def calls(model, x):
    y = np.zeros(len(GOOD), np.int32)
    return {
        "fit": lambda: model.fit(x, y, epochs=1, verbose=0),
        "validation_data": lambda: model.fit(GOOD, y, epochs=1, verbose=0, validation_data=(x, y)),
        "evaluate": lambda: model.evaluate(x, y),
        "train_on_batch": lambda: model.train_on_batch(x, y),
        "predict": lambda: model.predict(x),
        "call": lambda: model(x),
    }


@pytest.mark.parametrize("call", ["fit", "validation_data", "evaluate", "train_on_batch", "predict", "call"])
@pytest.mark.parametrize("wrong", WRONG)
def test_the_same_error_everywhere(call, wrong):
    with pytest.raises(ContractError, match=r"x holds NaN or infinity in row 5, column 2.\n  Fill the numbers in"):
        calls(classifier(), spoiled(WRONG[wrong]))[call]()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_prediction_like_the_last_one_is_looked_at_too(dtype, wrong):
    """The second prediction of a shape takes a shorter way."""
    model = classifier()
    x = GOOD.astype(dtype)
    for _ in range(2):
        before = model.predict(x)
    with pytest.raises(ContractError, match="row 5, column 2"):
        model.predict(spoiled(WRONG[wrong], dtype))
    assert np.array_equal(model.predict(x), before)


def test_numbers_whose_sum_is_infinite_are_predicted():
    model = classifier()
    x = np.full((8, 4), 3e38, np.float32) * np.float32([[1, -1, 1, -1]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = model.predict(x), model.predict(x)
    assert np.array_equal(first, second, equal_nan=True)
    assert first.shape == (8, 3)


def test_what_is_too_large_for_float32_is_not_finite():
    with pytest.raises(DataError, match=r"a number beyond float32.*\n  "):
        classifier().predict(np.float64([[0, 0, 0, 0], [0, 1e300, 0, 0]]))


def test_the_piece_of_a_source_that_holds_it_is_named():
    class Rows:
        def __len__(self):
            return 8

        def __getitem__(self, indices):
            return spoiled(np.nan)[indices], np.zeros(8, np.int32)[indices]

    source = Rows()
    with pytest.raises(ContractError, match="counted from row 4 of the source: x holds NaN or infinity in row 1"):
        classifier().predict(source, batch_size=4)


def test_several_inputs_and_inputs_of_more_axes():
    a, b = Input((4,)), Input((4, 1))
    model = Model([a, b], layers.Dense(1)(layers.Concatenate()([a, layers.Flatten()(b)])))
    good = GOOD.reshape(8, 4, 1)
    assert np.isfinite(model.predict([GOOD, good])).all()
    for x in ([spoiled(np.nan), good], [GOOD, spoiled(np.nan).reshape(8, 4, 1)]):
        with pytest.raises(ContractError, match="NaN or infinity in row 5"):
            model.predict(x)
