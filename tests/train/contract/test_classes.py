"""Targets as a loss of classes takes them, and the weight of each row by its class."""

import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.errors import ContractError
from thalweg.losses import loss
from thalweg.train.contract import adapted, class_weights


def test_adapted_labels_are_int32_and_other_targets_stay():
    assert adapted(loss("sparse_categorical_crossentropy"), np.array([0.0, 2.0])).dtype == np.int32
    assert adapted(loss("sparse_categorical_crossentropy"), jnp.array([0.0, 2.0])).tolist() == [0, 2]
    y = np.array([True, False])
    assert adapted(loss("binary_crossentropy"), y) is y
    assert adapted(loss("sparse_categorical_crossentropy"), None) is None


def test_class_weights_by_row():
    assert class_weights(np.array([0, 2, 0]), {0: 1, 2: 5}).tolist() == [1, 5, 1]
    assert class_weights(np.array([[0.0], [1.0]]), {1: 3.0}).tolist() == [1, 3]
    assert class_weights(np.eye(3)[:2], {0: 2, 2: 9}).tolist() == [2, 1]
    assert class_weights(np.array([0, 0, 0, 1]), "balanced").tolist() == pytest.approx([2 / 3] * 3 + [2])
    assert class_weights(np.array([0, 1]), None) is None


@pytest.mark.parametrize(
    ("y", "given", "message"),
    [
        ([0, 1], {2: 1.0}, r"class 2; the classes are 0, 1\.\n  Write one weight for each class"),
        ([0, 1], {"0": 1.0}, "class '0'; the classes are 0, 1"),
        ([0, 1], {0: -1.0}, r"class 0 is -1\.0\.\n  Write a number of 0 or more"),
        ([0, 1], {0: np.nan}, "class 0 is nan"),
        ([0.5, 1.2], {0: 1.0}, r"needs one class for each row; .*\n  Give sample_weight"),
        ([[0, 1], [1, 1]], {3: 1.0}, "class 3; the classes are 0, 1"),
        (np.zeros((2, 3, 4)), {0: 1.0}, "Give sample_weight"),
    ],
)
def test_class_weights_that_do_not_fit(y, given, message):
    with pytest.raises(ContractError, match=message):
        class_weights(np.asarray(y), given)
