"""Cross-entropy from logits: of class numbers, and of shares."""

from thalweg.kernels import cross_entropy as kernels
from thalweg.types import Array, Float, Int


def of_classes(
    z: Float[Array, "... classes"], index: Int[Array, "..."]
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """(-log softmax(z)_index, z_index - mean(z)) over the last axis; an index out of range has z_index = 0.

    >>> import jax.numpy as jnp
    >>> [round(float(part[0]), 4) for part in of_classes(jnp.array([[0.0, 2.0]]), jnp.array([1]))]
    [0.1269, 1.0]
    """
    return kernels.sparse(z, index) if kernels.serves(z) else kernels.sparse_reference(z, index)


def cross_entropy(y: Float[Array, "... classes"], z: Float[Array, "... classes"]) -> Float[Array, "..."]:
    """-sum_k y_k log softmax(z)_k, for shares y of any sum.

    >>> import jax.numpy as jnp
    >>> round(float(cross_entropy(jnp.array([0.0, 1.0]), jnp.array([3.0, 3.0]))), 4)
    0.6931
    """
    return kernels.dense(z, y) if y.dtype == z.dtype and kernels.serves(z) else kernels.dense_reference(z, y)
