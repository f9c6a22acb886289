"""Adam's update of one parameter, native: one pass over memory, on all cores.

    m += (1 - b1) (g - m);   v += (1 - b2) (g^2 - v);   u = -alpha m / (sqrt(v) + epsilon)

Parameters too large for the caches are left to XLA, which adds u to the parameter in the same pass.
"""

import jax.numpy as jnp

from thalweg.kernels import library
from thalweg.types import Array

SMALLEST, LARGEST = 2**14, 2**20


def serves(g: Array) -> bool:
    """Whether the native function runs for this gradient."""
    return g.dtype == jnp.float32 and SMALLEST <= g.size <= LARGEST and library.serves()


def reference(g: Array, m: Array, v: Array, alpha: Array, b1: Array, b2: Array, epsilon: Array) -> tuple[Array, ...]:
    """The equation."""
    m = m + (1 - b1) * (g - m)
    v = v + (1 - b2) * (g * g - v)
    return -alpha * m / (jnp.sqrt(v) + epsilon), m, v


def native(g: Array, m: Array, v: Array, alpha: Array, b1: Array, b2: Array, epsilon: Array) -> tuple[Array, ...]:
    """The native function, `(u, m, v)`; m and v take the memory of the old ones."""
    numbers = jnp.stack([alpha, b1, b2, epsilon])
    return tuple(library.call("adam", library.like(g, m, v), g, m, v, numbers, aliases={1: 1, 2: 2}))


def adam(g: Array, m: Array, v: Array, alpha: Array, b1: Array, b2: Array, epsilon: Array) -> tuple[Array, ...]:
    """`(u, m, v)` by whichever is the faster."""
    return (native if serves(g) else reference)(g, m, v, alpha, b1, b2, epsilon)
