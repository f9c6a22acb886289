"""Statistics (sums, norms, exponentials) are computed in at least float32, whatever the precision of the network.

A maximum keeps a NaN. `jnp.max` of 4,096 numbers and more loses it on a CPU under jaxlib 0.10.2 to 0.12, which give a
plain reduction to a library; see `docs/decisions/0014-reductions-that-xla-gives-away.md`.
"""

import functools

import jax
import jax.numpy as jnp

from thalweg.kernels.precision import rounded, unless_infinite, widen
from thalweg.types import Array, Float


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def largest(x: Float[Array, "..."], axes: tuple[int, ...]) -> Float[Array, "..."]:
    """The largest number along `axes`, which a NaN is; equal ones share the derivative.

    >>> largest(jnp.array([[1.0, jnp.nan], [3.0, 2.0]]), (1,)).tolist()
    [nan, 3.0]
    """
    return jax.lax.reduce(x, jnp.asarray(-jnp.inf, x.dtype), _larger, axes)


def _larger(a: Array, b: Array) -> Array:
    return jnp.where((a > b) | jnp.isnan(a), a, b)


@largest.defjvp
def _largest_jvp(axes: tuple[int, ...], primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (x_dot,) = primals, tangents
    y = largest(x, axes)
    there = (x == jnp.expand_dims(y, axes)) | jnp.isnan(x)
    count = jnp.sum(there, axes).astype(x.dtype)
    return y, jnp.sum(jnp.where(there, x_dot, 0), axes) / count


__all__ = ["largest", "rounded", "unless_infinite", "widen"]
