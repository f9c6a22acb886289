"""Nested dicts of arrays, read and written by path."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from thalweg.types import Tree

Path = tuple[str, ...]


def get(tree: Mapping[str, Any], path: Path) -> Any:
    """The value at `path`; `KeyError` with the whole path when it is not there."""
    node: Any = tree
    for part in path:
        if not isinstance(node, Mapping) or part not in node:
            raise KeyError(".".join(path))
        node = node[part]
    return node


def find(tree: Mapping[str, Any], path: Path, default: Any) -> Any:
    """The value at `path`; `default` where nothing is there."""
    try:
        return get(tree, path)
    except KeyError:
        return default


def put(tree: dict[str, Any], path: Path, value: Any) -> None:
    """Write `value` at `path` of the nested dict `tree`, making the dicts on the way."""
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def flatten(tree: Mapping[str, Any], prefix: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each leaf of a nested dict with its path, in the dict's own order (`jax.tree` would sort the names).

    >>> list(flatten({"b": {"c": 1}, "a": 2}))
    [(('b', 'c'), 1), (('a',), 2)]
    """
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from flatten(value, (*prefix, name))
        else:
            yield (*prefix, name), value


def unflatten(leaves: Mapping[str, Any] | Iterator[tuple[Path, Any]]) -> dict[str, Any]:
    """The nested dict whose leaves are given by dotted name or by path: the inverse of `flatten`."""
    out: dict[str, Any] = {}
    pairs = leaves.items() if isinstance(leaves, Mapping) else leaves
    for path, value in pairs:
        put(out, tuple(path.split(".")) if isinstance(path, str) else path, value)
    return out


def by_name(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The leaves by dotted path: `{"layers.0.kernel": array}`."""
    return {".".join(path): value for path, value in flatten(tree)}


def map_named(function: Callable[[str, Any], Any], tree: Tree) -> Tree:
    """`function(dotted path, leaf)` on every leaf of a nested dict."""
    return jax.tree.map_with_path(lambda path, leaf: function(".".join(str(k.key) for k in path), leaf), tree)


def size(tree: Tree) -> int:
    """How many numbers the tree holds."""
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(tree))


def nbytes(tree: Tree) -> int:
    """How many bytes the tree's arrays take."""
    return sum(int(np.prod(leaf.shape)) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def spec(tree: Tree) -> Tree:
    """The shapes and dtypes of a tree, without its numbers."""
    return jax.tree.map(lambda a: jax.ShapeDtypeStruct(np.shape(a), jax.dtypes.result_type(a)), tree)


def shapes(tree: Tree) -> str:
    """The shapes of a batch for a message.

    >>> shapes((np.zeros((8, 28, 28)), np.zeros(8)))
    '([batch, 28, 28], [batch])'
    """
    parts = [_shape(leaf) for leaf in jax.tree.leaves(tree)]
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def _shape(leaf: Any) -> str:
    shape = np.shape(leaf)
    return f"[{', '.join(['batch', *map(str, shape[1:])])}]" if shape else "a number"


def merged(tree: Tree, updates: Mapping[Path, Any]) -> Tree:
    """`tree` with `updates` written in, keeping each dtype, so that a loop can carry the result."""
    out = jax.tree.map(lambda a: a, tree)
    for path, value in updates.items():
        put(out, path, value.astype(get(tree, path).dtype))
    return out
