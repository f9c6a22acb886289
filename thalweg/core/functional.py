"""init and apply: the only two doors of a module.

    params, state = init(module, key, spec)
    y, state = apply(module, params, state, x, key=key, train=True)

`state` is what a step reads and writes beside the parameters: `variables` (batch statistics), `hyper` (numbers a tuner
varies) and `penalty` (the regularisers' part of the loss), each present where the network has it. A caller whose batch
is padded adds `rows`, 1 for each real row and 0 for padding; it is read and not returned. Where the output has a mask
of real steps, that caller gets it back as `mask`, [batch, time].
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from thalweg import compilation, random, tree
from thalweg.core.context import Call, Capture, Context, Slot
from thalweg.core.module import Module
from thalweg.core.policy import FLOAT32, Policy, cast
from thalweg.types import Array, Spec, Tree

Ledger = Callable[[], dict[tuple[str, ...], Slot]]


def trace(
    module: Module, spec: Spec, policy: Policy = FLOAT32, *, train: bool = True, slots: Ledger = dict
) -> tuple[Call, Spec]:
    """Walk `module` over abstract inputs: the ledger with every slot, and the output's spec. Nothing is computed.

    `slots()` makes the ledger's two dicts; one that refuses a slot ends the walk there.
    """
    call = Call(policy=policy, train=train, slots=slots(), variable_slots=slots())

    def walk(x: Tree) -> Tree:
        return module(Context(call), cast(x, policy.compute))

    output = jax.eval_shape(walk, spec)
    return call, output


@compilation.kept
def drawn(params: tuple[Slot, ...], variables: tuple[Slot, ...]) -> Callable[[Array], tuple[Tree, Tree]]:
    """The compiled program that makes all arrays of a network from a key."""

    def make(slots: tuple[Slot, ...], key: Array) -> Tree:
        wanted = {s.path: (s.initializer, s.shape, jnp.dtype(s.dtype)) for s in slots}
        return tree.unflatten(iter(random.arrays(key, wanted).items()))

    return jax.jit(lambda key: (make(params, key), make(variables, key)))


def init(
    module: Module, key: Array, spec: Spec, *, policy: Policy = FLOAT32, made: Callable = drawn, slots: Ledger = dict
) -> tuple[Tree, Tree]:
    """Parameters and state for inputs like `spec`.

    Each array depends on `key` and its own path alone.

    Args:
        module: the network.
        key: `thalweg.random.key(seed)`.
        spec: a tree of arrays or `jax.ShapeDtypeStruct`, with the batch axis.
        policy: the precision; parameters are made in `policy.param`.
        made: `made(params, variables)(key)` gives the arrays of slots; drawn by their initialisers unless said.
        slots: see `trace`.

    Returns:
        `(params, state)`, nested dicts by the path of field names.
    """
    call, _ = trace(module, spec, policy, slots=slots)
    both = tuple(call.slots.values()), tuple(call.variable_slots.values())
    params, variables = (dict(tree.flatten(part)) for part in made(*both)(key))
    hyper = tree.unflatten((p, jnp.float32(v)) for p, v in call.hyper_slots.items())
    state = {"variables": _ordered(variables, call.variable_slots), "hyper": hyper}
    penalty = {"penalty": jnp.zeros((), jnp.float32)} if call.regularized else {}
    return _ordered(params, call.slots), {name: part for name, part in state.items() if part} | penalty


def _ordered(leaves: dict[tuple[str, ...], Array], order: dict[tuple[str, ...], Slot]) -> Tree:
    # jit sorts dict keys; people expect the order of the layers
    return tree.unflatten((path, leaves[path]) for path in order)


def apply(
    module: Module,
    params: Tree,
    state: Tree,
    x: Tree,
    *,
    key: Array | None = None,
    train: bool = False,
    policy: Policy = FLOAT32,
    capture: Capture | None = None,
) -> tuple[Tree, Tree]:
    """Compute `module` on `x`.

    Args:
        module: the network.
        params: from `init`.
        state: from `init` or an earlier `apply`.
        x: a batch, or a tree of them.
        key: the randomness of this call; needed where something is drawn in training.
        train: whether dropout drops and batch statistics are used and updated.
        policy: the precision of the computation.
        capture: where to record activations by path.

    Returns:
        `(output, state)`; the state has the structure it came with, but for `rows` and `mask`.
    """
    variables, hyper = state.get("variables", {}), state.get("hyper", {})
    call = Call(params, variables, hyper, key, train, policy, state.get("rows"), capture)
    cx = Context(call)
    output = module(cx, cast(x, policy.compute))
    mask = cx.mask_of(output)
    new = {name: part for name, part in state.items() if name != "rows"}
    if mask is not None and "rows" in state:
        new["mask"] = mask
    if call.updates:
        new["variables"] = tree.merged(call.variables, call.updates)
    if "penalty" in state:
        new["penalty"] = sum((call.penalties or {}).values(), jnp.zeros((), jnp.float32))
    return cast(output, policy.output), new
