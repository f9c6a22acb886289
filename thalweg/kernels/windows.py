"""The windows that slide over an input: the geometry that convolution and pooling share.

Along an axis of n places, with window size k, stride s, dilation d, and `lo` and `hi` places added before and after:

    window i reads the places  s i + d t - lo   for t = 0 .. k-1
    and there are  floor((n + lo + hi - reach) / s) + 1  windows, where reach = d (k - 1) + 1.

"valid" adds nothing. "same" adds what makes ceil(n / s) windows, the odd place at the end. "causal" adds d (k - 1) in
front, so that no window reads past its own place.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from thalweg.errors import nearest
from thalweg.types import Array, Float, Tree

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

CACHE = 2**21
"""Bytes of intermediate values in one block of a batch."""

PADDINGS = ("valid", "same", "causal")


class Windows(NamedTuple):
    """Where the windows lie: for each spatial axis their size, stride and dilation, and the places added around."""

    size: Sizes
    strides: Sizes
    dilation: Sizes
    pads: Pads

    @property
    def taps(self) -> int:
        """How many places one window reads."""
        return math.prod(self.size)

    def outputs(self, sizes: Sizes) -> Sizes:
        """How many windows there are along axes of `sizes`, padding included."""
        axes = zip(sizes, _reach(self.size, self.dilation), self.strides, self.pads, strict=True)
        return tuple((n + lo + hi - r) // s + 1 for n, r, s, (lo, hi) in axes)

    @property
    def plain(self) -> bool:
        """Whether each window is one place, and each place one window."""
        return self.taps == 1 and set(self.strides) == {1} and not any(itertools.chain(*self.pads))

    def planar(self) -> "Windows":
        """These windows over two axes, where they have one: the height is then 1."""
        if len(self.size) == 2:
            return self
        return Windows((1, *self.size), (1, *self.strides), (1, *self.dilation), ((0, 0), *self.pads))

    def numbers(self) -> np.ndarray:
        """Stride, dilation and places in front, of the height and of the width, as native functions take them."""
        axes = zip(self.strides, self.dilation, self.pads, strict=True)
        return np.array([n for s, d, (lo, _) in axes for n in (s, d, lo)], np.int64)

    def unpadded(self) -> "Windows":
        """These windows over an input that is padded already."""
        return self._replace(pads=((0, 0),) * len(self.size))


def spread(value: int | Sequence[int], rank: int, name: str) -> Sizes:
    """One number for all axes, or one for each.

    >>> spread(3, 2, "kernel_size")
    (3, 3)
    """
    sizes = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(sizes) != rank:
        raise ValueError(f"{name} has {len(sizes)} numbers for {rank} axes.\n  Write one number, or {rank}.")
    return sizes


def windows(
    sizes: Sizes,
    size: int | Sequence[int],
    strides: int | Sequence[int] = 1,
    padding: str | Pads = "valid",
    dilation: int | Sequence[int] = 1,
) -> Windows:
    """The windows of `size` over spatial axes of `sizes`.

    Args:
        sizes: the input's spatial shape.
        size: places per window.
        strides: places from one window to the next.
        padding: "valid", "same", "causal", or the places before and after each axis.
        dilation: places from one tap to the next.

    Raises:
        ValueError: the window is larger than the input, or `padding` is not known.

    >>> windows((5,), 3, 2, "same").outputs((5,))
    (3,)
    """
    k, s, d = (
        spread(value, len(sizes), name)
        for value, name in ((size, "the window"), (strides, "strides"), (dilation, "dilation_rate"))
    )
    around = pads(sizes, k, s, d, padding) if isinstance(padding, str) else tuple((lo, hi) for lo, hi in padding)
    placed = Windows(k, s, d, around)
    if min(placed.outputs(sizes), default=1) < 1:
        raise ValueError(
            f"windows of {_reach(k, d)} do not fit into {tuple(sizes)} places.\n"
            "  Write padding='same' or a smaller window."
        )
    return placed


def pads(sizes: Sizes, size: Sizes, strides: Sizes, dilation: Sizes, padding: str) -> Pads:
    """The places that `padding` adds before and after each axis."""
    kind = padding.lower()
    if kind not in PADDINGS:
        raise ValueError(f"unknown padding {padding!r}.\n  {nearest(kind, PADDINGS)}")
    if kind == "valid":
        return ((0, 0),) * len(sizes)
    if kind == "causal":
        return tuple((r - 1, 0) for r in _reach(size, dilation))
    axes = zip(sizes, _reach(size, dilation), strides, strict=True)
    missing = [max((math.ceil(n / s) - 1) * s + r - n, 0) for n, r, s in axes]
    return tuple((m // 2, m - m // 2) for m in missing)


def pad(x: Float[Array, "..."], w: Windows, value: float = 0.0) -> Float[Array, "..."]:
    """`x` with the places added that `w` asks for, each holding `value`; a negative number takes places away."""
    if not any(itertools.chain(*w.pads)):
        return x
    return jax.lax.pad(x, jnp.asarray(value, x.dtype), [(0, 0, 0), *((lo, hi, 0) for lo, hi in w.pads), (0, 0, 0)])


def views(x: Any, w: Windows) -> list[Any]:
    """What each tap of the windows reads from a padded `x`, [batch, *places, channels].

    Returns:
        One [batch, *outputs, channels] per tap, in row-major order of the taps.
    """
    outputs = w.unpadded().outputs(x.shape[1:-1])
    return [
        x[(slice(None), *(slice(o, o + (n - 1) * s + 1, s) for o, n, s in zip(start, outputs, w.strides, strict=True)))]
        for start in itertools.product(*(range(0, k * d, d) for k, d in zip(w.size, w.dilation, strict=True)))
    ]


def in_blocks(formula: Callable[[Tree], Array], x: Tree, numbers: int) -> Array:
    """`formula(x)` on a few rows of the batch at a time; its intermediate values take `numbers` numbers a row."""
    leaves = jax.tree.leaves(x)
    batch, width = leaves[0].shape[0], leaves[0].dtype.itemsize
    most = batch if numbers * batch * width <= CACHE else max(CACHE // (numbers * width), 1)
    rows = max((n for n in range(1, most + 1) if batch % n == 0), default=0)
    if rows == batch:
        return formula(x)
    once = jax.checkpoint(formula, prevent_cse=False)
    blocks = jax.tree.map(lambda a: a.reshape(-1, rows, *a.shape[1:]), x)
    _, y = jax.lax.scan(lambda _, block: (None, once(block)), None, blocks)
    return y.reshape(batch, *y.shape[2:])


def _reach(size: Sizes, dilation: Sizes) -> Sizes:
    return tuple(d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True))
