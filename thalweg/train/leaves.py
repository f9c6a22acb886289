"""The leaves of a training state as plain numbers, and back: what a checkpoint stores and how it is put in place.

A leaf is an array, a typed key (stored as its words), or a Python or NumPy number (stored as an array of no axes).
A network has many small ones and a file costs its milliseconds however small it is, so they share buffers of bytes.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.errors import ContractError
from thalweg.types import ShapeDtype, Tree

WIDE = ("int64", "uint64", "float64", "complex128")
BUFFER = 64 * 2**20
"""How many bytes a buffer holds, unless a single leaf is larger."""

Row = list[Any]
"""`[dotted name, shape, dtype]`, as JSON holds them."""


def rows(tree: Tree) -> list[Row]:
    """The name, shape and dtype of every leaf.

    >>> rows({"w": jnp.ones((2, 3)), "step": 4})
    [['step', [], 'int64'], ['w', [2, 3], 'float32']]
    """
    return [
        _row(jax.tree_util.keystr(path, simple=True, separator="."), leaf)
        for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]
    ]


def _row(name: str, leaf: Any) -> Row:
    seen = leaf if hasattr(leaf, "dtype") else np.asarray(leaf)
    if not (is_key(seen) or jnp.issubdtype(seen.dtype, np.number) or seen.dtype == np.bool_):
        raise ContractError(
            f"a checkpoint's arrays hold numbers; {name} is {leaf!r} ({seen.dtype}).\n"
            "  Put text and settings into meta."
        )
    return [name, list(seen.shape), str(seen.dtype)]


def is_key(leaf: Any) -> bool:
    """Whether a leaf is a typed random key."""
    return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def is_spread(leaf: Any) -> bool:
    """Whether several devices hold different parts of a leaf."""
    sharding = getattr(leaf, "sharding", None)
    return sharding is not None and not sharding.is_fully_replicated


def is_weak(leaf: Any) -> bool:
    """Whether a leaf is one number that yields to the dtype of what it meets, as a Python number does."""
    return getattr(leaf, "weak_type", False) and leaf.ndim == 0


def numbers(leaf: Any) -> Any:
    """A leaf as a plain array."""
    if is_key(leaf):
        return jax.random.key_data(leaf)
    return leaf if isinstance(leaf, jax.Array) else np.asarray(leaf)


def spec(leaf: Any) -> ShapeDtype:
    """What `numbers(leaf)` looks like, for a leaf that may itself be a `jax.ShapeDtypeStruct`."""
    if is_key(leaf):
        return jax.eval_shape(jax.random.key_data, leaf)
    leaf = leaf if hasattr(leaf, "dtype") else np.asarray(leaf)
    return ShapeDtype(leaf.shape, leaf.dtype, sharding=getattr(leaf, "sharding", None))


def divide(arrays: Sequence[Any]) -> tuple[list[list[int]], list[int]]:
    """Which arrays share a buffer, by their places in the list, and which are spread over devices and stay alone.

    >>> divide([np.ones(3), np.ones(2), np.ones(BUFFER, np.int8)])
    ([[0, 1], [2]], [])
    """
    together, size, spread = [[]], 0, []
    for i, array in enumerate(arrays):
        if is_spread(array):
            spread.append(i)
            continue
        if together[-1] and size + array.nbytes > BUFFER:
            together.append([])
            size = 0
        together[-1].append(i)
        size += array.nbytes
    return together, spread


def pack(arrays: Sequence[Any]) -> np.ndarray:
    """The bytes of `arrays`, one after the other; never none at all, which Orbax does not take."""
    return np.frombuffer(b"".join(array.tobytes() for array in jax.device_get(list(arrays))) or b"\0", np.uint8)


def unpack(buffer: np.ndarray, specs: Sequence[ShapeDtype]) -> Iterator[np.ndarray]:
    """The arrays that `pack` was given, as views of their bytes.

    >>> list(unpack(pack([np.int32([1, 2]), np.True_]), [ShapeDtype((2,), np.int32), ShapeDtype((), bool)]))
    [array([1, 2], dtype=int32), array(True)]
    """
    start = 0
    for spec in specs:
        end = start + spec.size * spec.dtype.itemsize
        yield buffer[start:end].view(spec.dtype).reshape(spec.shape)
        start = end


class Stored(NamedTuple):
    """A leaf's numbers off the device, and what they were there."""

    data: np.ndarray
    like: ShapeDtype
    weak: bool


def stored(tree: Tree) -> Tree:
    """`tree` off the device, where no program takes it over and any process can read it."""
    return jax.tree.map(lambda a: Stored(np.array(numbers(a)), ShapeDtype(a.shape, a.dtype), is_weak(a)), tree)


def restored(tree: Tree) -> Tree:
    """What `stored` was given, in memory of its own.

    >>> restored(stored({"w": jnp.ones(2)}))
    {'w': Array([1., 1.], dtype=float32)}
    """
    return jax.tree.map(
        lambda leaf: place(leaf.data, leaf.like, weak=leaf.weak), tree, is_leaf=lambda node: isinstance(node, Stored)
    )


def infinite(tree: Tree) -> set[int]:
    """The places of the leaves of a `stored` tree that hold a number that is not finite."""
    stored = jax.tree.leaves(tree, is_leaf=lambda node: isinstance(node, Stored))
    return {i for i, leaf in enumerate(stored) if not np.isfinite(leaf.data).all()}


def copied(tree: Tree) -> Tree:
    """`tree` in memory of its own."""
    return jax.tree.map(jnp.copy, tree)


def place(data: Any, like: Any, *, weak: bool) -> Any:
    """`data` as what `like` is: a NumPy array, a number, a typed key, or an array that lies where `like` lies.

    A `weak` one comes back weak, as JAX makes of a Python number, so that a resumed run promotes as before.
    """
    if isinstance(like, np.ndarray):
        return np.array(data)
    if isinstance(like, np.generic):
        return data[()]
    if not hasattr(like, "dtype"):
        return data.item()
    wide = data.dtype.name in WIDE  # the dtype is the leaf's own, whatever the caller's mode
    if is_key(like):
        data = jax.random.wrap_key_data(jnp.array(data), impl=_implementation(like))
    where = like.sharding if getattr(like, "committed", True) else None  # what JAX was free to move stays free
    with jax.enable_x64(wide):
        return jax.device_put(data.item() if weak else data, where)


def _implementation(key: Any) -> Any:
    """The generator of a typed key or of its spec: only a traced key tells it in both cases."""
    kinds = []
    jax.eval_shape(lambda k: kinds.append(jax.random.key_impl(k)), key)
    return kinds[0]
