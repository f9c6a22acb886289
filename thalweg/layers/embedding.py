"""Embedding: a vector for each index of a vocabulary; and the way back from vectors to the vocabulary, tied to it."""

from typing import Any, ClassVar

import jax.numpy as jnp

from thalweg import ops, tree
from thalweg.core import Context, Module
from thalweg.errors import ContractError, nearest
from thalweg.layers.common import Activation, Constraint, Initializer, Regularizer, bias, finish, inside, weight
from thalweg.ranges import COUNT
from thalweg.types import Array, Float, Shaped


class Embedding(Module):
    """y = E[x]: row x of a table, for each index x.

    x: [batch, ...], whole numbers from 0 to input_dim - 1; E: `embeddings`, [input_dim, output_dim]; y: [batch, ...,
    output_dim]. Where the data reaches this layer as it is, `fit`, `evaluate` and `predict` look for an index out of
    range first. Inside a compiled program such an index gives NaN, which stops training at that step; no row is
    trained by it.

    Args:
        input_dim: how many indices there are: the largest one + 1.
        output_dim: the length of a vector.
        embeddings_initializer: of E.
        embeddings_regularizer: of E.
        embeddings_constraint: of E.
        mask_zero: whether index 0 is padding: the layers, the loss and the metrics behind look at the other steps only.
        padding_index: an index whose vector is 0 and stays so (PyTorch's `padding_idx`), or None.

    >>> import jax.numpy as jnp
    >>> from thalweg import core
    >>> params = {"embeddings": jnp.array([[1.0, 2.0], [3.0, 4.0]])}
    >>> core.apply(Embedding(2, 2), params, {}, jnp.array([[1, 0, 7]]))[0].tolist()
    [[[3.0, 4.0], [1.0, 2.0], [nan, nan]]]

    Bengio et al. 2003, "A neural probabilistic language model".
    """

    input_dim: int
    output_dim: int
    embeddings_initializer: Initializer = "uniform"
    embeddings_regularizer: Regularizer = None
    embeddings_constraint: Constraint = None
    mask_zero: bool = False
    padding_index: int | None = None

    limits: ClassVar = {"input_dim": COUNT, "output_dim": COUNT}

    def __call__(self, cx: Context, x: Shaped[Array, "batch ..."]) -> Float[Array, "batch ... size"]:
        """The layer on `x`; floats are read as the whole numbers they stand for."""
        if jnp.issubdtype(x.dtype, jnp.floating) and x.dtype.itemsize < 4:
            raise ContractError(
                f"{cx.name} {self!r} needs whole numbers; it received {x.dtype}, which holds them up to 256 only.\n"
                "  Give integers: x.astype('int32'), or Input(shape, dtype='int32')."
            )
        index = x.astype(jnp.int32)
        y = ops.embedding(weight(cx, "embeddings", (self.input_dim, self.output_dim)), index)
        if self.padding_index is not None:
            y = jnp.where((index == self.padding_index)[..., None], 0, y)
        return cx.masked(y, index != 0) if self.mask_zero else y

    def indices(self, port: int | str = 0) -> int:
        """Below which number the indices must be: what the contract holds the data against."""
        del port
        return self.input_dim


class TiedDense(Module):
    """y = activation(h E^T + b), with E the table of an Embedding of the same network: one weight, read twice.

    h: [batch, ..., output_dim]; E: [input_dim, output_dim]; b: `bias`, [input_dim]; y: [batch, ..., input_dim].

    Args:
        to: the path of the Embedding, as `summary()` shows it: "layers.0" in a Sequential or a graph, the name of the
            field in a module of your own. It is looked for beside this layer, then further up.
        activation: a name, a function, or None for logits.
        use_bias: whether b is there.
        bias_initializer: of b.
        bias_regularizer: of b.
        bias_constraint: of b.

    Raises:
        ContractError: there is no Embedding at `to`, or none that was called before.

    >>> import jax.numpy as jnp
    >>> from thalweg import core, layers, random
    >>> network = layers.Sequential([Embedding(9, 4), layers.LSTM(4, return_sequences=True), TiedDense("layers.0")])
    >>> params, state = core.init(network, random.key(0), jnp.zeros((1, 5), jnp.int32))
    >>> core.apply(network, params, state, jnp.zeros((1, 5), jnp.int32))[0].shape
    (1, 5, 9)

    Press and Wolf 2017, arXiv:1608.05859.
    """

    to: str
    activation: Activation = None
    use_bias: bool = True
    bias_initializer: Initializer = "zeros"
    bias_regularizer: Regularizer = None
    bias_constraint: Constraint = None

    axes: ClassVar[str] = "batch ... features"
    casts: ClassVar[bool] = True

    def __call__(self, cx: Context, x: Float[Array, "batch *rest features"]) -> Float[Array, "batch *rest units"]:
        """The layer on `x`."""
        table = self._table(cx)
        if table.shape[1] != x.shape[-1]:
            raise ValueError(
                f"vectors of {self.to} have {table.shape[1]} numbers.\n  Write Dense({table.shape[1]}) before it"
            )
        activation = inside(cx)
        return finish(cx, ops.linear(x, table.T, bias(cx, len(table)), activation), activation is not None)

    def _table(self, cx: Context) -> Array:
        call = cx.call
        known = dict(call.slots) if call.initialising else dict(tree.flatten(call.params or {}))
        for depth in reversed(range(len(cx.path))):
            table: Any = known.get((*cx.path[:depth], *self.to.split("."), "embeddings"))
            if table is not None:
                return (jnp.zeros(table.shape) if call.initialising else table).astype(call.policy.compute)
        tables = [".".join(path[:-1]) for path in known if path[-1] == "embeddings"]
        message = f"{cx.name} {self!r}: no Embedding was called at {self.to!r} before."
        raise ContractError(f"{message}\n  {nearest(self.to, tables)}")
