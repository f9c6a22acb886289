"""A Flax NNX module as a `Network`."""

from collections.abc import Callable
from typing import Any

import jax

from thalweg.errors import missing_extra
from thalweg.record import Record
from thalweg.types import Array, Spec, Tree


class FlaxNetwork(Record):
    """A Flax NNX module: its `Param`s are the parameters, everything else it holds is the state.

    Args:
        make: builds the module from `nnx.Rngs`; it must take no other argument.

    Example:
        >>> from flax import nnx
        >>> network = FlaxNetwork(lambda rngs: nnx.Linear(4, 3, rngs=rngs))
    """

    make: Callable[[Any], Any]

    def init(self, key: Array, spec: Spec) -> tuple[Tree, Tree]:
        """Parameters and state; NNX knows its shapes, so `spec` is not read."""
        del spec
        nnx = _nnx()
        _, params, state = nnx.split(self.make(nnx.Rngs(key)), nnx.Param, ...)
        return params, state

    def apply(self, params: Tree, state: Tree, x: Tree, *, key: Array | None, train: bool) -> tuple[Tree, Tree]:
        """The module's output, and its state after the call."""
        nnx = _nnx()
        graph = nnx.split(nnx.eval_shape(lambda: self.make(nnx.Rngs(0))), nnx.Param, ...)[0]
        params, state = jax.tree.map(
            lambda leaf: leaf, (params, state)
        )  # variables of this trace, which may be written
        module = nnx.merge(graph, params, state)
        module.train() if train else module.eval()
        if key is not None:
            nnx.reseed(module, default=key)
        return module(x), nnx.split(module, nnx.Param, ...)[2]


def _nnx() -> Any:
    try:
        from flax import nnx
    except ImportError as error:
        raise missing_extra("flax", "bridge", "FlaxNetwork") from error
    return nnx
