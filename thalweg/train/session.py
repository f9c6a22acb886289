"""Sessions: from a network and settings to something that trains, predicts, and gives its weights."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from thalweg import random, tree
from thalweg.core import Module, Network, children
from thalweg.errors import ContractError
from thalweg.losses import Loss
from thalweg.metrics import Metric
from thalweg.optim import Optimizer
from thalweg.train.evaluate import results
from thalweg.train.feed import Feed
from thalweg.train.program import moved, predict_program, start_program, train_program
from thalweg.train.task import Session, Task
from thalweg.types import Spec, Tree, row_spec

PREDICT_BATCH = 256


@runtime_checkable
class Inputs(Protocol):
    """Rows of inputs, read a block at a time."""

    def __len__(self) -> int:
        """How many rows there are."""
        ...

    def inputs(self, first: int, last: int) -> Tree:
        """Rows `first` up to `last`."""
        ...


def declared(module: Any) -> Spec:
    """The inputs that the network itself states: a graph's inputs, or `input_shape` of its first layer."""
    stated = getattr(module, "input_spec", None)
    if stated is not None:
        return stated
    first = module
    while isinstance(first, Module):
        if first.input_shape is not None:
            indices = getattr(module, "indices", None)
            return row_spec(first.input_shape, "int32" if indices and indices(0) else "float32")
        first = next((child for _, child in children(first)), None)
    raise ContractError(
        "the shape of the inputs is not known yet.\n"
        "  Give the first layer input_shape=(...), call model.build((None, ...)), or fit first."
    )


def initial(network: Network, seed: int, spec: Spec) -> tuple[Tree, Tree]:
    """The network's parameters and state under a seed."""
    return network.init(random.fold(random.key(seed), "init"), spec)


def start(
    network: Network,
    loss: Loss,
    optimizer: Optimizer,
    metrics: tuple[tuple[str, Metric], ...],
    seed: int,
    spec: Spec,
    weights: tuple[Tree, Tree],
) -> Session:
    """A session whose training begins at `weights`."""
    slots = network.slots(spec) if hasattr(network, "slots") else ()  # type: ignore[attr-defined]
    task = lasting(Task(network, loss, optimizer, metrics, slots), 1)  # `fit` says how long it really is
    output = jax.eval_shape(lambda p, s, x: network.apply(p, s, x, key=None, train=False)[0], *weights, spec)
    return Session(task, start_program(task)(random.fold(random.key(seed), "steps"), *weights), output)


def lasting(task: Task, steps: int) -> Task:
    """`task` told how long the run is, where a schedule of its optimizer lasts as long as the run."""
    scheduled = callable(getattr(task.optimizer, "learning_rate", None))
    return dataclasses.replace(task, total_steps=steps) if scheduled else task


def predict(network: Network, params: Tree, state: Tree, x: Inputs, batch_size: int | None) -> Any:
    """The output for each row of `x`, in batches of one compiled shape; a streamed source is read a batch at a time.

    What stateful layers carry goes on from batch to batch, and is forgotten at the end.
    """
    rows = len(x)
    size = min(batch_size or PREDICT_BATCH, 1 << max(0, rows - 1).bit_length())
    run = predict_program(network)
    parts = []
    for first in range(0, rows, size):
        count = min(size, rows - first)
        part = jax.tree.map(lambda a: _padded(a, size), x.inputs(first, first + count))
        output, leaves = run(params, state, part)
        parts.append(jax.tree.map(lambda a, c=count: np.asarray(a)[:c], output))
        state = moved(state, leaves)
    return jax.tree.map(lambda *a: np.concatenate(a), *parts)


class Ready(NamedTuple):
    """Inputs that came as the program takes them, so that the next ones like them need no looking at."""

    shape: tuple[int, ...]
    dtype: np.dtype
    run: Callable[..., Tree]
    most: int | None = None  # below which number indices must be

    def takes(self, x: Any) -> bool:
        """Whether `x` is such an array."""
        same = type(x) is np.ndarray and x.shape == self.shape and x.dtype == self.dtype
        return same and (self.most is None or not x.size or bool(x.min() >= 0 and x.max() < self.most))

    def __call__(self, params: Tree, state: Tree, x: np.ndarray) -> Any:
        """The output for `x`."""
        out, _ = self.run(params, state, x)
        return np.array(out) if isinstance(out, jax.Array) else jax.tree.map(np.array, out)


def ready(network: Network, x: Any, given: Tree) -> Ready | None:
    """What to keep after a prediction on `x`, of which `given` was made: nothing, unless one call took it as it was."""
    whole = type(x) is np.ndarray and given is x and len(x) in {1 << n for n in range(PREDICT_BATCH.bit_length())}
    indices = getattr(getattr(network, "module", None), "indices", None)
    most = indices(0) if indices else None
    whole = whole and (most is None or x.dtype.kind in "iu")
    return Ready(x.shape, x.dtype, predict_program(network), most) if whole else None


def one_step(session: Session, feed: Feed) -> dict[str, Any]:
    """One training step on all rows of `feed`; the loss and the metrics of that batch before the step."""
    order = feed.rows.astype(np.int32)[None]
    window = next(iter(feed.windows(order, 0)))
    tally = session.task.tally(len(feed.rows), session.output)
    first, last = jnp.int32(0), jnp.int32(1)
    session.ts, tally, *_ = train_program(session.task)(session.ts, tally, window.data, window.order, first, last)
    return results(session.task, tally)


def named(params: Tree, state: Tree) -> dict[str, np.ndarray]:
    """Parameters and statistics by dotted path, layer by layer, as copies."""
    values = dict(_arrays(params, state))
    layers = dict.fromkeys(name.rpartition(".")[0] for name in values)
    return {n: np.array(v) for layer in layers for n, v in values.items() if n.rpartition(".")[0] == layer}


def replaced(params: Tree, state: Tree, weights: Sequence[Any] | Mapping[str, Any]) -> tuple[Tree, Tree]:
    """`params` and `state` with other numbers; names and shapes must be the same."""
    old = named(params, state)
    if not isinstance(weights, Mapping):
        if len(weights) != len(old):
            raise ContractError(
                f"the network has {len(old)} arrays; {len(weights)} were given.\n  In order: {', '.join(old)}."
            )
        weights = dict(zip(old, weights, strict=True))
    unknown = sorted(set(weights) ^ set(old))
    if unknown:
        raise ContractError(
            f"the weights do not fit: {', '.join(unknown[:5])} on one side only.\n  Use the same architecture."
        )
    for name, value in weights.items():
        if np.shape(value) != old[name].shape:
            raise ContractError(f"{name} has shape {old[name].shape}; the given array has {np.shape(value)}.")
    new = {name: jnp.asarray(value, old[name].dtype) for name, value in weights.items()}
    params = tree.map_named(lambda name, _: new[name], params)
    if "variables" in state:
        state = {**state, "variables": tree.map_named(lambda name, _: new[name], state["variables"])}
    return params, state


def _arrays(params: Tree, state: Tree) -> Iterator[tuple[str, Any]]:
    yield from tree.by_name(params).items()
    if isinstance(state, dict):
        yield from tree.by_name(state.get("variables", {})).items()


def _padded(a: Any, size: int) -> Any:
    if a.shape[0] == size:
        return a
    return np.concatenate([a, np.zeros((size - a.shape[0], *a.shape[1:]), a.dtype)])
