"""Wiring: layers called on nodes make nodes, and `graph` writes down what it finds.

    a, b = Input((8,)), Input((8,))
    shared = Dense(4)
    y = Dense(1)(concatenate([shared(a), shared(b)]))
    network = graph([a, b], y)

A node stands for an array to come. A layer called on nodes makes a node (`thalweg.core.module` routes the call), and
`graph` walks back from the outputs.
"""

import collections
import inspect
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from thalweg.core import Module, trace, walk
from thalweg.errors import ContractError
from thalweg.layers import merge
from thalweg.layers.graph import Graph, Pick, Port, filled

_serial = itertools.count()


class Node:
    """An array to come: what makes it (a port or a layer) and the nodes that go in. Compared by identity."""

    __slots__ = ("args", "maker", "serial")

    def __init__(self, maker: Port | Module, args: tuple[Any, ...] = ()) -> None:
        self.maker, self.args, self.serial = maker, args, next(_serial)

    def __repr__(self) -> str:
        return f"<node of {self.maker!r}>"

    def __iter__(self) -> "Iterator[Node]":
        """The parts of a layer that returns several arrays: `y, h, c = LSTM(4, return_state=True)(x)`."""
        ports = [node for node in _ancestors(self) if isinstance(node.maker, Port)]
        whole = graph(ports, self)
        _, spec = trace(whole, whole.input_spec)
        if not isinstance(spec, tuple | list):
            raise ContractError(f"{self!r} is one array, which cannot be unpacked.\n  Call the next layer on it.")
        return iter([_called(Pick(i), self) for i in range(len(spec))])

    def run(self, module: Module, body: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> "Node":
        """What a module does when it is called on a node: see `thalweg.core.module`."""
        try:
            call = inspect.signature(body).bind(module, None, *args, **kwargs)
        except TypeError as error:
            raise ContractError(f"{module!r}: {error}.\n  Give it what its __call__ takes.") from None
        if call.kwargs:
            raise ContractError(f"{module!r} is wired by position; {list(call.kwargs)} leave a gap.\n  Give them all.")
        made = Node(module, call.args[2:])
        vars(module).setdefault("_calls", []).append(made)
        return made

    def __add__(self, other: Any) -> "Node":
        return merge.add([self, other]) if isinstance(other, Node) else NotImplemented

    def __sub__(self, other: Any) -> "Node":
        return merge.subtract([self, other]) if isinstance(other, Node) else NotImplemented

    def __mul__(self, other: Any) -> "Node":
        return merge.multiply([self, other]) if isinstance(other, Node) else NotImplemented


def _called(layer: Any, node: Node) -> Node:
    return layer(node)


def Input(shape: Sequence[int | None], dtype: Any = None, name: str | None = None) -> Node:  # noqa: N802  Keras's name
    """A node where a batch comes in.

    Args:
        shape: of a row, without the batch axis; None where it varies.
        dtype: None for float32; "int32" for indices.
        name: by which a dict of inputs names it.

    >>> Input((28, 28))
    <node of Port((28, 28))>
    """
    return Node(Port(tuple(shape), jnp.dtype(dtype or "float32").name, name))


def is_node(value: Any) -> bool:
    """Whether `value` is a node, or a list or dict that holds one."""
    return any(isinstance(leaf, Node) for leaf in jax.tree.leaves(value))


def graph(inputs: Any, outputs: Any, *, name: str | None = None) -> Graph:
    """The network between `inputs` and `outputs`.

    Args:
        inputs: a node made by `Input`, or a list of them, or a dict by name.
        outputs: a node, or a list of them, or a dict by name: the shape of what the network returns.
        name: the network's name.

    Returns:
        A `Graph`: a module like any other.

    Raises:
        ContractError: an output needs an input that is not given, an input serves no output, or what is given is no
            node.

    >>> from thalweg.layers.dense import Dense
    >>> x = Input((3,))
    >>> graph(x, Dense(1)(Dense(2)(x)))
    Graph((Port((3,)),), layers=(Dense(2), Dense(1)), wiring=((0, (0,)), (1, (1,))), outputs=2)
    """
    ports = dict(_ports(inputs))
    nodes = _ancestors(outputs)
    _check_inputs(list(ports), nodes)
    calls = [node for node in nodes if node not in ports]
    numbers = {node: number for number, node in enumerate((*ports, *calls))}
    layers = {id(node.maker): node.maker for node in calls if isinstance(node.maker, Module)}
    _check_once(layers.values())
    place = {key: i for i, key in enumerate(layers)}
    wiring = tuple((place[id(node.maker)], _refs(node.args, numbers)) for node in calls)
    return Graph(tuple(ports.values()), tuple(layers.values()), wiring, _refs(outputs, numbers), name=name)


def opened(module: Module, shape: Sequence[int | None] | None, dtype: str = "float32") -> tuple[list[Node], Any]:
    """The nodes of a network that was not wired by hand: its inputs, and its output, or what has the shape of them.

    Args:
        module: a graph, a sequence, or one layer.
        shape: of a row, where the network is no graph.
        dtype: of the row.
    """
    if isinstance(module, Graph):
        values = [Node(port) for port in module.inputs]
        inputs = list(values)
        for layer, args in module.wiring:
            values.append(module.layers[layer](*filled(args, values)))
        return inputs, module.result(values)
    x = y = Input(shape or (), dtype)
    for layer in getattr(module, "layers", (module,)):
        y = layer(y)
    return [x], y


def names(layers: Sequence[Module]) -> list[str]:
    """The name of each layer; where it has none, that of its class, numbered.

    >>> from thalweg.layers.dense import Dense
    >>> names([Dense(2), Dense(2, name="code"), Dense(2)])
    ['dense', 'code', 'dense_1']
    """
    out, counts = [], collections.Counter[str]()
    for layer in layers:
        kind = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)).lower()
        out.append(layer.name or (kind if not counts[kind] else f"{kind}_{counts[kind]}"))
        counts[kind] += layer.name is None
    return out


