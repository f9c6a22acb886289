"""Checked: what was given, after every contract has been held against it. The second step of `calls`.

Arrays are checked as a whole before the first step. Of a source each piece is, as it is read, before a step sees it.
"""

import dataclasses
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from thalweg import data
from thalweg.core import ModuleNetwork
from thalweg.errors import ContractError
from thalweg.train import contract
from thalweg.train.callbacks import Callback, monitors
from thalweg.train.given import Given
from thalweg.train.training import Training
from thalweg.train.windows import Hold

BATCH = 32


class Checked(NamedTuple):
    """What was given, with targets in the dtype of the loss, and which of its rows take part."""

    given: Given
    rows: np.ndarray
    hold: Hold  # the contract against a piece of a source


class Holdout(NamedTuple):
    """The rows that validate: some of their own, or a share of those given to train."""

    given: Given | None = None
    share: float = 0.0
    how: str = "shuffled"  # or "time": those from the end


class Parts(NamedTuple):
    """The rows that train, those that validate, and how many make a batch."""

    train: Checked
    validation: Checked | None
    batch_size: int
    watch: contract.Passing | None = None  # looks for copies among rows that only an epoch has read


def for_training(
    training: Training,
    given: Given,
    holdout: Holdout,
    batch_size: int | None,
    callbacks: Sequence[Callback],
    *,
    class_weight: Any,
    seed: int,
) -> Parts:
    """Rows to train and to validate on.

    Args:
        training: what will train.
        given: what `fit` was given.
        holdout: the rows that validate.
        batch_size: rows a step; 32, or all rows where there are fewer, when None.
        callbacks: whose monitors are checked.
        class_weight: a weight for each class, or "balanced".
        seed: of the split.

    Raises:
        ContractError: what was given does not fit.
    """
    split = _split(given, holdout, seed)
    size = batch_size or min(BATCH, len(split.train))
    names = _logged(training, validates=holdout.given is not None or holdout.share > 0)
    _check(training, given, batch_size=size, names=names, monitors=monitors(callbacks))
    train = _checked(training, given, split.train, by_class=class_weight)
    if holdout.given is not None:
        _check(training, holdout.given, names=names, where="validation ")
        validation = _checked(training, holdout.given, np.arange(len(holdout.given)), "validation ")
    elif holdout.share:
        validation = train._replace(rows=split.validation)
        if class_weight is not None:  # which is for training alone, as for rows given apart
            validation = _checked(training, dataclasses.replace(train.given, weight=given.weight), split.validation)
    else:
        validation = None
    _check_weighed(train, validation)
    if validation is None:
        return Parts(train, None, size)
    if train.given.source is None and validation.given.source is None:
        contract.check_overlap((train.given.x, train.rows), (validation.given.x, validation.rows))
        return Parts(train, validation, size)
    watch = contract.passing((train.given, train.rows), (validation.given, validation.rows))
    if watch is None:
        return Parts(train, validation, size)
    return Parts(_noted(train, watch.train), _noted(validation, watch.validation), size, watch)


def _noted(part: Checked, passed: contract.Passed) -> Checked:
    """The part, whose rows are looked for among those of another as they are read."""

    def hold(chunk: data.Chunk) -> data.Chunk:
        chunk = part.hold(chunk)
        passed.note(chunk)
        return chunk

    return part._replace(hold=hold)


def for_evaluation(training: Training, given: Given, class_weight: Any = None) -> Checked:
    """Rows to evaluate on, or to take one step on.

    Raises:
        ContractError: what was given does not fit.
    """
    _check(training, given)
    return _checked(training, given, np.arange(len(given)), by_class=class_weight)


def for_prediction(module: Any, given: Given) -> Checked:
    """Rows to predict: finite numbers, and indices that the Embedding that reads them has, as in training.

    Raises:
        ContractError: a number is not finite, or an index is out of range.
    """
    contract.check_inputs(module, given.x)

    def hold(chunk: data.Chunk) -> data.Chunk:
        try:
            contract.check_inputs(module, chunk.x)
        except ContractError as error:
            raise ContractError(f"counted from row {chunk.rows.flat[0]} of the source: {error}") from None
        return chunk

    return Checked(given, np.arange(len(given)), hold)


