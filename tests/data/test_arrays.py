"""as_arrays: the numbers stay, the dtype is what a network takes, the memory is taken once."""

import decimal
import fractions
import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from thalweg.data import aligned, as_arrays
from thalweg.errors import DataError


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        ([1.5, 2.5], "float32", [1.5, 2.5]),
        ((1, 2, 3), "int32", [1, 2, 3]),
        (((1, 2), (3, 4)), "int32", [[1, 2], [3, 4]]),
        ([True, False], "bool", [True, False]),
        (range(3), "int32", [0, 1, 2]),
        (np.array([0.1, 1e-3]), "float32", np.float32([0.1, 1e-3])),
        (np.array([1, 2**31 - 1]), "int32", [1, 2**31 - 1]),
        (np.array([7], np.uint32), "int32", [7]),
        (np.array([255], np.uint8), "uint8", [255]),
        (np.array([-3], np.int16), "int16", [-3]),
        (np.array([0.5], np.float16), "float16", [0.5]),
        (pd.Series([1.0, 2.0], name="a"), "float32", [1, 2]),
        (pd.Index([4, 5]), "int32", [4, 5]),
        (pd.DataFrame({"a": [1.5, 2.5], "b": [3, 4], "c": [True, False]}), "float32", [[1.5, 3, 1], [2.5, 4, 0]]),
        (pd.DataFrame({"a": [1, 2], "b": [3, 4]}), "int32", [[1, 3], [2, 4]]),
        ([np.float32([1, 2]), np.float32([3, 4])], "float32", [[1, 2], [3, 4]]),
        (jnp.float32([1, 2]), "float32", [1, 2]),
        (np.array([1.5, 2], object), "float32", [1.5, 2]),
        (np.array([1, True], object), "int32", [1, 1]),
        ([decimal.Decimal("1.5"), fractions.Fraction(1, 4)], "float32", [1.5, 0.25]),
        (pd.DataFrame({"a": [decimal.Decimal("1.5")], "b": [3]}), "float32", [[1.5, 3]]),
        (jnp.bfloat16([1, 2]), "bfloat16", [1, 2]),
    ],
)
def test_what_people_have(value, dtype, expected):
    array = as_arrays(value)
    assert array.dtype == jnp.dtype(dtype)
    np.testing.assert_array_equal(np.asarray(array).astype(np.float64), np.asarray(expected, np.float64))


def test_structures():
    x, y = np.zeros((4, 2)), np.zeros((4, 3))
    assert as_arrays(None) is None
    assert [a.shape for a in as_arrays((x, y))] == [(4, 2), (4, 3)]
    assert as_arrays({"left": x, "right": [1, 2]})["right"].dtype == np.int32
    assert [a.shape for a in as_arrays([x, y])] == [(4, 2), (4, 3)]  # as rows they would be ragged
    assert as_arrays([x, x]).shape == (2, 4, 2)
    assert [a.shape for a in as_arrays([x, x], rows=4)] == [(4, 2), (4, 2)]
    assert as_arrays([x, x], rows=2).shape == (2, 4, 2)
    assert as_arrays([x, x, x, x], rows=4).shape == (4, 4, 2)  # either would do: rows it is


def test_float64_on_request():
    assert as_arrays([0.1], np.float64).tolist() == [0.1]
    assert as_arrays(pd.DataFrame({"a": [0.1], "b": [1]}), np.float64).tolist() == [[0.1, 1.0]]
    with jax.enable_x64(True):
        wide = jnp.float64([0.1])
        assert as_arrays(wide).dtype == np.float32
        assert as_arrays(wide, np.float64) is wide


def test_torch_tensors():
    torch = pytest.importorskip("torch", reason="PyTorch is an extra of its own")
    assert as_arrays(torch.tensor([1.5], requires_grad=True)).tolist() == [1.5]
    assert as_arrays(torch.tensor([2], dtype=torch.int64)).dtype == np.int32
    assert as_arrays(torch.tensor([1.5]).bfloat16()).dtype == jnp.bfloat16
    assert as_arrays([torch.tensor([1.0]), torch.tensor([2.0])]).tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize("wide", [np.float64, np.int64])
def test_converted_arrays_are_shared_with_the_device(wide):
    narrow = as_arrays(np.arange(30_000).reshape(100, 300).astype(wide))
    assert jax.device_put(narrow).unsafe_buffer_pointer() == narrow.ctypes.data
    off = aligned((30_001,), narrow.dtype)[1:]  # the control: four bytes further on it is copied
    assert jax.device_put(off).unsafe_buffer_pointer() != off.ctypes.data


def test_conversion_takes_no_second_copy():
    wide = np.ones((1000, 1000))
    tracemalloc.start()
    narrow = as_arrays(wide)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < narrow.nbytes * 1.05


def test_arrays_that_fit_are_not_copied():
    array = np.ones((3, 2), np.float32)
    assert as_arrays(array) is array
    assert as_arrays(values := jnp.ones(3)) is values


SPARSE = type("csr_matrix", (), {"toarray": lambda self: None})()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1, 2], [3]], r"row 1 has length or shape 1, row 0 has 2\.\n  Rows need one shape"),
        ([np.zeros(2), np.zeros(3)], r"row 1 has length or shape \(3,\), row 0 has \(2,\)"),
        (["cat", "dog"], r"texts such as 'cat'.*\n.*encode_labels\(x\)"),
        (np.array([1, None], object), r"x: row 1 holds None; a network takes numbers\.\n  Fill it in"),
        (np.ma.masked_array([1.0, 2.0], [False, True]), r"x: row 1 holds None"),
        (pd.DataFrame({"a": np.array([1, None], object)}), r"x: column 'a': row 1 holds None; .*\n  Fill it in"),
        ([fractions.Fraction(10**400)], r"row 0 holds Fraction\(1000"),
        ([[1, "a"], [2, "b"]], "texts such as '1'"),
        (np.array([[1, 2], [3, "b"]], object), "row 1 holds 'b'"),
        (np.array([1j]), r"dtype complex128.*\n  .*x\.real"),
        (jnp.array([1j]), r"dtype complex64.*\n  .*x\.real"),
        (np.array(["2020-01-01"], "M8[D]"), r"dtype datetime64"),
        (3.5, r"single value 3\.5.*\n  Write \[x\]"),
        ((i for i in range(3)), "generator, which is not an array"),
        (SPARSE, r"csr_matrix, .*\n.*toarray"),
        ({1, 2}, "is a set"),
        (np.array([2**40]), "integer 1099511627776, beyond int32"),
        (np.array([-(2**40)]), "integer -1099511627776"),
        (np.array([1.0, 1e300]), r"a number beyond float32 \(at most 3\.4e\+38\)"),
        (pd.DataFrame({"a": [1.0], "city": ["Oslo"]}), r"column 'city' holds .* not numbers\.\n.*TableEncoder"),
        ({"left": [[1], [1, 2]]}, r"x\['left'\]"),
    ],
)
def test_what_cannot_be_read(value, message):
    with pytest.raises(DataError, match="(?s)" + message):
        as_arrays(value)


def test_infinity_stays_infinite():
    assert as_arrays(np.array([np.inf, np.nan])).tolist()[0] == np.inf
