"""Normalisation: x - mu over sigma, with the statistics of a batch, a row, a group of channels, or from outside.

    y = gamma (x - mu) / sqrt(var + epsilon) + beta

What differs between the kinds is the axes over which mu and var are taken. Statistics are taken in at least float32,
the variance in two passes: the mean of squares minus the square of the mean loses all digits where the mean is large.
"""

from typing import Any, TypeAlias

import jax

from thalweg.kernels import normalization as kernels
from thalweg.types import Array, Float

Axes: TypeAlias = int | tuple[int, ...]
Scale: TypeAlias = Float[Array, "..."] | None


def positive(axes: Axes, rank: int) -> tuple[int, ...]:
    """`axes` counted from the front and sorted.

    Raises:
        ValueError: there is no such axis.

    >>> positive((-1, 1), 4)
    (1, 3)
    """
    given = axes if isinstance(axes, tuple) else (axes,)
    if not all(-rank <= a < rank for a in given):
        raise ValueError(
            f"axis {axes} of an input with {rank} axes does not exist.\n  Write axes from {-rank} to {rank - 1}."
        )
    return tuple(sorted(a % rank for a in given))


def others(axes: Axes, rank: int) -> tuple[int, ...]:
    """All axes but `axes`."""
    return tuple(a for a in range(rank) if a not in positive(axes, rank))


