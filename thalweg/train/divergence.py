"""Numbers that are not finite: seen in the program, once a chunk; found on the host, by name, when they were seen.

The program stops before the update that a non-finite loss would make, so the state is the one the step started from.
Where it is the gradient or the update that is not finite, the step is made, and the state of the chunk's end shows it.
Then the training goes back to a state that was kept from before. A weight whose square is not finite counts as none:
what a rate of 1e38 leaves is finite, and of no use.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import optim, random
from thalweg.kernels import optimizer as kernels
from thalweg.train.held import Held
from thalweg.train.leaves import Stored
from thalweg.train.task import Batch, Task, TrainState
from thalweg.types import Array, Tree

SELDOM = 32  # steps between two looks at the optimizer's memory, where the host takes single steps


def sound(ts: TrainState, steps: Array) -> Array:
    """Whether the numbers after so many steps are finite: the weights, the statistics, the optimizer's memory."""
    often = (steps > 1) | (ts.step % SELDOM == 0)
    memory = jax.lax.cond(often, lambda: _sound(optim.memory(ts.optimizer)), lambda: jnp.bool_(True))
    return _sound(ts.params, square=True) & _sound(ts.state) & memory


def _sound(tree: Tree, *, square: bool = False) -> Array:
    """By the sum of the squares, a pass that is nearly free; where that is not finite, number by number."""
    leaves = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]

    def each() -> Array:
        ok = [jnp.all(jnp.isfinite(leaf * leaf if square else leaf)) for leaf in leaves]
        return jnp.all(jnp.stack(ok)) if leaves else jnp.bool_(True)

    if not kernels.serves(leaves):
        return each()
    return jax.lax.cond(jnp.isfinite(kernels.square_sum(leaves)), lambda: jnp.bool_(True), each)


def explain(task: Task, held: Held, when: str, batch: Batch | None) -> str | None:
    """What is no longer finite, where that began, and which weights there are now; None where nothing has become so.

    Args:
        task: what is trained.
        held: its state. Where that is spoiled, it goes back to the one that was kept.
        when: the step.
        batch: of the step whose loss is not finite; None where all losses were.
    """
    spoiled = list(_spoiled(held))
    if batch is not None:
        where = _first_weight(held.now, spoiled) or _first_activation(task, held.now, batch)
        said = f"the loss of {when} is not finite. The first number that is not finite arose {where}."
    elif spoiled:
        said = f"{spoiled[0]} is not finite after {when}, or its square is not, though the loss is."
    else:
        return None
    earlier = (held.back() if spoiled else 0) - (batch is None)
    which = f"{earlier} steps before" if earlier > 0 else "before"
    return (
        f"{said}\n  The weights are those from {which} that step. Lower the learning rate, clip the gradients "
        "(optimizer with global_clipnorm=1.0), or look at the inputs' scale."
    )


def _spoiled(held: Held) -> Iterator[str]:
    """The names of what was finite in the state that was kept, and is not now."""
    if held.kept is None:
        return
    was = jax.tree.map(lambda leaf: leaf.data, held.kept, is_leaf=lambda node: isinstance(node, Stored))
    for (name, new), (_, old) in zip(_named(held.now), _named(was), strict=True):
        if not _finite(new) and _finite(old):
            yield name


def _named(ts: TrainState) -> Iterator[tuple[str, Any]]:
    parts = {"{}": (jax.tree.map(jnp.square, ts.params), ts.state)}
    parts |= {f"{kind} of {{}} in the optimizer": part for kind, part in optim.memory(ts.optimizer).items()}
    for text, part in parts.items():
        for path, leaf in jax.tree_util.tree_flatten_with_path(part)[0]:
            keys = [key for key in path if isinstance(key, jax.tree_util.DictKey) and key.key != "variables"]
            yield text.format(jax.tree_util.keystr(tuple(keys), simple=True, separator=".")), leaf


def _first_weight(ts: TrainState, spoiled: list[str]) -> str | None:
    if spoiled:
        return f"in the update of {spoiled[0]}, one step earlier"
    held = (name for name, value in _named(ts._replace(state={}, optimizer=())) if not _finite(value))
    return next((f"in {name}, which held it when the run began" for name in held), None)


def _first_activation(task: Task, ts: TrainState, batch: Batch) -> str:
    observe = getattr(task.network, "observe", None)
    if observe is not None:
        state = {**ts.state, "rows": batch.real} if getattr(task.network, "masks", False) else ts.state
        seen = observe(ts.params, state, batch.x, key=random.fold(ts.key, ts.step), train=True)
        for name, value in seen.items():
            if not _finite(value):
                layer = f"layer {name}" if name else "the network's output"
                return f"in the output of {layer} ({_describe(value)})"
    return "in the loss itself: every layer's output is finite"


def _finite(value: Any) -> bool:
    numbers = (leaf for leaf in jax.tree.leaves(value) if jnp.issubdtype(leaf.dtype, jnp.inexact))
    return all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in numbers)


def _describe(value: Any) -> str:
    leaf = np.asarray(jax.tree.leaves(value)[0]).astype(np.float32)
    nan, inf = int(np.isnan(leaf).sum()), int(np.isinf(leaf).sum())
    return f"{nan} NaN and {inf} infinite of {leaf.size} numbers"
