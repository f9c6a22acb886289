"""Splits: which rows train, which validate, which test.

Shuffled always, so that sorted data splits well; stratified where labels name classes. Time order is a function of its
own, and its note says so.

Stratification is systematic sampling. The rows stand in a line, shuffled and then sorted by class, and every (1/f)-th
is drawn: a class of c rows gives c f of them, rounded up or down, and the total is exact.
"""

import dataclasses
from collections.abc import Sized
from typing import Any

import numpy as np

from thalweg.data.arrays import plain
from thalweg.data.epochs import permutation
from thalweg.data.labels import strata
from thalweg.errors import ConfigError, ContractError

EMPTY = np.zeros(0, np.int64)


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of each part, ascending, and a sentence on how they were chosen."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray = dataclasses.field(default_factory=lambda: EMPTY)
    note: str = ""

    def __str__(self) -> str:
        sizes = {"training": self.train, "validation": self.validation, "test": self.test}
        counted = ", ".join(f"{len(rows):,} {name}" for name, rows in sizes.items() if len(rows))
        return f"{counted} rows: {self.note}"


def split(
    rows: int | Sized,
    validation: float = 0.0,
    test: float = 0.0,
    *,
    labels: Any = None,
    groups: Any = None,
    seed: int = 0,
) -> Split:
    """Training, validation and test rows, shuffled; stratified where `labels` name classes.

    A class with a single row stays in training. The rows of a group stay together: the shares are then those of groups.

    Args:
        rows: how many rows there are, or what has that length.
        validation: the share of all rows that validates.
        test: the share of all rows that tests.
        labels: one per row: integers, texts or one-hot rows stratify; real numbers do not.
        groups: one per row: rows that must not be parted, as copies (`equal_rows(x)`) or the records of one person.
        seed: the split is a function of it.

    Raises:
        ConfigError: shares below 0, or that leave nothing to train on.
        ContractError: another number of labels than of rows.

    >>> print(split(10, validation=0.2, labels=[0] * 5 + [1] * 5))
    8 training, 2 validation rows: shuffled with seed 0, stratified over 2 classes
    """
    n = rows if isinstance(rows, int) else len(rows)
    if groups is not None:
        first, group = _groups(n, groups)
        parted = split(len(first), validation, test, labels=_of_first(labels, first, n), seed=seed)
        return _of_groups(parted, group)
    wanted_validation, wanted_test = _counts(n, validation, test)
    codes, how = _strata(n, labels)
    line = _line(codes, seed)
    tested = _drawn(codes[line], wanted_test)
    rest = line[~tested]
    validated = _drawn(codes[rest], wanted_validation)
    parts = Split(np.sort(rest[~validated]), np.sort(rest[validated]), np.sort(line[tested]))
    return dataclasses.replace(parts, note=f"shuffled with seed {seed}, {how}{_absent(parts, codes)}")


def split_by_time(rows: int | Sized, validation: float = 0.0, test: float = 0.0, *, gap: int = 0) -> Split:
    """The first rows train, later ones validate, the last test: for data whose rows follow each other in time.

    Args:
        rows: how many rows there are, or what has that length.
        validation: the share of all rows that validates.
        test: the share of all rows that tests.
        gap: rows left out between the parts, so that windows over time do not overlap.

    >>> split_by_time(10, validation=0.2).validation
    array([8, 9])
    """
    n = rows if isinstance(rows, int) else len(rows)
    validated, tested = _counts(n, validation, test)
    ends = n - tested - bool(tested) * gap, n - tested
    trained = ends[0] - validated - bool(validated) * gap
    if gap < 0 or trained < 1:
        raise ConfigError(f"gap={gap} leaves {trained} of {n} rows to train on.\n  Write a smaller gap, from 0.")
    note = "in the order of time, not shuffled" + (f", {gap} rows left out between the parts" if gap else "")
    return Split(np.arange(trained), np.arange(ends[0] - validated, ends[0]), np.arange(ends[1], n), note)


