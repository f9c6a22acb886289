"""Weights: a network's parameters and statistics, made from a seed, read by name, exchanged for others."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import jax.numpy as jnp
import numpy as np

from thalweg import random, tree
from thalweg.core import Module, ModuleNetwork, Network, Slot, drawn, init, walk
from thalweg.core.face import Owner, holder
from thalweg.errors import ContractError
from thalweg.tree import Path
from thalweg.types import Array, Spec, Tree


def initial(
    network: Network, seed: int, spec: Spec, known: Mapping[Path, Owner] = MappingProxyType({})
) -> tuple[Tree, Tree]:
    """The network's parameters and state under a seed; copies of what it is, of each layer that is `known` by place.

    Raises:
        ContractError: such a layer was built for other inputs.
    """
    key = random.fold(random.key(seed), "init")
    if not known:
        return network.init(key, spec)
    assert isinstance(network, ModuleNetwork)
    layers = dict(walk(network.module))

    def made(*parts: tuple[Slot, ...]) -> Callable[[Any], list[Tree]]:
        new = [tuple(slot for slot in part if holder(layers, slot.path) not in known) for part in parts]
        old = [
            {slot.path: _built(slot, layers, known, kind) for slot in part if slot not in new[kind]}
            for kind, part in enumerate(parts)
        ]
        return lambda key: [
            tree.unflatten(iter({**dict(tree.flatten(fresh)), **there}.items()))
            for fresh, there in zip(drawn(*new)(key), old, strict=True)
        ]

    return init(network.module, key, spec, policy=network.policy, made=made)


def _built(slot: Slot, layers: Mapping[Path, Module], known: Mapping[Path, Owner], kind: int) -> Array:
    place = holder(layers, slot.path)
    there, below = known[place], slot.path[len(place) :]
    array = there.read(below) if below in (there.params, there.variables)[kind] else None
    if array is None or array.shape != tuple(slot.shape):
        has = "none of this name" if array is None else f"one of {array.shape}"
        raise ContractError(
            f"{layers[place]!r:.200} needs an array {'.'.join(below)} of shape {tuple(slot.shape)} here; it was built\n"
            f"  in another model, with {has}. Write a new layer for these inputs, or give it inputs of the same shape."
        )
    return jnp.asarray(array, slot.dtype)


class Fitting(dict[Path, Slot]):
    """Slots as a network asks for them, each held against the `arrays` that are to fill them: it goes no further."""

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        dict.__init__(self)
        self.arrays = arrays

    def setdefault(self, path: Path, slot: Slot) -> Slot:  # type: ignore[override]
        """Take a slot.

        Raises:
            ContractError: no array is there for it, or one of another shape.
        """
        name = ".".join(path)
        if name not in self.arrays or np.shape(self.arrays[name]) != tuple(slot.shape):
            there = "none is there" if name not in self.arrays else f"it has {np.shape(self.arrays[name])}"
            raise ContractError(
                f"the network has an array {name:.200} of shape {slot.shape}; {there}.\n"
                "  Give the weights of a network with the same layers, in the same order."
            )
        return dict.setdefault(self, path, slot)


def fitted(network: ModuleNetwork, spec: Spec, arrays: Mapping[str, Any]) -> tuple[Tree, Tree]:
    """The network's parameters and state, of `arrays` by dotted path; nothing is made that is larger than they are.

    Raises:
        ContractError: other names, or another shape.
    """

    def made(*parts: tuple[Slot, ...]) -> Callable[[Any], tuple[Tree, ...]]:
        taken = {".".join(slot.path) for slots in parts for slot in slots}
        if unknown := sorted(set(arrays) - taken):
            raise ContractError(
                f"the network has no array {', '.join(unknown[:5]):.200}.\n  Use the same architecture."
            )
        filled = tuple(tree.unflatten((s.path, _filled(s, arrays)) for s in slots) for slots in parts)
        return lambda _: filled

    return init(network.module, random.key(0), spec, policy=network.policy, made=made, slots=lambda: Fitting(arrays))


def _filled(slot: Slot, arrays: Mapping[str, Any]) -> Any:
    array = arrays[".".join(slot.path)]
    if np.iscomplexobj(array):
        raise ContractError(
            f"{'.'.join(slot.path):.200} is {array.dtype}; the network keeps {slot.dtype}.\n  Give real numbers."
        )
    return jnp.asarray(array, slot.dtype)


def order(params: Tree, state: Tree) -> tuple[str, ...]:
    """The dotted paths of parameters and statistics, layer by layer, as the trees hold them.

    The order in which a network makes them is that of its first trees. A compiled program gives its trees back with
    their keys sorted: "layers.10" before "layers.2".
    """
    paths = tuple(_arrays(params, state))
    layers = {layer: i for i, layer in enumerate(dict.fromkeys(map(_layer, paths)))}
    return tuple(sorted(paths, key=lambda path: layers[_layer(path)]))


def named(params: Tree, state: Tree, paths: Sequence[str]) -> dict[str, np.ndarray]:
    """Parameters and statistics by dotted path, as copies, in the order of `paths`."""
    values = _arrays(params, state)
    return {path: np.array(values[path]) for path in paths}


def replaced(
    params: Tree, state: Tree, paths: Sequence[str], weights: Sequence[Any] | Mapping[str, Any]
) -> tuple[Tree, Tree]:
    """`params` and `state` with other numbers; names and shapes must be the same.

    Args:
        params: the parameters.
        state: the network's state.
        paths: the names in order.
        weights: a list in that order, or a dict by name.

    Raises:
        ContractError: other names, another number of arrays, or another shape.
    """
    if not isinstance(weights, Mapping):
        if len(weights) != len(paths):
            raise ContractError(
                f"the network has {len(paths)} arrays; {len(weights)} were given.\n  In order: {', '.join(paths)}."
            )
        weights = dict(zip(paths, weights, strict=True))
    unknown = sorted(set(weights) ^ set(paths))
    if unknown:
        raise ContractError(
            f"the weights do not fit: {', '.join(unknown[:5])} on one side only.\n  Use the same architecture."
        )
    old = _arrays(params, state)
    for name, value in weights.items():
        if np.shape(value) != old[name].shape:
            raise ContractError(
                f"{name} has shape {old[name].shape}; the given array has {np.shape(value)}.\n"
                "  Give the weights of a network with the same layers, in the same order."
            )
    new = {name: jnp.asarray(value, old[name].dtype) for name, value in weights.items()}
    params = tree.map_named(lambda name, _: new[name], params)
    if "variables" in state:
        state = {**state, "variables": tree.map_named(lambda name, _: new[name], state["variables"])}
    return params, state


def _arrays(params: Tree, state: Tree) -> dict[str, Any]:
    variables = state.get("variables", {}) if isinstance(state, dict) else {}
    return {**tree.by_name(params), **tree.by_name(variables)}


def _layer(path: str) -> str:
    return path.rpartition(".")[0]
