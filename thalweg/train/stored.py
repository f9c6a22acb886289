"""Stored: the forms of what a checkpoint's `meta.json` says.

Digests tell what a disk or a hand has spoiled. Where a hand wrote the digests anew too, these tell whether it kept to
the keys, the kinds and the order that `save` writes.
"""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from thalweg import forms
from thalweg.errors import CheckpointError, FormatError
from thalweg.forms import Count, Form

Leaf = Annotated[tuple[str, list[Count], str], Field(strict=False)]  # JSON has lists
Shape = Annotated[tuple[list[Count], str], Field(strict=False)]


class Record(Form):
    """The leaves, where each lies, and what the caller added."""

    format: int
    leaves: list[Leaf]
    together: list[list[Count]]
    spread: list[Count]
    weak: list[bool]
    meta: dict[str, Any]


class Epoch(Form, extra="allow"):
    """A line of the history."""

    epoch: Count


class Run(Form):
    """What a run adds: where it stands."""

    step: Count
    epoch: Count
    index: Count
    base: Count
    ended: bool
    history: list[Epoch]
    settings: dict[str, Any]
    memory: dict[str, dict[str, Any]]
    held: dict[str, Shape]


def check(path: Any, form: type[BaseModel], value: Any) -> None:
    """Hold what the checkpoint at `path` says against `form`.

    Raises:
        CheckpointError: a key is missing, unknown or of another kind.
    """
    try:
        forms.check(form, value)
    except FormatError as error:
        raise edited(path, error) from None


def check_places(path: Any, record: dict[str, Any]) -> None:
    """Whether each leaf lies in one place, in order.

    Raises:
        CheckpointError: one lies in none, in two, or out of order.
    """
    count = len(record["leaves"])
    packed = [i for group in record["together"] for i in group]
    for name, places in (("together", packed), ("spread", record["spread"])):
        if places != sorted(places):
            raise edited(path, f"{name} is out of order")
    if sorted(packed + record["spread"]) != list(range(count)) or len(record["weak"]) != count:
        raise edited(path, f"together, spread and weak are not of {count} leaves")
    for (name, shape, dtype), weak in zip(record["leaves"], record["weak"], strict=True):
        if weak and (shape or dtype.startswith("key<")):
            raise edited(path, f"weak holds of {name}, which is no single number")


def edited(path: Any, what: Any) -> CheckpointError:
    """The error for a checkpoint whose `meta.json` no `save` has written."""
    return CheckpointError(
        f"the checkpoint {path} was edited: in meta.json {what}.\n"
        "  Resume from another one of its folder, or bring it back from a copy."
    )
