"""Task: all that a training program depends on, as one record; and the mathematics of one step.

    state -> logits -> rows' losses -> mean over real rows + penalties -> gradient -> update -> constraints

The step knows a network by its two functions alone. It never changes for tuning or for many devices: `vmap` it over
states, or give it arrays that are sharded.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from thalweg import random
from thalweg.core import Network, Slot
from thalweg.losses import Loss
from thalweg.metrics import Mean, Metric
from thalweg.ops import activation
from thalweg.optim import Optimizer
from thalweg.record import Record
from thalweg.types import Array, Dtype, ShapeDtype, Spec, Tree

LINKS = {"softmax": jax.nn.softmax, "sigmoid": jax.nn.sigmoid}


class TrainState(NamedTuple):
    """What one step reads and the next one gets: the whole of a run, but for its data."""

    step: Array  # int32, counts from 0 over all epochs
    key: Array  # the run's randomness, from its seed
    params: Tree
    state: Tree
    optimizer: Tree
    hyper: Tree  # the loss's numbers that a tuner may vary


class Batch(NamedTuple):
    """One batch: `real` is 1 for each row of data and 0 for padding, `weight` is each row's part in the loss."""

    x: Tree
    y: Tree
    weight: Array | None
    real: Array


def ending(network: Network, output: Tree) -> Tree:
    """What the network says it gives: its final activation on what `network.apply` returned."""
    final = getattr(network, "activation", None)
    return output if final is None else jax.tree.map(activation(final), output)


def penalty(state: Tree, dtype: Dtype) -> Array:
    """The regularisers' part of the loss, which a network reports in its state."""
    value = state.get("penalty", 0.0) if isinstance(state, dict) else 0.0
    return jnp.asarray(value, dtype)


class Task(Record):
    """What is trained: a network, a loss, an optimizer, metrics by name, and the network's parameter slots."""

    network: Network
    loss: Loss
    optimizer: Optimizer
    metrics: tuple[tuple[str, Metric], ...] = ()
    slots: tuple[Slot, ...] = ()
    total_steps: int | None = None  # for schedules that last as long as the run

    @property
    def rule(self) -> optax.GradientTransformationExtraArgs:
        """The optimizer as Optax knows it, frozen parameters left out."""
        frozen = {".".join(s.path): s.trainable for s in self.slots if not s.trainable}
        return optax.with_extra_args_support(self.optimizer.build(frozen or None, self.total_steps))

    def start(self, key: Array, spec: Spec) -> TrainState:
        """The state before the first step."""
        params, state = self.network.init(random.fold(key, "init"), spec)
        return self.resume(random.fold(key, "steps"), params, state)

    def resume(self, key: Array, params: Tree, state: Tree) -> TrainState:
        """The state before the first step, from given parameters."""
        hyper = {name: jnp.float32(value) for name, value in self.loss.hyper().items()}
        return TrainState(jnp.int32(0), key, params, state, self.rule.init(params), hyper)

    def tally(self, rows: int, output: ShapeDtype) -> Tree:
        """Empty accumulators of the loss and the metrics, for an epoch of `rows` rows."""
        return {"loss": Mean().init(rows, output), **{name: m.init(rows, output) for name, m in self.metrics}}

    def prediction(self, output: Tree) -> Tree:
        """What metrics see: probabilities where the loss is taken from logits, the network's own output elsewhere."""
        return LINKS[self.loss.link](output) if self.loss.link else ending(self.network, output)

    def losses(self, output: Tree, batch: Batch, hyper: Tree) -> Array:
        """The loss of each row, from logits wherever the loss has a link."""
        return self.loss(
            batch.y, output if self.loss.link else ending(self.network, output), weight=batch.real, **hyper
        )

    def tallied(self, tally: Tree, batch: Batch, output: Tree, rows: Array, extra: Array) -> Tree:
        """The accumulators after one more batch; `extra` is the penalty, which each row bears."""
        weighted = rows if batch.weight is None else rows * batch.weight
        out = {"loss": Mean().add(tally["loss"], weighted + extra, batch.real)}
        for name, metric in self.metrics:
            seen = output if metric.ranks and self.loss.link == "softmax" else self.prediction(output)
            out[name] = metric.update(tally[name], batch.y, seen, batch.real)
        return out

    def step(self, ts: TrainState, tally: Tree, batch: Batch) -> tuple[TrainState, Tree, Array]:
        """One step of training: the new state, the accumulators, and whether the loss was finite.

        Where it was not, parameters and statistics stay as they were, so that the step can be looked into.
        """
        key = random.fold(ts.key, ts.step)
        weight = batch.real if batch.weight is None else batch.real * batch.weight
        state = {**ts.state, "rows": batch.real} if getattr(self.network, "masks", False) else ts.state

        def objective(params: Tree) -> tuple[Array, tuple[Tree, Array, Array, Tree]]:
            output, new = self.network.apply(params, state, batch.x, key=key, train=True)
            rows = self.losses(output, batch, ts.hyper)
            extra = penalty(new, rows.dtype)
            value = jnp.sum(rows * weight.astype(rows.dtype)) / jnp.sum(batch.real).astype(rows.dtype) + extra
            return value, (output, rows, extra, new)

        (value, (output, rows, extra, new)), gradient = jax.value_and_grad(objective, has_aux=True)(ts.params)
        finite = jnp.isfinite(value)

        def stepped(ts: TrainState, gradient: Tree, new: Tree) -> TrainState:
            params, optimizer = self.optimizer.moved(
                self.rule, gradient, ts.optimizer, ts.params,
                value=value, grad=gradient, value_fn=lambda p: objective(p)[0],
            )  # fmt: skip
            return TrainState(ts.step + 1, ts.key, self.constrained(params), new, optimizer, ts.hyper)

        # a branch, not a choice between old and new: a choice keeps both, and costs as much as the rest of the update
        after = jax.lax.cond(finite, stepped, lambda ts, *_: ts, ts, gradient, new)
        return after, self.tallied(tally, batch, output, rows, extra), finite

    def constrained(self, params: Tree) -> Tree:
        """Each parameter that has a constraint, projected onto it."""
        rules = {s.path: s.constraint for s in self.slots if s.constraint is not None}
        if not rules:
            return params

        def project(path: tuple[Any, ...], value: Array) -> Array:
            rule = rules.get(tuple(str(part.key) for part in path))
            return value if rule is None else rule(value)

        return jax.tree.map_with_path(project, params)


@dataclasses.dataclass
class Session:
    """A task and where its training stands; callbacks read and change it between chunks."""

    task: Task
    ts: TrainState
    output: ShapeDtype
