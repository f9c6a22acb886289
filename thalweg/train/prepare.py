"""From what people have to feeds: arrays of any kind, labels, weights, splits; checked before the first step."""

import dataclasses
import warnings
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from thalweg import data
from thalweg.core import ModuleNetwork
from thalweg.errors import ContractError
from thalweg.train import contract
from thalweg.train.buckets import Bucketed
from thalweg.train.callbacks import Callback, monitors
from thalweg.train.feed import Feed, Look, Resident, Streamed, as_it_is
from thalweg.train.task import Session
from thalweg.types import Tree

BATCH = 32
EVALUATION_BATCH = 256


@dataclasses.dataclass(frozen=True)
class Given:
    """What a call brought: arrays with their rows first, or a source to be streamed."""

    x: Tree
    y: Tree = None
    weight: np.ndarray | None = None
    source: data.Source | None = None
    classes: tuple[Any, ...] | None = None
    buckets: data.BucketSource | None = None  # whose rows x, y and weight are
    look: Look = as_it_is  # what a source's rows are held against as they are read

    def __len__(self) -> int:
        return len(self.source) if self.source is not None else len(jax.tree.leaves(self.x)[0])

    @property
    def spec(self) -> Tree:
        """One row of the inputs, as shapes and dtypes."""
        x = data.take(self.source, np.arange(1))[0] if self.source is not None else self.x
        return jax.tree.map(lambda a: jax.ShapeDtypeStruct((1, *np.shape(a)[1:]), _dtype(a)), x)

    def inputs(self, first: int, last: int) -> Tree:
        """The inputs of rows `first` up to `last`."""
        if self.source is not None:
            rows = np.arange(first, last)
            return self.look(data.Chunk(*data.take(self.source, rows), rows[None])).x
        return jax.tree.map(lambda a: a[first:last], self.x)

    def feed(self, rows: np.ndarray | None = None) -> Feed:
        """The rows (all of them unless said) for a program."""
        rows = np.arange(len(self)) if rows is None else rows
        if self.source is not None:
            return Streamed(self.source, rows, self.look)
        if self.buckets is not None:
            return Bucketed.of(dataclasses.replace(self.buckets, x=self.x, y=self.y, weight=self.weight), rows)
        return Resident(jax.device_put((self.x, self.y, self.weight)), rows)  # an aligned array is shared, not copied


def given(
    x: Any, y: Any = None, weight: Any = None, classes: tuple[Any, ...] | None = None, dtype: str = "float32"
) -> Given:
    """`x`, `y` and weights as arrays; labels that are texts as codes, of known `classes` where there are some."""
    buckets = x if isinstance(x, data.BucketSource) else None
    if data.is_source(x):
        source = data.as_source(x)
        if buckets is None and (not isinstance(source, data.ArraySource) or source.mapped):
            return Given(None, source=source, classes=classes)
        x, y, weight = source.x, source.y, source.weight  # pyright: ignore[reportAttributeAccessIssue]
    if _are_texts(y):
        labels = data.Labels(classes) if classes else data.Labels.fit(y)
        y, classes = labels(y), labels.classes
    found = data.from_arrays(x, y, weight, dtype=dtype)
    return Given(found.x, found.y, found.weight, classes=classes, buckets=buckets)


def inputs(x: Any, spec: Tree) -> Any:
    """`x`, where it is a list or tuple for a network of several inputs: their arrays, in the network's order.

    Without this rule a list of arrays of one shape would be rows, as it is for a network of one input.

    Args:
        x: what a call brought.
        spec: a row of the network's inputs, a tuple where it has several; None where that is not known.

    Raises:
        ContractError: there are more or fewer than the network has inputs.
    """
    if not isinstance(spec, tuple) or not isinstance(x, list | tuple):
        return x
    if len(x) != len(spec):
        raise ContractError(
            f"x is a {type(x).__name__} of {len(x)}; the network has {len(spec)} inputs.\n"
            f"  Write x=[{', '.join('abcdefgh'[: len(spec)])}], an array with all rows for each input, in their order."
        )
    arrays = (data.as_arrays(v, np.float64, name=f"x[{i}]") if isinstance(v, list) else v for i, v in enumerate(x))
    return tuple(arrays)


