"""Elementwise rules that have a native pass, which reads and writes each number of all parameters once.

An Optax transformation gives what the parameters move by, `update(gradient, state, params) -> (update, state)`, and
XLA adds it to them. A native pass writes the parameters after the step: `move(gradient, state, params) -> (params,
state)`. Both keep the same state; `Optimizer.mover` chooses between them at each step.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from thalweg.kernels import optimizer as kernels
from thalweg.optim.compose import Rule, Slot, Slots, bounded, decayed, elementwise, inward, outward, shrinkage, widest
from thalweg.types import Array, Dtype, Tree


class Mover(NamedTuple):
    """What training calls: `init(params) -> state` and `move(gradient, state, params) -> (params, state)`."""

    init: Callable[[Tree], Tree]
    move: Callable[..., tuple[Tree, Tree]]


class OnePass(NamedTuple):
    """An elementwise rule, and the native function `name` that computes the same.

    `numbers(h, t)`, with t = 1, 2, ..., works out what all parameters share; `step(g, *slots, *numbers)` gives what a
    parameter moves by and its slots after it; `slots` make the first ones from the parameter.
    """

    name: str
    numbers: Callable[[Any, Array], tuple[Array, ...]]
    step: Callable[..., tuple[Array, ...]]
    slots: tuple[Slot, ...]

    def rule(self, h: Any) -> Rule:
        """The rule by its equation, with its weight decay."""

        def at(t: Array) -> Callable[..., tuple[Array, ...]]:
            numbers = self.numbers(h, t)
            return lambda g, *slots: self.step(g, *slots, *numbers)

        return decayed(elementwise(self.slots, at), h)

    def mover(self, h: Any) -> Mover:
        """The native pass. Weight decay and what bounds the whole gradient are two more numbers of it."""

        def move(gradient: Tree, state: Any, params: Tree) -> tuple[Tree, Slots]:
            leaves = jax.tree.leaves(gradient)
            if not leaves:
                return params, state
            gradient, scale = bounded(gradient, h), shrinkage(gradient, h)
            scale = jnp.float32(1) if scale is None else scale
            rate = getattr(h, "weight_decay", None)
            decay = jnp.float32(0) if rate is None else h.learning_rate * rate
            numbers = self.numbers(h, (state.calls + 1).astype(leaves[0].dtype))
            params, slots = kernels.native(self.name, numbers, decay, scale, params, gradient, state.slots)
            return params, Slots(state.calls + 1, slots)

        return Mover(self.rule(h).init, move)


def move_trainable(make: Callable[[Dtype], Mover], frozen: set[str]) -> Callable[[Tree, Any, Tree], tuple[Tree, Tree]]:
    """How the mover that `make(dtype)` gives moves the trainable parameters; see `compose.update_trainable`."""

    def move(gradient: Tree, state: Any, params: Tree) -> tuple[Tree, Tree]:
        dtype = widest(gradient)
        ours = inward(gradient, frozen, dtype), state, inward(params, frozen, dtype)
        new, state = make(dtype).move(*ours)
        return outward(new, params), state

    return move
