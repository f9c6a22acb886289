"""A network of any shape, as data: the layers, each once, and how they are wired.

Values are numbered: first the inputs, then the result of each call; a call names its layer and the values it reads. A
layer that is called twice stands in `layers` once, so its weights are shared. `layers/node.py` writes such a graph down
from calls on nodes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import jax.numpy as jnp

from thalweg.core import Context, Module
from thalweg.errors import ConfigError, ContractError, nearest
from thalweg.record import Record
from thalweg.types import Spec, Tree, row_spec

Ref: TypeAlias = int | tuple[Any, ...] | None
"""The number of a value, a tuple of refs where a layer takes a list, or None for an input left out."""


class Port(Record):
    """An input of a graph: the shape of a row, None where it varies, and the dtype."""

    shape: Sequence[int | None]
    dtype: str = "float32"
    name: str | None = None

    @property
    def spec(self) -> Spec:
        """One row of it."""
        return row_spec(self.shape, self.dtype)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a batch of `shape` can come in here."""
        row = shape[1:]
        return len(shape) == len(self.shape) + 1 and all(m in (None, n) for m, n in zip(self.shape, row, strict=True))


class Pick(Module):
    """One of the arrays of a list, or of a layer that returns several: the one at `index`."""

    index: int

    keeps_mask: ClassVar[bool] = False  # what is picked has its own

    def __call__(self, cx: Context, x: Sequence[Any]) -> Any:
        """The layer on the list `x`."""
        if not isinstance(x, tuple | list):
            raise ValueError(  # noqa: TRY004  core words it
                "it takes the output of a layer that returns several arrays.\n"
                "  Write LSTM(4, return_state=True), or another layer of several, before it."
            )
        return x[self.index]


class Graph(Module):
    """Layers and how they are wired, as data; `graph` makes it from nodes.

    Args:
        inputs: the ports. A batch is an array for one port; for several a list in their order or a dict by name.
        layers: each layer once.
        wiring: for each call (layer, values it reads); values count the inputs first, then the calls.
        outputs: the value that comes out, or a tuple of them, or a tuple of (name, value) for a dict.
    """

    keeps_mask: ClassVar[bool] = False  # the layer of the output says

    inputs: Sequence[Port]
    layers: Sequence[Module]
    wiring: Sequence[tuple[int, tuple[Ref, ...]]]
    outputs: Ref

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        for made, (layer, args) in enumerate(self.wiring, len(self.inputs)):
            if not 0 <= layer < len(self.layers) or not all(0 <= n < made for n in _numbers(args)):
                raise ConfigError(f"call {made} of the graph reads what is not there.\n  Write graph(inputs, outputs).")
        if not all(0 <= n < len(self.inputs) + len(self.wiring) for n in _numbers(self.outputs)):
            raise ConfigError("the graph's outputs name values that are not made.\n  Write graph(inputs, outputs).")

    def __call__(self, cx: Context, x: Tree) -> Tree:
        """The graph on the array, list or dict `x`."""
        values = _inputs(cx, self.inputs, x)
        for layer, args in self.wiring:
            values.append(self.layers[layer](cx, *filled(args, values)))
        return self.result(values)

    def result(self, values: list[Any]) -> Tree:
        """What comes out, of all values."""
        if isinstance(self.outputs, tuple) and self.outputs and isinstance(self.outputs[0], tuple):
            return {name: values[number] for name, number in self.outputs}
        return filled(self.outputs, values)

    @property
    def input_spec(self) -> Spec:
        """One row of each input: what `init` needs."""
        specs = tuple(port.spec for port in self.inputs)
        return specs[0] if len(specs) == 1 else specs

    def indices(self, port: int | str = 0) -> int | None:
        """Below which number the indices of an input must be, for all layers that read it; None where none says."""
        numbers = [i for i, p in enumerate(self.inputs) if port in (i, p.name)]
        readers = [
            (self.layers[layer], place)
            for layer, args in self.wiring
            for place, value in enumerate(args[0] if args and isinstance(args[0], tuple) else args[:1])
            if value in numbers
        ]
        said = [one.indices(place) for one, place in readers if hasattr(one, "indices")]  # type: ignore[attr-defined]
        return min((n for n in said if n is not None), default=None)

    def outlet(self) -> tuple[str, ...] | None:
        """The layer of the only output, where it is called nowhere else."""
        if not isinstance(self.outputs, int) or self.outputs < len(self.inputs):
            return None
        last, _ = self.wiring[self.outputs - len(self.inputs)]
        return ("layers", str(last)) if [layer for layer, _ in self.wiring].count(last) == 1 else None


def _numbers(ref: Any) -> Iterator[int]:
    if isinstance(ref, tuple):
        for part in ref:
            yield from _numbers(part)
    elif not isinstance(ref, str | None):  # the name of an output; an input left out
        yield ref


def filled(ref: Ref, values: list[Any]) -> Any:
    """The values that a ref names, in its shape."""
    if isinstance(ref, tuple):
        return tuple(filled(r, values) for r in ref)
    return None if ref is None else values[ref]


def _inputs(cx: Context, ports: Sequence[Port], x: Any) -> list[Any]:
    if isinstance(x, Mapping):
        x = [_by_name(cx, port, x) for port in ports]
    arrays = list(x) if isinstance(x, tuple | list) else [x]
    if len(arrays) != len(ports):
        raise ContractError(f"{cx.name} has {len(ports)} inputs; it received {len(arrays)}.\n  Give {ports}.")
    for i, (port, array) in enumerate(zip(ports, arrays, strict=True)):
        if not port.fits(jnp.shape(array)):
            needs = ", ".join(["batch", *("any" if n is None else str(n) for n in port.shape)])
            raise ContractError(
                f"input {port.name or i} of {cx.name} needs [{needs}]; it received {list(jnp.shape(array))}.\n"
                "  Change the data, or the shape in Input."
            )
    return arrays


def _by_name(cx: Context, port: Port, x: Mapping[str | None, Any]) -> Any:
    if port.name in x:
        return x[port.name]
    raise ContractError(
        f"{cx.name} has an input {port.name!r}, which is not given.\n  {nearest(str(port.name), map(str, x))}"
    )
