"""summary: a network layer by layer, before anything is computed."""

import dataclasses
import io
import math

import jax
from rich.console import Console
from rich.table import Table
from rich.text import Text

from thalweg import tree
from thalweg.core.context import Call, Slot
from thalweg.core.face import children
from thalweg.core.flops import flops
from thalweg.core.functional import apply, trace
from thalweg.core.module import Module
from thalweg.core.policy import FLOAT32, Policy
from thalweg.errors import harmless
from thalweg.types import Spec, Tree


@dataclasses.dataclass(frozen=True)
class Row:
    """One layer: where it is, what comes out for one row of the batch, and what it costs."""

    path: str
    type: str
    output: tuple[tuple[int, ...], ...]
    parameters: int
    flops: int
    memory: int  # bytes of its parameters and of its output for one row


@dataclasses.dataclass(frozen=True)
class Summary:
    """The layers and the totals; `print` shows a table."""

    rows: tuple[Row, ...]
    trainable: int
    non_trainable: int
    optimizer: int

    def __str__(self) -> str:
        table = Table("layer", "type", "output shape", "parameters", "FLOPs", "memory")
        for column in table.columns[3:]:
            column.justify = "right"
        for r in self.rows:
            shape = ", ".join(f"({', '.join(['None', *map(str, s)])})" for s in r.output)
            cells = r.path, r.type, shape, f"{r.parameters:,}", _short(r.flops), _bytes(r.memory)
            table.add_row(*(Text(harmless(cell)) for cell in cells))  # a layer's name may come from a file
        text = io.StringIO()
        console = Console(width=100, file=text)
        console.print(table)
        console.print(f"Total parameters      {self.trainable + self.non_trainable:,}")
        console.print(f"  trainable           {self.trainable:,}")
        console.print(f"  non-trainable       {self.non_trainable:,}")
        console.print(f"Optimizer numbers     {self.optimizer:,}")
        console.print(f"FLOPs, one row        {_short(sum(r.flops for r in self.rows))}")
        return text.getvalue().rstrip()


def summary(module: Module, spec: Spec, *, optimizer: int = 0, policy: Policy = FLOAT32) -> Summary:
    """Layer paths, types, output shapes, parameters, FLOPs and memory of `module` for one row like `spec`.

    Args:
        module: the network.
        spec: the input with a batch axis; one row is counted.
        optimizer: how many numbers the optimizer keeps.
        policy: the precision, which sets the memory.
    """
    one = jax.tree.map(lambda a: jax.ShapeDtypeStruct((1, *a.shape[1:]), a.dtype), spec)
    call, _ = trace(module, one, policy, train=False)
    rows, counted = [], set()
    inner = {path[:n] for path, *_ in call.trail for n in range(len(path))}  # places that have others below them
    for path, layer, inputs, output in call.trail:
        if path in inner or any(True for _ in children(layer)):
            continue
        rows.append(_row(call, path, layer, inputs, output, policy, again=path in counted))
        counted.add(path)
    slots = (*call.slots.values(), *call.variable_slots.values())
    sizes = {
        trainable: sum(math.prod(s.shape) for s in slots if s.trainable is trainable) for trainable in (True, False)
    }
    return Summary(tuple(rows), sizes[True], sizes[False], optimizer)


def _row(
    call: Call, path: tuple[str, ...], layer: Module, inputs: Spec, output: Spec, policy: Policy, *, again: bool
) -> Row:
    params, variables = _below(call.slots, path), _below(call.variable_slots, path)

    def forward(p: Tree, v: Tree, x: Tree) -> Tree:
        return apply(layer, p, {"variables": v}, x, policy=policy)[0]

    cost = flops(forward, params, variables, inputs[0])
    numbers = 0 if again else tree.size((params, variables))
    held = 0 if again else tree.nbytes((params, variables))
    shapes = tuple(leaf.shape[1:] for leaf in jax.tree.leaves(output))
    return Row(".".join(path), type(layer).__name__, shapes, numbers, cost, held + tree.nbytes(output))


def _below(slots: dict[tuple[str, ...], Slot], path: tuple[str, ...]) -> Tree:
    below = ((p[len(path) :], s) for p, s in slots.items() if p[: len(path)] == path)
    return tree.unflatten((p, jax.ShapeDtypeStruct(s.shape, s.dtype)) for p, s in below)


def _short(number: float) -> str:
    for unit in ("", "K", "M", "G"):
        if number < 1000:
            return f"{number:.3g}{unit}" if unit else f"{number:,.0f}"
        number /= 1000
    return f"{number:.3g}T"


def _bytes(number: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.3g} {unit}"
        number /= 1024
    return f"{number:.3g} GiB"
