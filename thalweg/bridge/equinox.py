"""An Equinox module as a `Network`."""

from collections.abc import Callable
from typing import Any

import jax

from thalweg.errors import missing_extra
from thalweg.record import Record
from thalweg.types import Array, Spec, Tree


class EquinoxNetwork(Record):
    """An Equinox module of one example, mapped over the batch: its inexact arrays are the parameters.

    Args:
        make: builds the module from a key.
        keyed: whether the module's call takes `key=`, as dropout does.

    Example:
        >>> import equinox as eqx
        >>> network = EquinoxNetwork(lambda key: eqx.nn.MLP(4, 3, 16, 2, key=key))
    """

    make: Callable[[Array], Any]
    keyed: bool = False

    def init(self, key: Array, spec: Spec) -> tuple[Tree, Tree]:
        """Parameters; Equinox knows its shapes, so `spec` is not read."""
        del spec
        eqx = _eqx()
        return eqx.filter(self.make(key), eqx.is_inexact_array), {}

    def apply(self, params: Tree, state: Tree, x: Tree, *, key: Array | None, train: bool) -> tuple[Tree, Tree]:
        """The module on each row; in evaluation without a key, and in inference mode."""
        eqx = _eqx()
        static = eqx.filter(self.make(jax.random.key(0)), eqx.is_inexact_array, inverse=True)
        module = eqx.nn.inference_mode(eqx.combine(params, static), not train)
        if not self.keyed:
            return jax.vmap(module)(x), state
        keys = jax.random.split(jax.random.key(0) if key is None else key, jax.tree.leaves(x)[0].shape[0])
        return jax.vmap(lambda row, k: module(row, key=k))(x, keys), state


def _eqx() -> Any:
    try:
        import equinox
    except ImportError as error:
        raise missing_extra("equinox", "bridge", "EquinoxNetwork") from error
    return equinox
