"""Stated: the inputs that a network itself states, by `Input` or `input_shape`, held against those that come.

A None takes any size. The layers would build themselves for whatever comes first, so that a wrong number of features
would train without a word; once there are weights, the layers say what they take.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import jax

from thalweg.core import Module, Network, children
from thalweg.errors import ContractError
from thalweg.train.given import one_input
from thalweg.types import ShapeDtype, Spec, row_spec


def declared(module: Any) -> Spec:
    """The inputs that the network itself states: a graph's inputs, or `input_shape` of its first layer.

    Raises:
        ContractError: it states none.
    """
    first: Any = module
    while first is not None:
        if getattr(first, "input_spec", None) is not None:
            return first.input_spec
        if getattr(first, "input_shape", None) is not None:
            indices = getattr(module, "indices", None)
            return row_spec(first.input_shape, "int32" if indices and indices(0) else "float32")
        inside = children(first) if isinstance(first, Module) else ()
        first = next((child for _, child in inside), None)
    raise ContractError(
        "the shape of the inputs is not known yet.\n"
        "  Give the first layer input_shape=(...), call model.build((None, ...)), or fit first."
    )


def states(module: Any) -> bool:
    """Whether the network states its inputs."""
    try:
        declared(module)
    except ContractError:
        return False
    return True


def shape(module: Any) -> tuple[int | None, ...] | None:
    """`input_shape` of a network's first layer, None where it varies; None where no layer states it."""
    while isinstance(module, Module) and module.input_shape is None:
        module = next((child for _, child in children(module)), None)
    return getattr(module, "input_shape", None)


def row(module: Any, shape: Sequence[int | None]) -> Spec:
    """A row of inputs of `shape`; a None of it is what the network states there."""
    try:
        known = declared(module)
    except ContractError:
        return row_spec(shape)
    if not isinstance(known, ShapeDtype) or len(known.shape) != len(shape) + 1:
        return row_spec(shape)
    return row_spec([m if n is None else n for n, m in zip(shape, known.shape[1:], strict=True)])


@contextlib.contextmanager
def held(module: Any, network: Network, spec: Spec) -> Iterator[None]:
    """Where a network is built for inputs like `spec`, which are held against what it states.

    Raises:
        ContractError: another size, or another number of dimensions or of arrays.
    """
    check(module, spec)
    try:
        yield
    except ContractError:
        check_one(network, spec)
        raise


def check(module: Any, spec: Spec) -> None:
    """Hold the inputs that the network is to be built for against what it states. A graph's inputs do so themselves.

    Raises:
        ContractError: another size, or another number of dimensions or of arrays.
    """
    for path, reader in _readers(module):
        shape = reader.input_shape
        if shape is None or _fits(shape, spec):
            continue
        row = spec.shape[1:] if isinstance(spec, ShapeDtype) else ()
        came = f"rows of shape {row}" if isinstance(spec, ShapeDtype) else f"{len(jax.tree.leaves(spec))} arrays"
        write = f", or write input_shape={row} (None for a size that varies)" if row else " in one array"
        raise ContractError(
            f"{path} states input_shape={shape}, as Input does; {came} came.\n  Give rows of shape {shape}{write}."
        )


def check_one(network: Network, spec: Spec) -> None:
    """Whether a network that does not take several arrays would take the first of them.

    Raises:
        ContractError: it would.
    """
    leaves = jax.tree.leaves(spec)
    if len(leaves) < 2:
        return
    try:
        jax.eval_shape(lambda key: network.init(key, leaves[0]), jax.eval_shape(lambda: jax.random.key(0)))
    except ContractError:
        return
    raise one_input(spec)


def _readers(module: Any) -> Iterator[tuple[str, Module]]:
    """The network and the layers that read its inputs as they come, from the outside in, each with its name."""
    path: tuple[str, ...] = ()
    while isinstance(module, Module):
        yield f"{'.'.join(path)} {type(module).__name__}" if path else "the network", module
        inlet = module.inlet() if hasattr(module, "inlet") else None  # type: ignore[attr-defined]
        path, module = path + (inlet or ()), dict(children(module))[inlet] if inlet else None


def _fits(shape: tuple[Any, ...], spec: Spec) -> bool:
    if not isinstance(spec, ShapeDtype) or not isinstance(shape, tuple):
        return False
    row = spec.shape[1:]
    return len(shape) == len(row) and all(m in (None, n) for m, n in zip(shape, row, strict=True))
