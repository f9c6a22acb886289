"""The parts that go around a rule, each an Optax transformation.

    freeze and cast ( numbers in the state ( average ( accumulate ( clip -> decay -> rule ) ) ) )

Here and in the rules `h` holds an optimizer's numbers by name, as arrays of one dtype.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from thalweg.errors import ContractError, nearest
from thalweg.kernels import optimizer as kernels
from thalweg.kernels.precision import unless_infinite
from thalweg.types import Array, Dtype, Tree

Rule = optax.GradientTransformationExtraArgs
Slot = Callable[[Array], Array]


class Slots(NamedTuple):
    """The state of an elementwise rule: how many updates there were, and its arrays per parameter."""

    calls: Array
    slots: tuple[Tree, ...]


def elementwise(slots: tuple[Slot, ...], at: Callable[[Array], Callable[..., tuple[Array, ...]]]) -> Rule:
    """A rule that treats each parameter alone.

    `slots` make a parameter's arrays from the parameter. `at(t)`, with t = 1, 2, ..., works out what all parameters
    share and returns `step(g, *slots) -> (update, *slots)`. XLA fuses a step into one loop over the parameter.
    """

    def init(params: Tree) -> Slots:
        return Slots(jnp.int32(0), tuple(jax.tree.map(slot, params) for slot in slots))

    def update(updates: Tree, state: Any, params: Tree = None, **_: Any) -> tuple[Tree, Slots]:
        del params
        gs, structure = jax.tree.flatten(updates)
        if not gs:
            return updates, state
        step = at((state.calls + 1).astype(gs[0].dtype))
        results = [step(g, *values) for g, *values in zip(gs, *map(jax.tree.leaves, state.slots), strict=True)]
        new, *kept = (structure.unflatten(column) for column in zip(*results, strict=True))
        return new, Slots(state.calls + 1, tuple(kept))

    return Rule(init, update)


def decayed(rule: Any, h: Any) -> Rule:
    """Decoupled weight decay (Loshchilov & Hutter 2019), where `h` has one: w -= lr weight_decay w, then the rule.

    The rule sees the smaller weights, as in Keras; it matters to those that read them.
    """
    inner, decay = optax.with_extra_args_support(rule), getattr(h, "weight_decay", None)
    if decay is None:
        return inner

    def update(updates: Tree, state: Any, params: Tree = None, **extra: Any) -> tuple[Tree, Any]:
        less = jax.tree.map(lambda w: h.learning_rate * decay * w, params)
        new, state = inner.update(updates, state, jax.tree.map(jnp.subtract, params, less), **extra)
        return jax.tree.map(jnp.subtract, new, less), state

    return Rule(inner.init, update)


def clipped(rule: Any, h: Any) -> Rule:
    """What bounds the gradient, where `h` says so: per number, per parameter, or over all parameters."""
    inner = optax.with_extra_args_support(rule)

    def update(updates: Tree, state: Any, params: Tree = None, **extra: Any) -> tuple[Tree, Any]:
        updates, scale = bounded(updates, h), shrinkage(updates, h)
        if scale is not None:
            updates = jax.tree.map(lambda g: scale.astype(g.dtype) * g, updates)
        return inner.update(updates, state, params, **extra)

    return Rule(inner.init, update)


def bounded(gradient: Tree, h: Any) -> Tree:
    """The gradient with each number in the bounds of `clipvalue`, or each parameter's in those of `clipnorm`."""
    if hasattr(h, "clipvalue"):
        return jax.tree.map(lambda g: jnp.clip(g, -h.clipvalue, h.clipvalue), gradient)
    if hasattr(h, "clipnorm"):
        return jax.tree.map(lambda g: g * shrinking(jnp.sum(g * g), h.clipnorm), gradient)
    return gradient


def shrinkage(gradient: Tree, h: Any) -> Array | None:
    """What `global_clipnorm` multiplies the whole gradient by; None without it."""
    return shrinking(kernels.square_sum(gradient), h.global_clipnorm) if hasattr(h, "global_clipnorm") else None


def shrinking(squares: Array, norm: Array) -> Array:
    """What a gradient is multiplied by to be of a norm, if it is larger; NaN, not 0, where its squares overflow."""
    return norm / jnp.maximum(jnp.sqrt(unless_infinite(squares)), norm)


class Accumulated(NamedTuple):
    """The sum of the gradients since the last update, and how many there are."""

    calls: Array
    total: Tree
    inner: Any


