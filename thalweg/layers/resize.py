"""Layers that pad, crop and enlarge the spatial axes: channels last, [batch, *places, channels].

Of a sequence with a mask the real steps come out as they would alone: zeros are added, and steps taken away, at the
ends of what is real. The layers of pictures and volumes end a mask.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

from thalweg.core import Context, Module
from thalweg.errors import ConfigError
from thalweg.layers.mask import lengthened, of_sequence, shortened, where_real, written
from thalweg.ops import resize
from thalweg.ops.windows import spread
from thalweg.types import Array, Float, Shaped

Margins: TypeAlias = int | Sequence[int | Sequence[int]]
"""One number for all sides, one for each axis, or a pair (before, after) for each axis."""


def pairs(value: Margins, rank: int, name: str) -> tuple[tuple[int, int], ...]:
    """`value` as a pair for each of `rank` axes; of one axis, a pair may stand alone.

    >>> pairs((1, (0, 2)), 2, "padding")
    ((1, 1), (0, 2))
    """
    if isinstance(value, int):
        return ((value, value),) * rank
    parts: Any = (tuple(value),) if rank == 1 and len(value) == 2 else tuple(value)
    if len(parts) != rank:
        raise ConfigError(f"{name}={value!r} has {len(parts)} entries for {rank} axes.\n  Write one number, or {rank}.")
    lows_and_highs = (p if isinstance(p, tuple) else (p, p) for p in parts)
    return tuple((lo, hi) for lo, hi in lows_and_highs)


class ZeroPadding(Module):
    """Zeros before and after each spatial axis; `rank` axes.

    Args:
        padding: one number, one for each axis, or a pair (before, after) for each axis.
    """

    keeps_mask: ClassVar[bool] = False
    rank: ClassVar[int] = 0

    padding: Margins = 1

    def __call__(self, cx: Context, x: Shaped[Array, "batch *places channels"]) -> Shaped[Array, "batch *out channels"]:
        """The layer on `x`."""
        around, mask = pairs(self.padding, self.rank, "padding"), of_sequence(cx, x)
        return cx.masked(resize.zero_pad(where_real(x, mask), around), lengthened(mask, *around[0]))


class ZeroPadding1D(ZeroPadding):
    """Zeros before and after the steps of a sequence."""

    axes: ClassVar[str] = "batch steps channels"
    rank: ClassVar[int] = 1


class ZeroPadding2D(ZeroPadding):
    """Zeros around a picture."""

    axes: ClassVar[str] = "batch height width channels"
    rank: ClassVar[int] = 2


class ZeroPadding3D(ZeroPadding):
    """Zeros around a volume."""

    axes: ClassVar[str] = "batch depth height width channels"
    rank: ClassVar[int] = 3


class Cropping(Module):
    """The first and last places of each spatial axis taken away; `rank` axes.

    Args:
        cropping: one number, one for each axis, or a pair (before, after) for each axis.
    """

    keeps_mask: ClassVar[bool] = False
    rank: ClassVar[int] = 0

    cropping: Margins = 1

    def __call__(self, cx: Context, x: Shaped[Array, "batch *places channels"]) -> Shaped[Array, "batch *out channels"]:
        """The layer on `x`."""
        around = pairs(self.cropping, self.rank, "cropping")
        return cx.masked(resize.crop(x, around), shortened(of_sequence(cx, x), *around[0]))


class Cropping1D(Cropping):
    """Steps taken away at both ends of a sequence."""

    axes: ClassVar[str] = "batch steps channels"
    rank: ClassVar[int] = 1


class Cropping2D(Cropping):
    """The margins of a picture taken away."""

    axes: ClassVar[str] = "batch height width channels"
    rank: ClassVar[int] = 2

    cropping: Margins = 0


class Cropping3D(Cropping):
    """The margins of a volume taken away."""

    axes: ClassVar[str] = "batch depth height width channels"
    rank: ClassVar[int] = 3


class UpSampling1D(Module):
    """Each step of a sequence repeated `size` times."""

    axes: ClassVar[str] = "batch steps channels"
    keeps_mask: ClassVar[bool] = False

    size: int = 2

    def __call__(self, cx: Context, x: Shaped[Array, "batch steps channels"]) -> Shaped[Array, "batch more channels"]:
        """The layer on `x`."""
        return cx.masked(resize.repeat(x, (self.size,)), written(cx.mask_of(x), self.size, self.size))


class UpSampling2D(Module):
    """A picture enlarged.

    Args:
        size: how many times, one number or (vertically, horizontally).
        interpolation: "nearest" repeats places, "bilinear" draws lines between their centres.
    """

    axes: ClassVar[str] = "batch height width channels"
    keeps_mask: ClassVar[bool] = False
    casts: ClassVar[bool] = True

    size: int | Sequence[int] = 2
    interpolation: str = "nearest"

    def __call__(
        self, cx: Context, x: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch taller wider channels"]:
        """The layer on `x`."""
        if self.interpolation not in ("nearest", "bilinear"):
            raise ConfigError(f"interpolation={self.interpolation!r} is unknown.\n  Write 'nearest' or 'bilinear'.")
        enlarge = resize.repeat if self.interpolation == "nearest" else resize.bilinear
        return enlarge(x, spread(self.size, 2, "size"))


class UpSampling3D(Module):
    """A volume enlarged by repeating its places."""

    axes: ClassVar[str] = "batch depth height width channels"
    keeps_mask: ClassVar[bool] = False

    size: int | Sequence[int] = 2

    def __call__(
        self, cx: Context, x: Shaped[Array, "batch depth height width channels"]
    ) -> Shaped[Array, "batch deeper taller wider channels"]:
        """The layer on `x`."""
        return resize.repeat(x, spread(self.size, 3, "size"))
