import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.errors import ConfigError
from thalweg.record import MAX_DEPTH, Record, from_json, resolve, to_json


class Leaf(Record):
    size: int
    rate: float = 0.5
    name: str | None = None
    flag: bool = True


class Branch(Record):
    parts: tuple = ()
    first: object = None


ALLOWED = {"Leaf": Leaf, "Branch": Branch}

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
leaves = st.builds(Leaf, st.integers(), st.floats(allow_nan=False), st.none() | st.text(max_size=5), st.booleans())
values = st.recursive(
    plain | leaves,
    lambda inner: st.builds(Branch, st.lists(inner, max_size=3), inner) | st.lists(inner, max_size=3).map(tuple),
    max_leaves=8,
)


@given(values)
@settings(max_examples=60, deadline=None)
def test_repr_and_json_come_back(value):
    assert eval(repr(value), {**ALLOWED, "inf": math.inf}) == value
    back = from_json(json.loads(json.dumps(to_json(value))), ALLOWED)
    assert back == value
    assert repr(back) == repr(value)
    assert hash(back) == hash(value)


def test_lists_and_numpy_values_become_plain():
    made = Branch([1, [2, 3]], np.array([4, 5]))
    assert made == Branch((1, (2, 3)), (4, 5))
    assert type(Leaf(np.int64(3)).size) is int
    assert type(Leaf(1, np.float32(0.25)).rate) is float
    hash(made)


def test_repr_shows_what_differs_from_the_defaults():
    assert repr(Leaf(3)) == "Leaf(3)"
    assert repr(Leaf(3, name="a", flag=False)) == "Leaf(3, name='a', flag=False)"
    assert repr(Leaf(3, 0.5)) == "Leaf(3)"
    assert repr(Branch((Leaf(1),))) == "Branch((Leaf(1),))"


def test_a_default_of_another_type_is_shown():
    """1 equals True and 0 equals 0.0; what prints alike must be alike."""
    assert repr(Leaf(3, flag=1)) == "Leaf(3, flag=1)"
    assert to_json(Leaf(3, flag=1)) == {"type": "Leaf", "size": 3, "flag": 1}


def test_records_are_frozen():
    with pytest.raises(AttributeError):
        Leaf(1).size = 2


def test_equality_is_by_class_and_value():
    class Other(Record):
        size: int

    assert Leaf(1) == Leaf(1)
    assert Leaf(1) != Leaf(2)
    assert Leaf(1) != Other(1)


@pytest.mark.parametrize("value", [print, object(), {1, 2}, Branch((), print)])
def test_what_cannot_be_stored(value):
    with pytest.raises(ConfigError, match=r"cannot be stored in a file.*\n  Write a known name"):
        to_json(value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"type": "os.system", "size": 1}, r"'os.system' is not on the allow-list"),
        ({"type": "Lef", "size": 1}, "Did you mean 'Leaf'"),
        ({"size": 1}, "None is not on the allow-list"),
        ({"type": ["Leaf"]}, "is not on the allow-list"),
        ({"type": "Leaf", "size": 1, "colour": 2}, "the stored Leaf does not fit this version: .*colour"),
        ({"type": "Leaf"}, "does not fit this version"),
        ({"type": "Branch", "first": {"type": "Evil"}}, "'Evil' is not on the allow-list"),
    ],
)
def test_what_is_not_loaded(data, message):
    with pytest.raises(ConfigError, match=message):
        from_json(data, ALLOWED)


def test_depth_is_bounded():
    nested = []
    for _ in range(MAX_DEPTH + 1):
        nested = [nested]
    with pytest.raises(ConfigError, match="nests deeper than"):
        from_json(nested, ALLOWED)


def test_resolve():
    table = {"small": lambda: Leaf(1), "large": lambda: Leaf(9)}
    assert resolve("Small", table, "leaf") == Leaf(1)
    assert resolve(Leaf(5), table, "leaf") == Leaf(5)
    assert resolve(None, table, "leaf") is None
    with pytest.raises(ConfigError, match=r"unknown leaf 'smal'.\n  Did you mean 'small'"):
        resolve("smal", table, "leaf")
    with pytest.raises(ConfigError, match="Known: large, small"):
        resolve("qqq", table, "leaf")
