"""Statistics (sums, norms, exponentials) are computed in at least float32, whatever the precision of the network.

So are the sums that only the way back knows: a number that is read at many rows, places or steps has as its gradient
the sum over them, in the dtype in which it was read. In bfloat16 such a sum stands still at 256 times its terms, where
one more is less than half of its last digit. So what is read many times is widened where it is read.
"""

from collections.abc import Callable

import jax.numpy as jnp

from thalweg.types import Array, Float, Shaped

NARROW = (jnp.dtype(jnp.bfloat16), jnp.dtype(jnp.float16))

WIDENED = (jnp.dtype(jnp.float32), jnp.dtype(jnp.bfloat16))
"""What a native function of float32 serves: bfloat16 is widened before it, and its result rounded."""


def widen(x: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
    """`x` in float32, or as it is where it is wider or no float.

    >>> widen(jnp.ones(2, jnp.bfloat16)).dtype.name
    'float32'
    """
    return x.astype(jnp.float32) if x.dtype in NARROW else x


def unless_infinite(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """`x`, and NaN where it is infinite: for a divisor whose squares may overflow, since a number over it would be 0.

    >>> (1 / unless_infinite(jnp.array([2.0, jnp.inf]))).tolist()
    [0.5, nan]
    """
    return x + 0 * x  # infinity times 0 is NaN; a `where` would keep XLA from joining what is before it and after


def rounded(function: Callable[..., Array], x: Shaped[Array, "..."], *others: Shaped[Array, "..."]) -> Array:
    """`function(x, *others)` in at least float32, rounded once to the dtype of x; and so are its gradients.

    >>> import jax
    >>> of = jax.grad(lambda b: jnp.sum(rounded(jnp.add, jnp.ones((4096, 1), b.dtype), b), dtype=jnp.float32))
    >>> of(jnp.ones((1, 1), jnp.bfloat16)).item()
    4096.0
    """
    return function(*map(widen, (x, *others))).astype(x.dtype)
