"""Task: all that a training program depends on, as one record; and the mathematics of one step.

    state -> logits -> rows' losses -> mean over real rows + penalties -> gradient -> update -> constraints

Where the output has a mask of real steps, a row counts as often as it has real steps: the mean is over all real
positions of the batch, and of the epoch.

The step knows a network by its two functions alone. It never changes for tuning or for many devices: `vmap` it over
states, or give it arrays that are sharded.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from thalweg import random
from thalweg.core import Network, Slot
from thalweg.losses import Loss
from thalweg.metrics import Mean, Metric
from thalweg.ops import activation
from thalweg.optim import Optimizer
from thalweg.optim.one_pass import Mover
from thalweg.record import Record
from thalweg.types import Array, Dtype, ShapeDtype, Tree

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
    """One batch: `real` is 1 for each row of data and 0 for padding.

    `weight` is the part in the loss of each row, [batch] or [batch, 1], or of each of its steps or labels,
    [batch, time, ...].
    """

    x: Tree
    y: Tree
    weight: Array | None
    real: Array

    @property
    def by_row(self) -> Array | None:
        """The weights, where each row has one."""
        one_each = self.weight is not None and self.weight.size == self.real.size
        return self.weight.reshape(self.real.shape) if one_each else None  # type: ignore[union-attr]

    @property
    def by_step(self) -> Array | None:
        """The weights, where each step has one."""
        return None if self.weight is None or self.by_row is not None else self.weight


class Losses(NamedTuple):
    """What the rows of a batch lose, each the mean over its real positions."""

    rows: Array
    counts: Array  # how often a row counts in the mean: 0 for padding, 1, or the number of its real positions
    mask: Array | None  # True for each real step of the output, [batch, time]; None where all are

    def mean(self, weight: Array | None) -> Array:
        """The loss of the batch, its rows weighted."""
        total = jnp.maximum(jnp.sum(self.counts), 1).astype(self.rows.dtype)
        part = self.counts if weight is None else self.counts * weight
        return jnp.sum(self.rows * part.astype(self.rows.dtype)) / total


def ending(network: Network, output: Tree) -> Tree:
    """What the network says it gives: its final activation on what `network.apply` returned."""
    final = getattr(network, "activation", None)
    return output if final is None else jax.tree.map(activation(final), output)


def applied(
    network: Network, params: Tree, state: Tree, batch: Batch, key: Array | None = None, *, train: bool = False
) -> tuple[Tree, Tree, Array | None]:
    """The output for a batch, the new state, and the mask of the output's real steps where it has one."""
    if not getattr(network, "masks", False):
        return *network.apply(params, state, batch.x, key=key, train=train), None
    output, new = network.apply(params, {**state, "rows": batch.real}, batch.x, key=key, train=train)
    return output, {name: part for name, part in new.items() if name != "mask"}, new.get("mask")


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
    def mover(self) -> Mover:
        """How the optimizer moves the parameters, frozen ones left out."""
        frozen = {".".join(s.path): s.trainable for s in self.slots if not s.trainable}
        return self.optimizer.mover(frozen or None, self.total_steps)

    def lasting(self, steps: int) -> "Task":
        """The task told how long the run is, where a schedule of its optimizer lasts as long as the run."""
        return dataclasses.replace(self, total_steps=steps) if self.optimizer.follows_run else self

    def resume(self, key: Array, params: Tree, state: Tree) -> TrainState:
        """The state before the first step, from given parameters."""
        hyper = {name: jnp.float32(value) for name, value in self.loss.hyper().items()}
        return TrainState(jnp.int32(0), key, params, state, self.mover.init(params), hyper)

    def tally(self, rows: int, output: ShapeDtype) -> Tree:
        """Empty accumulators of the loss and the metrics, for an epoch of `rows` rows."""
        return {"loss": Mean().init(rows, output), **{name: m.init(rows, output) for name, m in self.metrics}}

    def prediction(self, output: Tree) -> Tree:
        """What metrics see: probabilities where the loss is taken from logits, the network's own output elsewhere."""
        return LINKS[self.loss.link](output) if self.loss.link else ending(self.network, output)

    def losses(self, output: Tree, batch: Batch, hyper: Tree, mask: Array | None = None) -> Losses:
        """The loss of each row, from logits wherever the loss has a link."""
        z = output if self.loss.link else ending(self.network, output)
        weight = batch.real if batch.by_step is None else _spread(batch.real, batch.by_step) * batch.by_step
        rows = self.loss(batch.y, z, weight=weight, mask=mask, **hyper)
        counts = self.loss.counts(batch.y, z, mask)
        return Losses(rows, batch.real if counts is None else batch.real * counts, mask)

    def tallied(self, tally: Tree, batch: Batch, output: Tree, losses: Losses, extra: Array) -> Tree:
        """The accumulators after one more batch; `extra` is the penalty, which each row bears."""
        weighted = losses.rows if batch.by_row is None else losses.rows * batch.by_row
        out = {"loss": Mean().add(tally["loss"], weighted + extra, losses.counts)}
        kept = self.loss.kept(batch.y, output, losses.mask)  # no metric counts what the loss leaves out
        kept = losses.mask if kept is None else kept
        real = batch.real if kept is None else _spread(batch.real, kept) * kept.astype(batch.real.dtype)
        for name, metric in self.metrics:
            seen = output if metric.ranks and self.loss.link == "softmax" else self.prediction(output)
            out[name] = metric.update(tally[name], batch.y, seen, real)
        return out

    def step(self, ts: TrainState, tally: Tree, batch: Batch) -> tuple[TrainState, Tree, Array]:
        """One step of training: the new state, the accumulators, and whether the loss was finite.

        Where it was not, parameters and statistics stay as they were, so that the step can be looked into.
        """
        key = random.fold(ts.key, ts.step)

        def objective(params: Tree) -> tuple[Array, tuple[Tree, Losses, Array, Tree]]:
            output, new, mask = applied(self.network, params, ts.state, batch, key, train=True)
            losses = self.losses(output, batch, ts.hyper, mask)
            extra = penalty(new, losses.rows.dtype)
            return losses.mean(batch.by_row) + extra, (output, losses, extra, new)

        (value, (output, losses, extra, new)), gradient = jax.value_and_grad(objective, has_aux=True)(ts.params)
        finite = jnp.isfinite(value)

        def stepped(ts: TrainState, gradient: Tree, new: Tree) -> TrainState:
            params, optimizer = self.mover.move(
                gradient, ts.optimizer, ts.params,
                value=value, grad=gradient, value_fn=lambda p: objective(p)[0],
            )  # fmt: skip
            return TrainState(ts.step + 1, ts.key, self.constrained(params), new, optimizer, ts.hyper)

        # a branch, not a choice between old and new: a choice keeps both, and costs as much as the rest of the update
        after = jax.lax.cond(finite, stepped, lambda ts, *_: ts, ts, gradient, new)
        return after, self.tallied(tally, batch, output, losses, extra), finite

    def constrained(self, params: Tree) -> Tree:
        """Each parameter that learns and has a constraint, projected onto it."""
        rules = {s.path: s.constraint for s in self.slots if s.trainable and s.constraint is not None}
        if not rules:
            return params

        def project(path: tuple[Any, ...], value: Array) -> Array:
            rule = rules.get(tuple(str(part.key) for part in path))
            return value if rule is None else rule(value)

        return jax.tree.map_with_path(project, params)


def _spread(rows: Array, like: Array) -> Array:
    """[batch] as [batch, 1, ...], with the axes of `like`."""
    return rows.reshape(rows.shape + (1,) * (like.ndim - 1))
