import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import tree

TREE = {"b": {"d": np.ones((2, 3), np.float32), "c": np.zeros(4, np.int8)}, "a": np.float64(1)}


def test_flatten_keeps_the_order_of_the_dict():
    assert [path for path, _ in tree.flatten(TREE)] == [("b", "d"), ("b", "c"), ("a",)]


def test_unflatten_is_the_inverse():
    assert tree.unflatten(tree.flatten(TREE)) == TREE
    assert tree.unflatten(tree.by_name(TREE)) == TREE
    assert list(tree.unflatten(tree.by_name(TREE))) == ["b", "a"]


def test_get_and_put():
    made = {}
    tree.put(made, ("x", "y"), 1)
    tree.put(made, ("x", "z"), 2)
    assert made == {"x": {"y": 1, "z": 2}}
    assert tree.get(made, ("x", "z")) == 2
    assert tree.get(made, ()) is made
    for path, message in ((("x", "w"), "x.w"), (("x", "y", "v"), "x.y.v")):
        with pytest.raises(KeyError, match=message):
            tree.get(made, path)


def test_find_gives_a_default_where_nothing_is():
    assert tree.find(TREE, ("a",), None) == 1
    assert tree.find(TREE, ("b", "x"), {}) == {}
    assert tree.find(TREE, ("a", "x"), None) is None


def test_map_named_sees_each_path():
    names = tree.by_name(tree.map_named(lambda name, leaf: f"{name} {leaf.shape}", TREE))
    assert names == {"b.d": "b.d (2, 3)", "b.c": "b.c (4,)", "a": "a ()"}


def test_size_nbytes_and_spec():
    assert tree.size(TREE) == 11
    assert tree.nbytes(TREE) == 6 * 4 + 4 * 1 + 8
    assert tree.spec(TREE)["b"]["c"] == jax.ShapeDtypeStruct((4,), jnp.int8)
    assert tree.size({}) == tree.nbytes({}) == 0
