"""The three steps: what is given is checked before it becomes feeds; parts of the same arrays share the device."""

import numpy as np
import pytest

from thalweg import layers
from thalweg.errors import ContractError
from thalweg.model import Sequential
from thalweg.train import checked
from thalweg.train.feeds import blocks, feed, feeds
from thalweg.train.given import given

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = np.arange(20) % 2


@pytest.fixture
def training():
    model = Sequential([layers.Dense(2, "softmax", input_shape=(3,))])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model.session.training


def parts(training, what, holdout, **more):
    return checked.for_training(training, what, holdout, None, (), **{"class_weight": None, "seed": 0, **more})


def test_a_share_that_validates_is_not_copied(training):
    found = parts(training, given(X, Y), checked.Holdout(share=0.25))
    train, validation = feeds(found.train, found.validation)
    assert (len(train.rows), len(validation.rows), found.batch_size) == (15, 5, 15)
    assert train.data[0] is validation.data[0]
    assert sorted([*train.rows, *validation.rows]) == list(range(20))


def test_rows_given_apart_are_a_feed_of_their_own(training):
    found = parts(training, given(X, Y), checked.Holdout(given(X[:4] + 1, Y[:4])))
    train, validation = feeds(found.train, found.validation)
    assert (len(train.rows), len(validation.rows)) == (20, 4)
    assert train.data[0] is not validation.data[0]


def test_no_step_after_a_contract_that_does_not_hold(training):
    with pytest.raises(ContractError, match="labels outside 0 to 1"):
        checked.for_evaluation(training, given(X, Y + 5))
    with pytest.raises(ContractError, match="validation rows have labels outside"):
        parts(training, given(X, Y), checked.Holdout(given(X, Y + 5)))


@pytest.mark.parametrize("way", ["evaluation", "training"])
def test_weights_of_rows_and_of_classes_are_multiplied(training, way):
    what, by_class = given(X, Y, np.full(20, 2.0)), {0: 1.0, 1: 3.0}
    if way == "evaluation":
        one = checked.for_evaluation(training, what, by_class)
    else:
        one = parts(training, what, checked.Holdout(), class_weight=by_class).train
    np.testing.assert_array_equal(feed(one).data[2], np.where(Y == 1, 6.0, 2.0))


def test_blocks_have_one_shape_and_say_which_rows_are_real():
    rows = checked.for_prediction(None, given(X))
    made = list(blocks(rows, 8))
    assert [(block.shape, count) for block, count in made] == [((8, 3), 8), ((8, 3), 8), ((8, 3), 4)]
    np.testing.assert_array_equal(np.concatenate([block[:count] for block, count in made]), X)
    assert [block.shape for block, _ in blocks(rows)] == [(32, 3)]
