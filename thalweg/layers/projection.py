"""The projections of multi-head attention: from sequences to the heads of queries, keys and values.

What is projected from one sequence stands side by side in one matrix: the queries', keys' and values' in the attention
of a sequence to itself, else the keys' and values'. `attended` gives them as `ops.attention` reads them, in one array
where they need not be turned by their positions.
"""

from typing import NamedTuple

import jax.numpy as jnp

from thalweg import ops, random
from thalweg.core import Context
from thalweg.layers.common import Initializer
from thalweg.ops.constraints import constraint
from thalweg.ops.initializers import initializer
from thalweg.ops.regularizers import regularizer
from thalweg.record import Record
from thalweg.types import Array, Dtype, Key

Memory = dict[str, Array]
JOINED = "query_key_value"
"""The projection of a sequence that attends to itself."""


class Heads(NamedTuple):
    """How many heads of queries and of keys, and the size of each."""

    queries: int
    groups: int
    key: int
    value: int


class Beside(Record):
    """Matrices side by side along the last axis, of these `widths`, each begun as `each` would begin it alone."""

    each: Initializer
    widths: tuple[int, ...]

    def __call__(self, key: Key[Array, ""], shape: tuple[int, ...], dtype: Dtype) -> Array:
        """The first value of a weight of `shape`."""
        begin = initializer(self.each)
        parts = [begin(random.fold(key, i), (*shape[:-1], n), dtype) for i, n in enumerate(self.widths)]
        return jnp.concatenate(parts, axis=-1)


def _weight(cx: Context, name: str, kind: str, shape: tuple[int, ...], widths: tuple[int, ...]) -> Array:
    """The parameter `name`: matrices or biases side by side, as the layer's settings for a "kernel" or "bias" say."""
    begin, cost, bound = (getattr(cx.module, f"{kind}_{what}") for what in ("initializer", "regularizer", "constraint"))
    return cx.param(name, Beside(begin, widths), shape, regularizer=regularizer(cost), constraint=constraint(bound))


def _weights(cx: Context, name: str, features: int, widths: tuple[int, ...]) -> tuple[Array, Array | None]:
    """W and b of a projection to parts of these widths, side by side.

    A layer has those of its first calls. Called the other way later, it takes them apart, or puts them together.
    """
    if not cx.call.initialising and not cx.has(f"{name}_kernel"):
        if name == JOINED and cx.has("query_kernel"):
            return _together(
                _weights(cx, "query", features, widths[:1]), _weights(cx, "key_value", features, widths[1:])
            )
        if name in ("query", "key_value") and cx.has(f"{JOINED}_kernel"):
            return _taken(name, sum(widths), _weights(cx, JOINED, features, _all_widths(cx.module.heads)))  # type: ignore[union-attr]
    kernel = _weight(cx, f"{name}_kernel", "kernel", (features, sum(widths)), widths)
    if not getattr(cx.module, "use_bias", True):
        return kernel, None
    return kernel, _weight(cx, f"{name}_bias", "bias", (sum(widths),), widths)


def _all_widths(heads: Heads) -> tuple[int, ...]:
    return heads.queries * heads.key, heads.groups * heads.key, heads.groups * heads.value


def _together(*parts: tuple[Array, Array | None]) -> tuple[Array, Array | None]:
    kernels, biases = zip(*parts, strict=True)
    return jnp.concatenate(kernels, axis=-1), None if biases[0] is None else jnp.concatenate(biases)


def _taken(name: str, width: int, joined: tuple[Array, Array | None]) -> tuple[Array, Array | None]:
    """The queries' columns, which are first, or the others."""
    columns = slice(None, width) if name == "query" else slice(-width, None)
    kernel, b = joined
    return kernel[:, columns], None if b is None else b[columns]


def projected(cx: Context, name: str, widths: tuple[int, ...], x: Array, shortcut: Array | None = None) -> Array:
    """The product x W + b, its parts side by side, and the shortcut added where there is one."""
    return ops.linear(x, *_weights(cx, name, x.shape[-1], widths), shortcut=shortcut)


def _in_heads(cx: Context, x: Array, heads: int, turning: Array | None = None) -> Array:
    """[batch, time, heads size] -> [batch, time, heads, size], turned by positions where the layer turns."""
    y = x.reshape(*x.shape[:2], heads, -1)
    rotary = getattr(cx.module, "rotary", None)
    return y if rotary is None or turning is None else rotary(cx, y, turning)


def positions_of(x: Array) -> Array:
    """The positions of its steps, from 0 on, [1, time]."""
    return jnp.arange(x.shape[1], dtype=jnp.int32)[None]


def queries_of(cx: Context, heads: Heads, x: Array, positions: Array) -> Array:
    """The queries' heads, [batch, time, heads, key]."""
    q = projected(cx, "query", (heads.queries * heads.key,), x)
    return _in_heads(cx, q, heads.queries, positions)


def memory_of(cx: Context, heads: Heads, value: Array, key: Array | None, positions: Array) -> Memory:
    """The heads of keys and values of another sequence; the keys are of `value` where `key` is None."""
    n, *_ = widths = heads.groups * heads.key, heads.groups * heads.value
    if key is None:
        k, v = jnp.split(projected(cx, "key_value", widths, value), [n], axis=-1)
    else:
        kernel, b = _weights(cx, "key_value", value.shape[-1], widths)
        k = ops.linear(key, kernel[:, :n], None if b is None else b[:n])
        v = ops.linear(value, kernel[:, n:], None if b is None else b[n:])
    return {"k": _in_heads(cx, k, heads.groups, positions), "v": _in_heads(cx, v, heads.groups)}


def _joinable(cx: Context, heads: Heads) -> bool:
    """Whether heads can be read where a projection to several of them put them."""
    return heads.key == heads.value and getattr(cx.module, "rotary", None) is None


def of_itself(cx: Context, heads: Heads, x: Array) -> Array:
    """The projection of x to queries, keys and values side by side."""
    return projected(cx, JOINED, _all_widths(heads), x)


def in_three(cx: Context, heads: Heads, joined: Array, positions: Array) -> tuple[Array, Memory]:
    """Queries, and keys and values, of what `of_itself` gave."""
    cuts = [heads.queries * heads.key, (heads.queries + heads.groups) * heads.key]
    q, k, v = jnp.split(joined, cuts, axis=-1)
    own = {"k": _in_heads(cx, k, heads.groups, positions), "v": _in_heads(cx, v, heads.groups)}
    return _in_heads(cx, q, heads.queries, positions), own


def attended(
    cx: Context, heads: Heads, query: Array, value: Array, key: Array | None
) -> tuple[Array, Array | None, Array | None]:
    """Queries, keys and values, in one array or two where projections give them so: see `ops.attention`."""
    positions = positions_of(query)
    if key is None and value is query:
        joined = of_itself(cx, heads, query)
        if _joinable(cx, heads):
            return _in_heads(cx, joined, heads.queries + 2 * heads.groups), None, None
        q, own = in_three(cx, heads, joined, positions)
        return q, own["k"], own["v"]
    q = queries_of(cx, heads, query, positions)
    if key is None and _joinable(cx, heads):
        joined = projected(cx, "key_value", (heads.groups * heads.key,) * 2, value)
        return q, _in_heads(cx, joined, 2 * heads.groups), None
    other = memory_of(cx, heads, value, key, positions_of(value))
    return q, other["k"], other["v"]