def accumulated(rule: Rule, steps: int) -> Rule:
    """`rule` on the mean of `steps` gradients, once every `steps` calls; between them the parameters stay."""

    def init(params: Tree) -> Accumulated:
        return Accumulated(jnp.int32(0), jax.tree.map(jnp.zeros_like, params), rule.init(params))

    def update(updates: Tree, state: Any, params: Tree = None, **extra: Any) -> tuple[Tree, Accumulated]:
        total = jax.tree.map(jnp.add, state.total, updates)
        zeros = jax.tree.map(jnp.zeros_like, updates)

        def full() -> tuple[Tree, Accumulated]:
            mean = jax.tree.map(lambda g: g / steps, total)
            new, inner = rule.update(mean, state.inner, params, **extra)
            return new, Accumulated(jnp.int32(0), zeros, inner)

        def wait() -> tuple[Tree, Accumulated]:
            return zeros, Accumulated(state.calls + 1, total, state.inner)

        return jax.lax.cond(state.calls == steps - 1, full, wait)

    return Rule(init, update)


class Averaged(NamedTuple):
    """The exponential moving average of the parameters."""

    calls: Array
    average: Tree
    inner: Any


def averaged(rule: Rule, rho: Array, first: int, every: int | None) -> Rule:
    """`rule`, and the average a = rho a + (1 - rho) w of the weights after each call (Polyak & Juditsky 1992).

    The first `first` calls set a = w; every `every`-th call sets w = a.
    """

    def init(params: Tree) -> Averaged:
        return Averaged(jnp.int32(0), jax.tree.map(lambda w: jnp.array(w, copy=True), params), rule.init(params))

    def update(updates: Tree, state: Any, params: Tree = None, **extra: Any) -> tuple[Tree, Averaged]:
        new, inner = rule.update(updates, state.inner, params, **extra)
        kept = jnp.where(state.calls < first, jnp.zeros_like(rho), rho)
        average = jax.tree.map(lambda a, w, u: kept * a + (1 - kept) * (w + u), state.average, params, new)
        if every is not None:
            due = (state.calls // first + 1) % every == 0
            new = jax.tree.map(lambda a, w, u: jnp.where(due, a - w, u), average, params, new)
        return new, Averaged(state.calls + 1, average, inner)

    return Rule(init, update)


def update_trainable(make: Callable[[Dtype], Rule], frozen: set[str]) -> Rule:
    """The rule that `make(dtype)` gives, on the trainable parameters, in their widest dtype and at least float32.

    A frozen parameter has no state and a zero update; a bfloat16 one is updated in float32 and rounded once.
    """

    def init(params: Tree) -> Any:
        known = [name_of(path) for path, _ in jax.tree.leaves_with_path(params)]
        for name in sorted(set(frozen).difference(known)):
            raise ContractError(f"no parameter {name!r} to freeze.\n  {nearest(name, known)}")
        dtype = widest(params)
        return make(dtype).init(inward(params, frozen, dtype))

    def update(updates: Tree, state: Any, params: Tree = None, **extra: Any) -> tuple[Tree, Any]:
        dtype = widest(updates)
        if "value_fn" in extra:  # a line search evaluates the loss at parameters of its own
            value_fn = extra["value_fn"]
            extra["value"], extra["grad"] = extra["value"].astype(dtype), inward(extra["grad"], frozen, dtype)
            extra["value_fn"] = lambda inner: value_fn(outward(inner, params)).astype(dtype)
        ours = inward(updates, frozen, dtype), state, inward(params, frozen, dtype)
        new, state = make(dtype).update(*ours, **extra)
        return outward(new, jax.tree.map(jnp.zeros_like, updates)), state

    return Rule(init, update)


def inward(whole: Tree, frozen: set[str], dtype: Dtype) -> Tree:
    """The trainable leaves of `whole`, in `dtype`."""

    def enter(path: Any, leaf: Any) -> Any:
        return optax.MaskedNode() if name_of(path) in frozen else jnp.asarray(leaf, dtype)

    return jax.tree.map_with_path(enter, whole)


def outward(inner: Tree, whole: Tree) -> Tree:
    """`whole` with the trainable leaves taken from `inner`, in the dtype they had."""
    return jax.tree.map(
        lambda leaf, new: leaf if isinstance(new, optax.MaskedNode) else new.astype(leaf.dtype), whole, inner
    )


def name_of(path: Any) -> str:
    """The dotted name of a path into a tree."""
    return jax.tree_util.keystr(path, simple=True, separator=".")


def widest(values: Tree) -> Dtype:
    """The dtype that holds every leaf, and at least float32."""
    return max([jnp.dtype(jnp.float32), *(leaf.dtype for leaf in jax.tree.leaves(values))], key=lambda d: d.itemsize)
