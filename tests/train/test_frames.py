"""Frames keep their names: columns in another order and rows in another order are errors, where they were mixed up."""

import numpy as np
import pandas as pd
import pytest

import thalweg
from thalweg import layers
from thalweg.errors import ContractError

X = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3)), columns=["a", "b", "c"])
Y = X.sum(axis=1)
TURNED, ORDER = (
    X[["a", "c", "b"]],
    r"column 1 of x is 'c'; in the frame that trained this model it was 'b'\.\n  Write x\[",
)


@pytest.fixture(scope="module")
def model():
    made = thalweg.Sequential([layers.Dense(1)])
    made.compile("sgd", "mse")
    made.fit(X, Y, verbose=0)
    return made


CALLS = {
    "predict": lambda m, x: m.predict(x),
    "evaluate": lambda m, x: m.evaluate(x, Y),
    "fit": lambda m, x: m.fit(x, Y, verbose=0),
    "validation": lambda m, x: m.fit(X, Y, validation_data=(x, Y), verbose=0),
    "train_on_batch": lambda m, x: m.train_on_batch(x, Y),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_columns_in_another_order_are_refused(model, call):
    with pytest.raises(ContractError, match=ORDER):
        call(model, TURNED)


def test_the_file_and_a_copy_know_the_columns(model, tmp_path):
    model.save(tmp_path / "m.tw")
    for again in (thalweg.load_model(tmp_path / "m.tw"), thalweg.Model.__copy__(model)):
        with pytest.raises(ContractError, match=ORDER):
            again.predict(TURNED)
        np.testing.assert_array_equal(again.predict(X), model.predict(X.to_numpy()))


def test_a_column_too_few_or_too_many_is_named(model):
    with pytest.raises(ContractError, match="x has no column 'c'"):
        model.predict(X[["a", "b"]])
    with pytest.raises(ContractError, match=r"x has a column 'd', .*\n  Write x.drop\(columns='d'\)"):
        model.predict(X.assign(d=1.0))


def test_other_columns_train_anew_and_numbered_ones_have_no_names():
    made = thalweg.Sequential([layers.Dense(1)])
    made.compile("sgd", "mse")
    made.predict(TURNED)  # before training no order is known
    made.fit(X, Y, verbose=0)
    renamed = X.set_axis(["u", "v", "w"], axis=1)
    made.fit(renamed, Y, verbose=0)
    assert made.session.columns == ("u", "v", "w")
    numbered = X.set_axis(range(3), axis=1)
    np.testing.assert_array_equal(made.predict(numbered), made.predict(renamed))


@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch"])
def test_rows_in_another_order_are_refused(model, call):
    with pytest.raises(ContractError, match=r"the same rows in another order\.\n  Write y\.loc\[x\.index\]"):
        getattr(model, call)(X, Y.sample(frac=1, random_state=0))
    with pytest.raises(ContractError, match=r"Write sample_weight\.loc"):
        getattr(model, call)(X, Y, sample_weight=Y.abs()[::-1])


@pytest.mark.parametrize(
    "y", [Y.set_axis(range(100, 140)), Y.set_axis([0] * 40), Y.to_numpy(), Y.to_frame(), Y.tolist()]
)
def test_other_names_of_rows_say_nothing(model, y):
    model.evaluate(X, y)