def _check_weighed(train: Checked, validation: Checked | None) -> None:
    """Whether some row of each part counts: weights by class and a split may leave one part those of weight 0."""
    for does, part in (("trains", train), ("validates", validation)):
        if part is None or part.given.weight is None:
            continue
        if not np.asarray(part.given.weight)[part.rows].any():
            raise ContractError(
                f"every row that {does} has the weight 0, by sample_weight, class_weight or both.\n"
                "  Give some of them a weight above 0; validation_data chooses the rows that validate."
            )


def _check(training: Training, given: Given, **more: Any) -> None:
    contract.check(_facts(training, given, **more))
    if given.buckets is not None:
        _check_lengths(training, given.buckets)


def _check_lengths(training: Training, buckets: data.BucketSource) -> None:
    """Whether the network takes the length of each bucket; an error before any work is lost."""
    for k in range(buckets.count):
        spec = buckets.spec(k)
        try:
            training.output(spec)
        except (TypeError, ValueError) as error:
            shapes = ", ".join(str(leaf.shape[1:]) for leaf in jax.tree.leaves(spec))
            raise ContractError(
                f"the network does not take inputs of shape {shapes}, those of bucket {k}: {error}\n"
                "  Its weights must not depend on the length (no Flatten over it); or fit on pad(ids)."
            ) from error


def _checked(training: Training, given: Given, rows: np.ndarray, where: str = "", by_class: Any = None) -> Checked:
    """`given`, which has passed, weighted by class too; what is read of a source is still to pass."""
    loss = training.task.loss

    def hold(chunk: data.Chunk) -> data.Chunk:
        numbers = chunk.rows.reshape(-1)
        piece = Given(chunk.x, chunk.y, chunk.weight, classes=given.classes)
        facts = _facts(training, piece, where=where, whole=False)
        contract.check_piece(facts, np.where(numbers < 0, numbers[0], numbers))
        weight = _weights(facts, by_class, given.classes)
        return chunk._replace(y=contract.adapted(loss, chunk.y), weight=weight)

    weight = given.weight
    if by_class is not None and given.source is None:
        weight = _weights(_facts(training, given), by_class, given.classes, rows)
    return Checked(dataclasses.replace(given, y=contract.adapted(loss, given.y), weight=weight), rows, hold)


def _facts(training: Training, given: Given, **more: Any) -> contract.Facts:
    network = training.task.network
    final = contract.activation_name(getattr(network, "activation", None))
    if isinstance(network, ModuleNetwork):
        more["before"] = contract.hidden_activation(network.module, training.task.slots)
        more["indices"] = getattr(network.module, "indices", None)
    more["metrics"] = training.task.metrics
    output = training.output(given.spec)
    return contract.Facts(training.task.loss, output, final, given.x, given.y, given.weight, **more)


def _logged(training: Training, *, validates: bool) -> tuple[str, ...]:
    """The names that an epoch's logs will have."""
    names = ("loss", *(name for name, _ in training.task.metrics))
    return names + tuple(f"val_{name}" for name in names) * validates


def _weights(f: contract.Facts, by_class: Any, classes: tuple[Any, ...] | None, rows: np.ndarray | None = None) -> Any:
    """The weights that were given, times those by class."""
    if by_class is None:
        return f.weight
    a = contract.class_weights(f, by_class, classes, rows)
    if f.weight is None:
        return a
    b = np.asarray(f.weight)
    b = b.reshape(len(b)) if b.size == len(b) else b
    axes = max(a.ndim, b.ndim)
    return np.multiply(*(w.reshape(w.shape + (1,) * (axes - w.ndim)) for w in (a, b)))


def _split(given: Given, holdout: Holdout, seed: int) -> data.Split:
    if holdout.share and holdout.given is not None:
        raise ContractError("validation_split and validation_data were both given.\n  Give one of them.")
    if holdout.how not in ("shuffled", "time"):
        raise ContractError(f"split={holdout.how!r} is unknown.\n  Write split='shuffled' or split='time'.")
    if not holdout.share:
        return data.Split(np.arange(len(given)), np.arange(0))
    if holdout.how == "time":
        split = data.split_by_time(len(given), holdout.share)
        warnings.warn(f"the last {len(split.validation)} rows validate: {split.note}.", stacklevel=5)
        return split
    labels = given.y if isinstance(given.y, np.ndarray | jax.Array) else None
    return data.split(len(given), holdout.share, labels=labels, seed=seed)
