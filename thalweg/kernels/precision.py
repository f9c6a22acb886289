"""Statistics (sums, norms, exponentials) are computed in at least float32, whatever the precision of the network."""

import jax.numpy as jnp

from thalweg.types import Array, Float

WIDENED = (jnp.dtype(jnp.float32), jnp.dtype(jnp.bfloat16))
"""What a native function of float32 serves: bfloat16 is widened before it, and its result rounded."""


def widen(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """`x` in float32, or as it is where it is wider.

    >>> widen(jnp.ones(2, jnp.bfloat16)).dtype.name
    'float32'
    """
    return x if jnp.finfo(x.dtype).bits >= 32 else x.astype(jnp.float32)
