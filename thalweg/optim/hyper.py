"""Reading and changing what lives in an optimizer's state: its numbers, and the average of the weights."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import optax

from thalweg.errors import ContractError, nearest
from thalweg.optim.compose import Accumulated, Averaged, Slots, outward
from thalweg.types import Array, Tree

Injected = optax.InjectStatefulHyperparamsState


def hyper(opt_state: Tree) -> dict[str, Array]:
    """The numbers of the optimizer by name: learning_rate, beta_1, ...; a scheduled one as the last step used it."""
    return {name: value for part in _parts(opt_state, Injected) for name, value in part.hyperparams.items()}


def settable(opt_state: Tree) -> dict[str, Array]:
    """The numbers that no schedule sets."""
    return {
        name: value
        for part in _parts(opt_state, Injected)
        for name, value in part.hyperparams.items()
        if name not in part.hyperparams_states
    }


def memory(opt_state: Tree) -> dict[str, Tree]:
    """What the rules keep beside the weights, by kind; a search of Optax's own has infinities, and is left out."""
    slots = {f"slot {i}": tree for part in _parts(opt_state, Slots) for i, tree in enumerate(part.slots)}
    return slots | {f"sum {i}": part.total for i, part in enumerate(_parts(opt_state, Accumulated))}


def with_hyper(opt_state: Tree, **values: Any) -> Tree:
    """`opt_state` with some numbers changed. Shapes and dtypes stay, so nothing compiles again.

    Args:
        opt_state: of a transformation that `Optimizer.build` made.
        **values: the new numbers by name.

    Returns:
        The changed state; the old one is as it was.

    Raises:
        ContractError: a number that the optimizer does not have, or that a schedule sets.
    """
    known = hyper(opt_state)
    for name in values:
        if name not in known:
            raise ContractError(f"the optimizer has no number {name!r} to change.\n  {nearest(name, known)}")
    return _replaced(opt_state, values)


def scheduled_from(opt_state: Tree, step: int) -> Tree:
    """`opt_state` with its schedules at `step`."""

    def visit(node: Any) -> Any:
        if not isinstance(node, Injected):
            return node
        states = jax.tree.map(lambda count: jnp.asarray(step, count.dtype), node.hyperparams_states)
        return node._replace(hyperparams_states=states)

    return jax.tree.map(visit, opt_state, is_leaf=lambda n: isinstance(n, Injected))


def ema_params(opt_state: Tree, params: Tree) -> Tree | None:
    """The moving average of the weights, frozen ones as they are in `params`; None where no average is kept."""
    averaged = next(_parts(opt_state, Averaged), None)
    return None if averaged is None else outward(averaged.average, params)


def _parts(state: Tree, kind: type) -> Iterator[Any]:
    for node in jax.tree.leaves(state, is_leaf=lambda n: isinstance(n, kind)):
        if isinstance(node, kind):
            yield node
            yield from _parts(getattr(node, "inner_state" if kind is Injected else "inner", None), kind)


def _replaced(state: Tree, values: dict[str, Any]) -> Tree:
    def visit(node: Any) -> Any:
        if not isinstance(node, Injected):
            return node
        for name in node.hyperparams_states.keys() & values.keys():
            raise ContractError(
                f"{name} follows a schedule, so it cannot be set.\n"
                f"  Give the optimizer a number as {name}= to change it in training."
            )
        new = {n: jnp.asarray(values.get(n, old), jnp.result_type(old)) for n, old in node.hyperparams.items()}
        return node._replace(hyperparams=new, inner_state=_replaced(node.inner_state, values))

    return jax.tree.map(visit, state, is_leaf=lambda n: isinstance(n, Injected))