def moments(
    x: Float[Array, "..."], axes: tuple[int, ...], rows: Float[Array, " batch"] | None = None
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Mean and variance (divided by n, not n - 1) over `axes`, which stay with size 1.

    Args:
        x: any shape.
        axes: over which.
        rows: a weight per row of the first axis, such as 0 for padding; all 1 where None.
    """
    return kernels.moments(x, axes, rows)


def reciprocal(d: Float[Array, "..."], axes: tuple[int, ...], epsilon: float) -> Float[Array, "..."]:
    """1 / sqrt(mean(d^2) + epsilon) over `axes`, which stay with size 1; NaN, not 0, where the squares overflow."""
    return kernels.reciprocal(d, axes, epsilon)


def affine(
    x: Float[Array, "..."], mu: Array, var: Array, gamma: Scale, beta: Scale, epsilon: float
) -> Float[Array, "..."]:
    """The map gamma (x - mu) / sqrt(var + epsilon) + beta, all of the rank of x; None means gamma 1 and beta 0."""
    return kernels.affine(x, mu, var, gamma, beta, epsilon)


def normalize(
    x: Float[Array, "..."],
    axes: tuple[int, ...],
    gamma: Scale = None,
    beta: Scale = None,
    epsilon: float = 1e-3,
    rows: Float[Array, " batch"] | None = None,
) -> tuple[Float[Array, "..."], Float[Array, "..."], Float[Array, "..."]]:
    """The map y = gamma (x - mu) / sqrt(var + epsilon) + beta, with mu and var taken over `axes`.

    Args:
        x: any shape.
        axes: over which the statistics are taken, counted from the front.
        gamma: of the rank of x, or None for 1.
        beta: likewise, or None for 0.
        epsilon: keeps the division finite.
        rows: see `moments`; without a gradient.

    Returns:
        y, and mu and var with size 1 at `axes`.
    """
    rows = None if rows is None else jax.lax.stop_gradient(rows)
    if _columns(axes, x, gamma, beta) and kernels.serves(x, gamma, beta):
        return kernels.by_column(x, gamma, beta, epsilon, rows)
    return kernels.normalized_by(x, axes, gamma, beta, epsilon, rows)


def along(axes: Axes, x: Array, *values: Scale) -> tuple[Any, ...]:
    """Each of `values`, whose axes are the `axes` of x, at the rank of x; None stays."""
    places = positive(axes, x.ndim)
    shape = [n if a in places else 1 for a, n in enumerate(x.shape)]
    return tuple(v if v is None else v.reshape(shape) for v in values)


def layer_norm(
    x: Float[Array, "..."], gamma: Scale = None, beta: Scale = None, axes: Axes = -1, epsilon: float = 1e-3
) -> Float[Array, "..."]:
    """Each row by itself: mu and var over `axes`, and gamma, beta along them. Ba et al. 2016, arXiv:1607.06450.

    >>> import jax.numpy as jnp
    >>> layer_norm(jnp.array([[1.0, 3.0]]), epsilon=0.0).tolist()
    [[-1.0, 1.0]]
    """
    places = positive(axes, x.ndim)
    if _last(places, x) and kernels.serves(x, gamma, beta):
        return kernels.by_row(x, len(places), gamma, beta, True, epsilon)
    return normalize(x, places, *along(places, x, gamma, beta), epsilon=epsilon)[0]


def layer_norm_beside(
    x: Float[Array, "..."], gamma: Scale = None, beta: Scale = None, axes: Axes = -1, epsilon: float = 1e-3
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """`layer_norm`, and x for a shortcut around what follows: on the way back one pass adds up both gradients.

    >>> import jax.numpy as jnp
    >>> [a.tolist() for a in layer_norm_beside(jnp.array([[1.0, 3.0]]), epsilon=0.0)]
    [[[-1.0, 1.0]], [[1.0, 3.0]]]
    """
    places = positive(axes, x.ndim)
    if _last(places, x) and kernels.serves(x, gamma, beta):
        return kernels.by_row_beside(x, len(places), gamma, beta, epsilon)
    return layer_norm(x, gamma, beta, axes, epsilon), x


def group_norm(
    x: Float[Array, "batch ..."],
    groups: int,
    gamma: Scale = None,
    beta: Scale = None,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> Float[Array, "batch ..."]:
    """Each row and group of channels by itself. Wu and He 2018, arXiv:1803.08494.

    Args:
        x: [batch, ...] with the channels at `axis`.
        groups: how many; -1 for one per channel (instance normalisation).
        gamma: [channels], or None.
        beta: [channels], or None.
        axis: of the channels.
        epsilon: keeps the division finite.

    Raises:
        ValueError: the channels cannot be split so.
    """
    (axis,) = positive(axis, x.ndim)
    channels = x.shape[axis]
    groups = channels if groups == -1 else groups
    if groups < 1 or channels % groups:
        best = max(g for g in range(1, max(groups, 1) + 1) if channels % g == 0)
        raise ValueError(f"{channels} channels cannot be split into {groups} groups.\n  Write groups={best}")
    split = (*x.shape[:axis], groups, channels // groups, *x.shape[axis + 1 :])
    grouped = x.reshape(split)
    scales = along((axis, axis + 1), grouped, gamma, beta)
    return normalize(grouped, others((0, axis), grouped.ndim), *scales, epsilon=epsilon)[0].reshape(x.shape)


def rms_norm(
    x: Float[Array, "..."], scale: Scale = None, axes: Axes = -1, epsilon: float = 1e-6
) -> Float[Array, "..."]:
    """Without a mean: y = scale x / sqrt(mean(x^2) + epsilon) over `axes`. Zhang and Sennrich 2019, arXiv:1910.07467.

    >>> import jax.numpy as jnp
    >>> rms_norm(jnp.array([[3.0, 3.0]]), epsilon=0.0).tolist()
    [[1.0, 1.0]]
    """
    places = positive(axes, x.ndim)
    if _last(places, x) and kernels.serves(x, scale):
        return kernels.by_row(x, len(places), scale, None, False, epsilon)
    (scale,) = along(places, x, scale)
    return kernels.root_mean_square(x, places, scale, epsilon)


def _last(axes: tuple[int, ...], x: Array) -> bool:
    return axes == tuple(range(x.ndim - len(axes), x.ndim))


def _columns(axes: tuple[int, ...], x: Array, *scales: Scale) -> bool:
    row = (*(1,) * (x.ndim - 1), x.shape[-1])
    return x.ndim > 1 and axes == tuple(range(x.ndim - 1)) and all(s is None or s.shape == row for s in scales)