def _ports(inputs: Any) -> Iterator[tuple[Node, Port]]:
    named = inputs.items() if isinstance(inputs, Mapping) else ((None, n) for n in jax.tree.leaves(inputs))
    for name, node in named:
        if not isinstance(node, Node) or not isinstance(node.maker, Port):
            raise ContractError(f"a graph's inputs are made by Input; this is {node!r}.\n  Write Input(shape).")
        port = node.maker
        yield node, port if name is None else Port(port.shape, port.dtype, name)


def _ancestors(outputs: Any) -> list[Node]:
    """Every node that `outputs` need, in the order in which they were made: what a node reads is older than itself."""
    ancestors: set[Node] = set()
    todo = jax.tree.leaves(outputs)
    while todo:
        node = todo.pop()
        if not isinstance(node, Node):
            raise ContractError(f"a graph is made of nodes; it received {node!r}.\n  Start from Input(shape).")
        if node not in ancestors:
            ancestors.add(node)
            todo += jax.tree.leaves(node.args)
    return sorted(ancestors, key=lambda node: node.serial)


def _check_inputs(inputs: list[Node], nodes: list[Node]) -> None:
    needed = [node for node in nodes if isinstance(node.maker, Port)]
    for node in needed:
        if node not in inputs:
            raise ContractError(
                f"the outputs need {node.maker!r}, which is not among the inputs: it belongs to another graph, or was\n"
                "  left out.\n  Give every Input that the outputs read."
            )
    for node in inputs:
        if node not in needed:
            raise ContractError(f"no output depends on the input {node.maker!r}.\n  Leave it out, or wire it in.")


def _check_once(layers: Iterable[Module]) -> None:
    seen: set[int] = set()
    for layer in layers:
        for _, part in walk(layer):
            if id(part) in seen:
                raise ContractError(
                    f"{part!r} stands inside two modules of the graph, which would not share its weights.\n"
                    "  Call that one layer on nodes in both places, or write it twice."
                )
            seen.add(id(part))


def _refs(value: Any, numbers: dict[Node, int]) -> Any:
    if isinstance(value, Mapping):
        return tuple((name, numbers[node]) for name, node in value.items())
    if isinstance(value, tuple | list):
        return tuple(_refs(v, numbers) for v in value)
    return None if value is None else numbers[value]
