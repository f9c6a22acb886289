"""A last batch of one row under batch statistics: said before the first step, with the batch size to write."""

import re
import warnings

import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import data, layers
from thalweg.errors import ContractError
from thalweg.model import Sequential

X = np.random.default_rng(0).normal(size=(65, 3)).astype(np.float32)
Y = X.sum(1)


def model(loss="mse"):
    made = Sequential([layers.Dense(4), layers.BatchNormalization(), layers.Dense(1)])
    made.compile("sgd", loss)
    return made


@pytest.mark.parametrize(
    ("given", "rows", "size"),
    [
        ({}, 65, 33),
        ({"steps_per_epoch": 3}, 65, 33),
        ({"batch_size": 8}, 65, 9),
        ({"batch_size": 64}, 65, 65),
        ({"validation_split": 0.5}, 33, 33),
    ],
)
def test_one_row_left_alone_is_said_once_with_what_to_write(given, rows, size):
    with pytest.warns(UserWarning, match=rf"^{rows} rows in batches.*BatchNorm.*\n  Write batch_size={size},") as said:
        model().fit(X, Y, epochs=2, verbose=0, **given)
    assert len([w for w in said if "alone" in str(w.message)]) == 1
    model().fit(X, Y, verbose=0, **given | {"batch_size": size})


def test_of_a_source_too():
    with pytest.warns(UserWarning, match="65 rows in batches of 32 leave one row alone"):
        model().fit(data.ArraySource(X, Y), verbose=0)


def test_nothing_is_said_where_no_row_stands_alone_or_no_layer_minds():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model().fit(X[:64], Y[:64], verbose=0)
        model().fit(X, Y, steps_per_epoch=2, verbose=0)
        frozen = model()
        frozen.freeze("layers.1")
        frozen.fit(X, Y, verbose=0)
        wide = Sequential([layers.Reshape((3, 1)), layers.BatchNormalization(), layers.Flatten(), layers.Dense(1)])
        wide.compile("sgd", "mse")
        wide.fit(X, Y, verbose=0)


def test_a_batch_that_is_computed_alone_is_refused_before_the_first_step():
    made = model(lambda y, p: jnp.mean((y - p) ** 2))
    made.build((None, 3))
    before = made.get_weights()
    with pytest.raises(ContractError, match=re.escape("65 rows in batches of 32 leave one row alone")):
        made.fit(X, Y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, made.get_weights(), strict=True))
