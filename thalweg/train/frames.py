"""Frames: names of columns and of rows, which arrays have not, so that neither is mixed up in silence."""

from collections.abc import Mapping
from typing import Any

from thalweg.errors import ContractError, nearest

Columns = tuple[str, ...] | None


def named(x: Any) -> Columns:
    """The names of a frame's columns; None for what has none, as where they are numbered."""
    if not (hasattr(x, "columns") and hasattr(x, "iloc")):
        return None
    names = tuple(x.columns)
    return names if all(isinstance(name, str) for name in names) else None


def held(x: Any, known: Columns, *, trains: bool = False) -> Columns:
    """The columns that the network knows after a call with `x`: those of the frame that last trained it.

    Raises:
        ContractError: the frame has these in another order; or others, where nothing is trained.
    """
    names = named(x)
    if names is None or names == known or known is None:
        return names if trains and names is not None else known
    if sorted(names) == sorted(known):
        listed = f"{list(known)[:8]!r}{'[...]' if len(known) > 8 else ''}"
        place = next(i for i, (a, b) in enumerate(zip(names, known, strict=True)) if a != b)
        raise ContractError(
            f"column {place} of x is {names[place]!r}; in the frame that trained this model it was {known[place]!r}.\n"
            f"  Write x[{listed}]: a network knows columns by their place."
        )
    if trains:
        return names
    gone = next((name for name in known if name not in names), None)
    if gone is not None:
        raise ContractError(f"x has no column {gone!r}, which trained this model.\n  {nearest(gone, names)}")
    more = next(name for name in names if name not in known)
    raise ContractError(f"x has a column {more!r}, which did not train this model.\n  Write x.drop(columns={more!r}).")


def check_rows(x: Any, **others: Any) -> None:
    """Hold the index of a frame of inputs against those of other inputs, targets, weights: rows belong by their place.

    Raises:
        ContractError: they are the same in another order, as where one alone was shuffled or sorted.
    """
    inputs = x.items() if isinstance(x, Mapping) else enumerate(x) if isinstance(x, tuple | list) else ()
    named = {"x": x, **{f"x[{key!r}]": part for key, part in inputs}, **others}
    tables = [(name, index) for name, value in named.items() if (index := _index(value)) is not None]
    for name, mine in tables[1:]:
        first, index = tables[0]
        if len(index) != len(mine) or index.equals(mine) or not (index.is_unique and mine.is_unique):
            continue
        if index.isin(mine).all():
            row = int((index != mine).argmax())
            here, there = index.tolist()[row], mine.tolist()[row]
            raise ContractError(
                f"row {row} of {first} has the index {here!r}, row {row} of {name} {there!r}: the same rows"
                f" in another order.\n  Write {name}.loc[{first}.index] where the index says what belongs together,"
                f" {name}.to_numpy() where the place does."
            )


def _index(value: Any) -> Any:
    return value.index if hasattr(value, "iloc") and hasattr(value, "index") else None