def training(
    model: Session,
    found: Given,
    batch_size: int | None,
    hooks: Sequence[Callback],
    *,
    share: float,
    validation: Given | None,
    class_weight: Any,
    seed: int,
    split: str,
) -> tuple[Feed, Feed | None, int]:
    """The training rows, the validation rows, and the batch size; every contract is checked.

    Args:
        model: the session that will train.
        found: what `fit` was given.
        batch_size: rows a step; 32, or all rows where there are fewer, when None.
        hooks: the callbacks, whose monitors are checked.
        share: the fraction of rows that validates.
        validation: rows that validate, given apart.
        class_weight: a weight for each class, or "balanced".
        seed: of the split.
        split: "shuffled" (stratified by label) or "time".

    Raises:
        ContractError: what was given does not fit.
    """
    if share and validation is not None:
        raise ContractError("validation_split and validation_data were both given.\n  Give one of them.")
    parts = _split(found, share, seed, split)
    size = batch_size or min(BATCH, len(parts.train))
    given_names = ("loss", *(name for name, _ in model.task.metrics))
    validates = validation is not None or share > 0
    names = given_names + tuple(f"val_{name}" for name in given_names) * validates
    facts = _facts(model, found, batch_size=size, names=names, monitors=monitors(hooks))
    contract.check(facts if found.source is None else dataclasses.replace(facts, x=None))
    balance = contract.class_weights(found.y, class_weight)
    weight = balance if found.weight is None or balance is None else (found.weight.T * balance).T
    ready = dataclasses.replace(looked_at(model, found), weight=found.weight if weight is None else weight)
    whole = ready.feed(parts.train)
    if validation is not None:
        contract.check(_facts(model, validation, names=names, where="validation "))
        if found.source is None and validation.source is None:
            contract.check_overlap((found.x, parts.train), (validation.x, np.arange(len(validation))))
        return whole, looked_at(model, validation, "validation ").feed(), size
    if share:
        if found.source is None:
            contract.check_overlap((found.x, parts.train), (found.x, parts.validation))
        return whole, dataclasses.replace(whole, rows=parts.validation), size  # type: ignore[type-var]
    return whole, None, size


def check_lengths(model: Session, *found: Given | None) -> None:
    """Whether the network takes the length of each bucket; a `ContractError` before any work is lost."""
    network, ts = model.task.network, model.ts
    for buckets in (given.buckets for given in found if given is not None and given.buckets is not None):
        for k in range(buckets.count):
            spec = buckets.spec(k)
            try:
                jax.eval_shape(
                    lambda p, s, x: network.apply(p, s, x, key=None, train=False)[0], ts.params, ts.state, spec
                )
            except (TypeError, ValueError) as error:
                shapes = ", ".join(str(leaf.shape[1:]) for leaf in jax.tree.leaves(spec))
                raise ContractError(
                    f"the network does not take inputs of shape {shapes}, those of bucket {k}: {error}\n"
                    "  Its weights must not depend on the length (no Flatten over it); or fit on pad(ids)."
                ) from error


def evaluation(model: Session, found: Given, class_weight: Any = None) -> Feed:
    """Rows to evaluate on, checked."""
    check_lengths(model, found)
    contract.check(_facts(model, found))
    weight = contract.class_weights(found.y, class_weight) if class_weight is not None else found.weight
    return dataclasses.replace(looked_at(model, found), weight=weight).feed()


def looked_at(model: Session, found: Given, where: str = "") -> Given:
    """`found` with targets in the dtype of the loss; the rows of a source are held against the contract when read."""
    loss = model.task.loss

    def look(chunk: data.Chunk) -> data.Chunk:
        numbers = chunk.rows.reshape(-1)
        piece = _facts(model, Given(chunk.x, chunk.y, chunk.weight), where=where)
        contract.check_piece(piece, np.where(numbers < 0, numbers[0], numbers))
        return chunk._replace(y=contract.adapted(loss, chunk.y))

    return dataclasses.replace(found, y=contract.adapted(loss, found.y), look=look)


def inputs_looked_at(module: Any, found: Given) -> Given:
    """`found` for a prediction: indices are held against the Embedding that reads them, of a source as they are read.

    Raises:
        ContractError: an index is out of range.
    """
    contract.check_indices(module, found.x)

    def look(chunk: data.Chunk) -> data.Chunk:
        try:
            contract.check_indices(module, chunk.x)
        except ContractError as error:
            raise ContractError(f"counted from row {chunk.rows.flat[0]} of the source: {error}") from None
        return chunk

    return dataclasses.replace(found, look=look)


def _facts(model: Session, found: Given, **more: Any) -> contract.Facts:
    network = model.task.network
    final = contract.activation_name(getattr(network, "activation", None))
    if isinstance(network, ModuleNetwork):
        more["before"] = contract.hidden_activation(network.module, model.task.slots)
        more["indices"] = getattr(network.module, "indices", None)
    return contract.Facts(model.task.loss, model.output, final, found.x, found.y, found.weight, **more)


def _split(found: Given, share: float, seed: int, how: str) -> data.Split:
    if how not in ("shuffled", "time"):
        raise ContractError(f"split={how!r} is unknown.\n  Write split='shuffled' or split='time'.")
    if not share:
        return data.Split(np.arange(len(found)), np.arange(0))
    if how == "time":
        parts = data.split_by_time(len(found), share)
        warnings.warn(f"the last {len(parts.validation)} rows validate: {parts.note}.", stacklevel=4)
        return parts
    one = found.y if isinstance(found.y, np.ndarray | jax.Array) else None
    return data.split(len(found), share, labels=one, seed=seed)


def _are_texts(y: Any) -> bool:
    array = getattr(y, "dtype", None)
    if array is not None:
        return getattr(array, "kind", "") in "USTO" or str(array) in ("category", "string", "str")
    return isinstance(y, list | tuple) and bool(y) and isinstance(y[0], str)


def _dtype(a: Any) -> Any:
    return jax.dtypes.canonicalize_dtype(a.dtype)