def kfold(rows: int | Sized, folds: int, *, labels: Any = None, groups: Any = None, seed: int = 0) -> tuple[Split, ...]:
    """`folds` splits that each validate on another part, shuffled, stratified and grouped as `split` does.

    >>> [s.validation.tolist() for s in kfold(4, 2, labels=[0, 0, 1, 1])]
    [[0, 2], [1, 3]]
    """
    n = rows if isinstance(rows, int) else len(rows)
    if groups is not None:
        first, group = _groups(n, groups)
        parted = kfold(len(first), folds, labels=_of_first(labels, first, n), seed=seed)
        return tuple(_of_groups(fold, group) for fold in parted)
    if not 2 <= folds <= n:
        raise ConfigError(f"folds={folds} does not fit {n} rows.\n  Write a number from 2 to {n}.")
    codes, how = _strata(n, labels)
    line = _line(codes, seed)
    fold = np.arange(n) % folds
    note = f"of {folds} folds, shuffled with seed {seed}, {how}"
    return tuple(
        Split(np.sort(line[fold != k]), np.sort(line[fold == k]), note=f"fold {k + 1} {note}") for k in range(folds)
    )


def _groups(n: int, groups: Any) -> tuple[np.ndarray, np.ndarray]:
    """The first row of each group, ascending, and the place of each row's group among these."""
    if len(groups) != n:
        raise ContractError(f"{len(groups)} groups for {n} rows.\n  Write one group per row.")
    _, first, group = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
    return np.sort(first), np.argsort(np.argsort(first))[group.reshape(-1)]


def _of_first(labels: Any, first: np.ndarray, n: int) -> Any:
    if labels is None or len(labels) != n:
        return labels
    return plain(labels, "labels")[first]


def _of_groups(parted: Split, group: np.ndarray) -> Split:
    train, validation, test = (
        np.flatnonzero(np.isin(group, part)) for part in (parted.train, parted.validation, parted.test)
    )
    more = len(group) - int(group.max(initial=-1)) - 1
    together = f"; {more} rows stay with others of their group" if more else ""
    return Split(train, validation, test, f"{parted.note}{together}")


def _counts(n: int, *shares: float) -> tuple[int, ...]:
    counts = tuple(max(1, round(n * share)) if share else 0 for share in shares)
    if min(shares) < 0 or sum(shares) >= 1 or sum(counts) >= n:
        raise ConfigError(
            f"validation={shares[0]} and test={shares[1]} of {n} rows leave nothing to train on, or are below 0.\n"
            "  Write shares such as validation=0.1."
        )
    return counts


def _strata(n: int, labels: Any) -> tuple[np.ndarray, str]:
    if labels is None:
        return np.zeros(n, np.int64), "not stratified (no labels)"
    if len(labels) != n:
        raise ContractError(f"{len(labels)} labels for {n} rows.\n  Write one label per row.")
    codes = strata(labels)
    if codes is None:
        return np.zeros(n, np.int64), "not stratified (the targets name no classes)"
    return codes, f"stratified over {codes.max() + 1} classes"


def _line(codes: np.ndarray, seed: int) -> np.ndarray:
    shuffled = permutation(len(codes), seed, "split")
    return shuffled[np.argsort(codes[shuffled], kind="stable")]


def _drawn(codes: np.ndarray, wanted: int) -> np.ndarray:
    # every (m / wanted)-th of the m rows whose class has another row: the place's share steps over a whole number there
    free = np.bincount(codes)[codes] > 1
    place, m = np.cumsum(free), max(1, int(free.sum()))
    wanted = min(wanted, m)
    return free & (place * wanted // m > (place - 1) * wanted // m)


def _absent(parts: Split, codes: np.ndarray) -> str:
    out = ""
    for name, rows in (("training", parts.train), ("validation", parts.validation), ("test", parts.test)):
        missing = np.setdiff1d(np.arange(codes.max() + 1), codes[rows]) if len(rows) else EMPTY
        if missing.size:
            out += f"; {missing.size} of the classes (the first is number {missing[0]}) too small for {name}"
    return out
