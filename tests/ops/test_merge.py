import jax.numpy as jnp
import numpy as np
import pytest

from thalweg.ops import merge

A, B = np.arange(6.0).reshape(2, 3), np.array([[3.0, -1, 2], [0, 5, 7]])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("add", A + B), ("average", (A + B) / 2), ("concatenate", np.concatenate([A, B], -1)),
        ("maximum", np.maximum(A, B)), ("multiply", A * B),
    ],
)  # fmt: skip
def test_by_name(name, expected):
    np.testing.assert_allclose(merge.merging(name)([jnp.asarray(A), jnp.asarray(B)]), expected)


def test_concatenated_arrays_differ_along_the_axis():
    joined = merge.concatenate([jnp.asarray(A), jnp.asarray(B[:, :1])])
    np.testing.assert_allclose(joined, np.concatenate([A, B[:, :1]], -1))


def test_an_axis_of_length_one_stretches():
    np.testing.assert_allclose(merge.add([jnp.asarray(A), jnp.asarray(B[:, :1])]), A + B[:, :1])


@pytest.mark.parametrize(
    ("function", "shapes", "message"),
    [
        (merge.add, [(2, 3), (2, 4)], r"must be equal, but for axes of length 1; they are \(2, 3\) and \(2, 4\)"),
        (merge.multiply, [(2, 3), (2, 1, 3)], "must be equal"),
        (merge.average, [], "they are none"),
        (merge.concatenate, [(2, 3), (4, 3)], "must agree but along axis -1"),
        (merge.subtract, [(2,)], "a difference takes two inputs, not 1"),
    ],
)
def test_shapes_that_do_not_fit(function, shapes, message):
    with pytest.raises(ValueError, match=message):
        function([jnp.zeros(shape) for shape in shapes])
