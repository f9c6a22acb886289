"""Context: what a module sees during one call, and the ledger behind it.

`Call` is the ledger of one init or apply: what was given, what was written, where we are. `Context` is the view that
one module has of it: its own path. Both die with the call.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from thalweg import random, tree
from thalweg.core import masks
from thalweg.core.face import children
from thalweg.core.module import Module
from thalweg.core.policy import FLOAT32, Policy
from thalweg.errors import ContractError, ThalwegError
from thalweg.types import Array, Tree

Path = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Slot:
    """What `init` makes at one path: an array from an initialiser."""

    path: Path
    initializer: Callable[..., Array]
    shape: tuple[int, ...]
    dtype: str
    trainable: bool = True
    regularizer: Any = None
    constraint: Any = None


@dataclasses.dataclass
class Capture:
    """Capture by path: activations are recorded; a perturbation is added to an output to read the gradient there."""

    perturbations: dict[str, Array] = dataclasses.field(default_factory=dict)
    activations: dict[str, Tree] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Call:
    """The ledger of one init or apply."""

    params: dict[str, Any] | None = None  # None while initialising
    variables: dict[str, Any] = dataclasses.field(default_factory=dict)
    hyper: dict[str, Any] = dataclasses.field(default_factory=dict)
    key: Array | None = None
    train: bool = False
    policy: Policy = FLOAT32
    rows: Array | None = None
    capture: Capture | None = None
    slots: dict[Path, Slot] = dataclasses.field(default_factory=dict)
    variable_slots: dict[Path, Slot] = dataclasses.field(default_factory=dict)
    hyper_slots: dict[Path, float] = dataclasses.field(default_factory=dict)
    updates: dict[Path, Array] = dataclasses.field(default_factory=dict)
    penalties: dict[Path, Array] | None = dataclasses.field(default_factory=dict)  # a weight's once; None inside a loop
    regularized: bool = False
    draws: dict[Path, int] = dataclasses.field(default_factory=dict)
    trail: list[tuple[Path, Module, Tree, Tree]] = dataclasses.field(default_factory=list)
    masks: list[tuple[Any, Array]] = dataclasses.field(default_factory=list)  # known by identity
    reads: int = 0  # how often a layer was told a mask

    @property
    def initialising(self) -> bool:
        """Whether parameters are being made rather than read."""
        return self.params is None


class Context:
    """One module's view of a call: `param`, `variable`, `hyper`, `key`, `train`, at its own path."""

    __slots__ = ("call", "frozen", "module", "path", "places")

    def __init__(self, call: Call, path: Path = (), module: Module | None = None, frozen: bool = False) -> None:
        self.call, self.path, self.module, self.frozen, self.places = call, path, module, frozen, {}

    @property
    def train(self) -> bool:
        """True while training: dropout drops, batch normalisation uses the batch."""
        return self.call.train

    @property
    def rows(self) -> Array | None:
        """1 for each real row of the batch and 0 for padding, shape [batch]; None where every row is real."""
        return self.call.rows

    @property
    def name(self) -> str:
        """The dotted path, for messages."""
        return ".".join(self.path) or "the network"

    def param(
        self,
        name: str,
        initializer: Callable[..., Array],
        shape: tuple[int, ...],
        *,
        regularizer: Any = None,
        constraint: Any = None,
    ) -> Array:
        """The trainable array `name`, made by `initializer(key, shape, dtype)` at init, in the compute dtype."""
        call, path = self.call, (*self.path, name)
        call.regularized |= regularizer is not None
        if call.params is None:
            slot = Slot(path, initializer, shape, call.policy.param, not self.frozen, regularizer, constraint)
            call.slots.setdefault(path, slot)
            return jnp.zeros(shape, call.policy.compute)
        value = self._stored(call.params, path, shape)
        if regularizer is not None and call.penalties is not None:
            call.penalties[path] = regularizer(value).astype(jnp.float32)
        return value.astype(call.policy.compute)

    def has(self, name: str) -> bool:
        """Whether the trainable array `name` was given; False while initialising."""
        return tree.find(self.call.params or {}, (*self.path, name), None) is not None

    def variable(self, name: str, initializer: Callable[..., Array], shape: tuple[int, ...]) -> Array:
        """The non-trainable array `name` (a running mean); `update` writes it."""
        call, path = self.call, (*self.path, name)
        if call.params is None:
            call.variable_slots.setdefault(path, Slot(path, initializer, shape, call.policy.param, trainable=False))
            return jnp.zeros(shape, call.policy.param)
        return call.updates[path] if path in call.updates else self._stored(call.variables, path, shape)

    def update(self, name: str, value: Array) -> None:
        """Write the variable `name`: the value that the next call reads."""
        self.call.updates[(*self.path, name)] = value

    def hyper(self, name: str, default: float) -> Array:
        """A number that a tuner may vary without recompiling: read from the state, `default` at init."""
        call, path = self.call, (*self.path, name)
        if call.params is None:
            call.hyper_slots.setdefault(path, default)
            return jnp.float32(default)
        return tree.find(call.hyper, path, jnp.float32(default))

    def key(self) -> Array:
        """A key of its own for each call of each module: the call's key folded by path and count."""
        count = self.call.draws.get(self.path, 0)
        self.call.draws[self.path] = count + 1
        if self.call.key is None:
            if self.call.initialising:
                return random.key(0)
            raise ContractError(f"{self.name} {self.module!r} draws random numbers in training.\n  Give apply a key=.")
        return random.fold(self.call.key, ".".join(self.path), count)

    def penalty(self, value: Array) -> None:
        """Add `value` to the loss (activity regularisation)."""
        if self.call.penalties is None:
            raise ContractError(
                f"the penalty of {self.module!r} arises inside a loop, where it would be lost.\n"
                "  Set activity_regularizer on the layer that runs the loop."
            )
        self.call.regularized = True
        self.call.penalties[*self.path, f"penalty {len(self.call.penalties)}"] = value.astype(jnp.float32)

    def mask_of(self, x: Tree, rank: int | None = None) -> Array | None:
        """True for each real step of `x` and False for padding, [batch, time]; None where every step is real.

        With `rank` only a mask of so many axes is told. A layer that is told none and hands none on ends it, with a
        warning.
        """
        mask = masks.known(self.call.masks, x)
        told = mask is not None and rank in (None, mask.ndim)
        self.call.reads += told
        return mask if told else None

    def masked(self, x: Array, mask: Array | None) -> Array:
        """`x`, of which from now on only the steps where `mask` is True count as real."""
        if mask is not None:
            self.call.masks.append((x, mask))
        return x

    def pure(self, child: Module, *example: Any) -> "tuple[Callable[..., Any], Tree, Tree]":
        """`child` as a pure function for use inside `scan`, `vmap`, `cond`, `checkpoint`.

        Returns `step(params, variables, key, *inputs) -> (output, variables)`, and its params and variables now; `keep`
        writes the variables back after the loop. `example` inputs give the shapes.
        """
        call, path = self.call, self._path_of(child)
        if call.initialising:
            child(self, *example)
        probe = Call(policy=call.policy, train=call.train)
        jax.eval_shape(lambda inputs: child(Context(probe), *inputs), example)
        if call.params is None:
            params, variables = _zeros(probe.slots), _zeros(probe.variable_slots)
        else:
            params, variables = tree.find(call.params, path, {}), tree.find(call.variables, path, {})
            regularized = [(p, s.regularizer) for p, s in probe.slots.items() if s.regularizer is not None]
            if call.penalties is not None:  # once, not at each step
                call.penalties |= {path + p: r(tree.get(params, p)).astype(jnp.float32) for p, r in regularized}

        def step(params: Tree, variables: Tree, key: Array | None, *inputs: Any) -> tuple[Any, Tree]:
            inner = Call(params, variables, tree.find(call.hyper, path, {}), key, call.train, call.policy, call.rows)
            inner.penalties = None
            output = child(Context(inner, frozen=self.frozen), *inputs)
            return output, tree.merged(variables, inner.updates)

        return step, params, variables

    def keep(self, child: Module, variables: Tree) -> None:
        """Write the variables of `child` as a loop over its `pure` step left them."""
        path = self._path_of(child)
        for part, value in tree.flatten(variables):
            self.call.updates[path + part] = value

    def run(self, module: Module, body: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call `module` below this context: its path, its errors, its capture."""
        call, path = self.call, self._path_of(module)
        child = Context(call, path, module, self.frozen or not module.trainable)
        inputs, reads = args[1:], call.reads
        try:
            if module.axes:
                _check_rank(child, inputs[0])
            if module.casts:
                inputs = (jax.tree.map(lambda a: _numeric(a, call.policy.compute), inputs[0]), *inputs[1:])
            output = body(module, child, *inputs, **kwargs)
        except ThalwegError:
            raise
        except (TypeError, ValueError, ZeroDivisionError) as error:
            message = f"{child.name} {module!r} does not fit its input {tree.shapes(inputs)}: {error}"
            raise ContractError(message + path_of_shapes(call)) from error
        made, output = output, _captured(call, path, output)
        masks.hand_on(call.masks, module, inputs, made, output)
        whole = body is getattr(type(module).__call__, "__wrapped__", None)
        if whole and call.reads == reads and masks.ended(call.masks, inputs, made, output):
            call.reads += 1  # once for a layer and what it is part of
            masks.say_ended(module, child.name)
        call.trail.append((path, module, tree.spec(inputs), tree.spec(output)))
        return output

    def _path_of(self, module: Module) -> Path:
        if self.module is None:
            return self.path
        for part, child in () if self.places else children(self.module):  # once: a sequence asks for each of its layers
            self.places.setdefault(id(child), []).append(part)
        places = self.places.get(id(module), [])
        if len(places) == 1:
            return self.path + places[0]
        if not places:
            raise ContractError(
                f"{module!r} is called inside {self.name} {type(self.module).__name__}, but is not one of its fields.\n"
                "  Make it a field of the module, so that its parameters have a path."
            )
        names = " and ".join(".".join(self.path + p) for p in places)
        raise ContractError(
            f"the same object {module!r} stands at {names}.\n"
            "  Write it once for each place; to share weights, wire a graph and call one layer twice."
        )

    def _stored(self, values: dict[str, Any], path: Path, shape: tuple[int, ...]) -> Array:
        try:
            value = tree.get(values, path)
        except KeyError:
            raise ContractError(
                f"no array {'.'.join(path)!r} was given for {self.module!r}.\n"
                "  These parameters belong to another network; make them with init."
            ) from None
        if tuple(value.shape) != tuple(shape):
            raise ContractError(
                f"{'.'.join(path)} of {self.module!r} must have shape {tuple(shape)}; it has {tuple(value.shape)}.\n"
                "  The network was initialised for another input shape, or the weights are of another network."
                + path_of_shapes(self.call)
            )
        return value


def path_of_shapes(call: Call) -> str:
    """The shapes up to here, a line a layer, for an error message."""
    leaves = [(p, m, i, o) for p, m, i, o in call.trail if not any(True for _ in children(m))]
    if not leaves:
        return ""
    lines = [f"    {'.'.join(p):<14} {m!r}: {tree.shapes(i)} -> {tree.shapes(o)}" for p, m, i, o in leaves]
    return "\n  The path of shapes so far:\n" + "\n".join(lines)


def _check_rank(cx: Context, x: Any) -> None:
    module, rank = cx.module, -1 if isinstance(x, tuple | list | dict) else len(jnp.shape(x))
    assert module is not None
    axes = module.axes.split()
    if rank == len(axes) or ("..." in axes and rank >= len(axes) - 1):
        return
    made = next(((p, m) for p, m, _, _ in reversed(cx.call.trail) if not any(True for _ in children(m))), None)
    source = f" from {'.'.join(made[0])} {made[1]!r}" if made else ""
    remedy = module.remedy(made[1] if made else None)
    if remedy and made:
        remedy = f"\n  {remedy} for {'.'.join(made[0])}."
    message = f"{cx.name} {module!r} needs [{', '.join(axes)}]; it received {tree.shapes(x)}{source}.{remedy}"
    raise ContractError(message + path_of_shapes(cx.call))


def _numeric(value: Any, dtype: str) -> Any:
    kind = jnp.result_type(value)
    return value.astype(dtype) if jnp.issubdtype(kind, jnp.integer) or jnp.issubdtype(kind, jnp.bool_) else value


def _captured(call: Call, path: Path, output: Any) -> Any:
    if call.capture is None:
        return output
    name = ".".join(path)
    while name in call.capture.activations:
        name += "'"  # a layer called again, with shared weights
    if name in call.capture.perturbations:
        output = jax.tree.map(jnp.add, output, call.capture.perturbations[name])
    call.capture.activations[name] = output
    return output


def _zeros(slots: dict[Path, Slot]) -> Tree:
    return tree.unflatten((p, jnp.zeros(s.shape, s.dtype)) for p, s in slots.items())
