"""Targets as a loss of classes takes them, and weights by class."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.errors import ContractError
from thalweg.losses import SparseCategoricalCrossentropy, loss
from thalweg.train.contract import Facts, adapted, class_weights

SPARSE, BINARY, ONE_HOT = "sparse_categorical_crossentropy", "binary_crossentropy", "categorical_crossentropy"


def weights(y, by_class, kind=SPARSE, output=(3,), names=None, whole=True):
    shape = jax.ShapeDtypeStruct((1, *output), jnp.float32)
    return class_weights(Facts(loss(kind), shape, None, y=np.asarray(y), whole=whole), by_class, names)


def test_adapted_labels_are_int32_and_other_targets_stay():
    assert adapted(loss(SPARSE), np.array([0.0, 2.0])).dtype == np.int32
    assert adapted(loss(SPARSE), jnp.array([0.0, 2.0])).tolist() == [0, 2]
    y = np.array([True, False])
    assert adapted(loss(BINARY), y) is y
    assert adapted(loss(SPARSE), None) is None


def test_labels_have_a_weight_each():
    assert weights([0, 2, 0], {0: 1, 2: 5}).tolist() == [1, 5, 1]
    assert weights([[0.0], [1.0]], {1: 3.0}).tolist() == [1, 3]
    assert weights([0, 1], {2: 4.0}).tolist() == [1, 1]  # a batch without one of the classes
    assert weights([0, 0, 0, 1], "balanced").tolist() == pytest.approx([2 / 3] * 3 + [2])
    assert weights([0, 1, 2], [2.0, 1.0, 3.0]).tolist() == [2, 1, 3]
    assert weights([2, 0], np.array([2.0, 1.0, 3.0])).tolist() == [3, 2]
    assert weights([1, 0], {"no": 2, "yes": 3}, BINARY, (1,), ("no", "yes")).tolist() == [3, 2]
    assert weights([True, False], {0: 2.0, 1: 3.0}, BINARY, (1,)).tolist() == [3, 2]
    assert weights([-1, 1], {-1: 2.0, 1: 3.0}, "hinge", (1,)).tolist() == [2, 3]
    assert weights([7, 9], {7: 2.0}, "triplet", (4,)).tolist() == [2, 1]
    assert weights([0, 1, 1], {1: 2.0}, "mse", (1,)).tolist() == [1, 2, 2]


def test_labels_of_steps_have_a_weight_for_each_step():
    steps = np.array([[0, 1], [2, 2]])
    expected = [[2, 1], [3, 3]]
    assert weights(steps, [2.0, 1.0, 3.0], output=(2, 3)).tolist() == expected
    assert weights(steps[..., None], [2.0, 1.0, 3.0], output=(2, 3)).tolist() == expected
    assert weights(np.eye(3)[steps], [2.0, 1.0, 3.0], ONE_HOT, (2, 3)).tolist() == expected
    assert weights(steps > 0, [2.0, 1.0], BINARY, (2, 1)).tolist() == [[2, 1], [1, 1]]
    pixels = np.array([[[0, 1], [2, 2]]])
    assert weights(pixels, [2.0, 1.0, 3.0], output=(2, 2, 3)).tolist() == [expected]


def test_shares_have_the_mean_weight_and_labels_side_by_side_one_each():
    assert weights(np.eye(3)[:2], {0: 2, 2: 9}, ONE_HOT).tolist() == [2, 1]
    assert weights([[0.25, 0.75, 0.0]], [2.0, 1.0, 3.0], ONE_HOT).tolist() == [1.25]
    several = np.array([[1, 1, 0], [0, 0, 0]])
    assert weights(several, [2.0, 1.0, 3.0], BINARY).tolist() == [[2, 1, 3]] * 2


def test_what_the_loss_ignores_is_no_class_to_balance():
    kind = SparseCategoricalCrossentropy(ignore_class=-1)
    assert weights([0, 0, 1, -1], "balanced", kind).tolist() == pytest.approx([0.75, 0.75, 1.5, 1])


BAD = {
    "no such class": ([0, 1], {3: 1.0}, {}, r"class 3; the classes are 0, 1, 2\.\n  Write class_weight="),
    "a text": ([0, 1], {"0": 1.0}, {}, "class '0'; the classes are 0, 1"),
    "no such text": ([0, 1], {"c": 1.0}, {"names": ("a", "b", "d")}, "class 'c'; the classes are 'a', 'b', 'd'"),
    "negative": ([0, 1], {0: -1.0}, {}, r"class 0 is -1\.0\.\n  Write a number of 0 or more"),
    "nan": ([0, 1], {0: np.nan}, {}, "class 0 is nan"),
    "no number": ([0, 1], {0: "a"}, {}, r"class 0 is 'a'\.\n  Write a number"),
    "none": ([0, 1], {0: None}, {}, r"class 0 is None\.\n  Write a number"),
    "fractions": ([0.5, 1.2], {0: 1.0}, {}, r"needs one class for each row or step; .*\n  Give sample_weight"),
    "real numbers": (np.zeros((2, 3)), {0: 1.0}, {"kind": "mse"}, "Give sample_weight"),
    "sequences": ([[0, 1]], {0: 1.0}, {"kind": "ctc", "output": (5, 3)}, "Give sample_weight"),
    "a short list": ([0, 1], [1.0], {}, r"list of shape \(1,\) for 3 classes\.\n  Write class_weight="),
    "a word": ([0, 1], "foo", {}, r"class_weight is 'foo', a str\.\n  Write class_weight="),
    "a number": ([0, 1], 3, {}, r"class_weight is 3, a int\.\n  Write class_weight="),
    "all 0": ([0, 1], [0, 0, 1], {}, r"every row the weight 0.*\n  Give one above 0"),
    "piece": ([0, 1], "balanced", {"whole": False}, r"does not go with a source.*\n  Write class_weight="),
    "side by side": ([[0, 1, 1]], "balanced", {"kind": BINARY}, r"does not go with labels side by side.*\n  Write"),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_class_weights_that_do_not_fit(case):
    y, by_class, how, message = case
    with pytest.raises(ContractError, match=message):
        weights(y, by_class, **how)
