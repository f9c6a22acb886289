"""Asked: the numbers of a call, and that it brought something, looked at before any work: what comes before `given`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thalweg import data
from thalweg.errors import ConfigError, ContractError
from thalweg.losses import Loss
from thalweg.ranges import Range
from thalweg.train.callbacks import Callback

COUNT, PLACE, SHARE = Range(1, whole=True), Range(0, whole=True), Range(0, 1, open_high=True)


def number(name: str, value: Any, allowed: Range) -> Any:
    """`value` as a plain number of that range.

    Raises:
        ConfigError: it is none.

    >>> number("batch_size", np.int64(8), COUNT)
    8
    """
    plain = value.item() if isinstance(value, np.generic) else value
    if plain in allowed:
        return plain
    raise ConfigError(
        f"{name}={value!r:.80} was given; it is {allowed}.\n  Write, for example, {name}={allowed.example():g}."
    )


def batch_size(value: Any) -> int | None:
    """The rows of a batch, or None.

    Raises:
        ConfigError: it is no number from 1.
    """
    return None if value is None else number("batch_size", value, COUNT)


def callbacks(given: Any) -> Sequence[Callback]:
    """The callbacks of a run; one alone is a list of one, as in Keras.

    Raises:
        ConfigError: one is none, such as the class instead of an object.
    """
    several = given if isinstance(given, list | tuple) else [given]
    for callback in several:
        if not isinstance(callback, Callback):
            named = f"{callback.__name__}()" if isinstance(callback, type) else "an object of a subclass of Callback"
            raise ConfigError(f"callbacks holds {callback!r:.100}, which is no callback.\n  Write {named}.")
    return several


def check_inputs(x: Any) -> None:
    """Whether there are inputs at all.

    Raises:
        ContractError: there are none.
    """
    if x is None or (isinstance(x, list | tuple | Mapping) and not x) or (data.is_source(x) and not len(x)):
        what = "x is None" if x is None else f"x is an empty {type(x).__name__}"
        raise ContractError(f"{what}; a network takes rows.\n  Give an array, lists of numbers, or a source.")


def check_targets(x: Any, y: Any, loss: Loss) -> None:
    """Whether targets came as an argument of their own: `fit((x, y))` has none.

    Raises:
        ContractError: there are no inputs, or the targets seem to be among them.
    """
    check_inputs(x)
    if y is None and isinstance(x, list | tuple) and loss.target != "any" and 2 <= len(x) <= 3:
        raise ContractError(
            f"{type(loss).__name__} needs targets, and none were given; x is a {type(x).__name__} of {len(x)}.\n"
            "  Write the inputs and the targets as two arguments: fit(x, y)."
        )


def parts(validation_data: Any) -> tuple[Any, ...]:
    """`validation_data` as inputs, targets and weights, or as a source.

    Raises:
        ContractError: it is neither.
    """
    if isinstance(validation_data, tuple | list) and 2 <= len(validation_data) <= 3:
        return tuple(validation_data)
    source = validation_data[0] if isinstance(validation_data, tuple | list) and validation_data else validation_data
    if data.is_source(source) and (source is validation_data or len(validation_data) == 1):
        return (source,)
    count = f" of {len(validation_data)}" if isinstance(validation_data, tuple | list) else ""
    raise ContractError(
        f"validation_data is a {type(validation_data).__name__}{count}; inputs with their targets were expected.\n"
        "  Write validation_data=(x, y) or (x, y, weights), or give a source."
    )
