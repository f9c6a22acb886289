"""A target beside an output: what losses and metrics share, and where a silent broadcast is refused."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from thalweg.errors import ContractError
from thalweg.kernels import softmax
from thalweg.types import Array, Bool, Float, Int, Shaped


def aligned(target: Shaped[Array, "..."], output: Float[Array, "..."]) -> Float[Array, "..."]:
    """`target` in the shape and the dtype of `output`; only a last axis of one column is added or taken away.

    Raises:
        ContractError: the shapes differ otherwise. NumPy would broadcast (8,) against (8, 1) to (8, 8) and say nothing.

    >>> aligned(jnp.array([1, 0]), jnp.zeros((2, 1))).shape
    (2, 1)
    """
    if target.shape in (output.shape[:-1], (*output.shape, 1)) and target.size == output.size:
        target = target.reshape(output.shape)
    if target.shape != output.shape:
        raise ContractError(
            f"the target has shape {target.shape}, the output {output.shape}; they must be the same.\n"
            "  Give one target for each output, or end the network with as many units as a target has columns."
        )
    return target.astype(output.dtype)


def class_index(target: Shaped[Array, "..."], output: Float[Array, "..."]) -> Int[Array, "..."]:
    """`target` as class numbers, one for each row of `output`'s last axis: [...] or [..., 1] -> [...].

    Raises:
        ContractError: the target has another shape, such as that of one-hot rows.

    >>> class_index(jnp.array([[2.0], [0.0]]), jnp.zeros((2, 3))).tolist()
    [2, 0]
    """
    rows = output.shape[:-1]
    if target.shape not in (rows, (*rows, 1)):
        raise ContractError(
            f"the target has shape {target.shape}; class numbers for outputs {output.shape} have shape {rows}.\n"
            "  Give integers, one for each row; of one-hot rows take y.argmax(-1), or write the categorical form."
        )
    return target.reshape(rows).astype(jnp.int32)


def is_class(index: Int[Array, "*rows"], like: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
    """Where the last axis of `like` is the class `index`: [...] -> [..., classes]."""
    return jax.lax.broadcasted_iota(index.dtype, like.shape, like.ndim - 1) == index[..., None]


def at_class(values: Float[Array, "..."], index: Int[Array, "*rows"]) -> Float[Array, "..."]:
    """values[..., index]: [..., classes] -> [...].

    A comparison with the class number, summed: it fuses into its neighbours, backward too, where a gather's derivative
    is a scatter. An index out of range gives 0.

    >>> at_class(jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([1, 0])).tolist()
    [2.0, 3.0]
    """
    return jnp.sum(jnp.where(is_class(index, values), values, 0), axis=-1)


def most_probable(p: Float[Array, "... classes"]) -> Int[Array, "..."]:
    """Argmax over the last axis: of equals the first, and a NaN counts as the largest.

    >>> most_probable(jnp.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])).tolist()
    [1, 0]
    """
    return softmax.argmax(p)


def mean_of_rows(
    values: Shaped[Array, "batch ..."],
    mask: Bool[Array, "batch ..."] | None = None,
    weight: Float[Array, "batch time ..."] | None = None,
) -> Shaped[Array, " batch"]:
    """The mean over all axes but the first: [batch, ...] -> [batch].

    Args:
        values: what is averaged.
        mask: False at positions, [batch, time], that do not count; a row of none has mean 0.
        weight: of each position, [batch, time, ...]; it multiplies the values, and the mean is divided by their number
            still.

    >>> mean_of_rows(jnp.array([[1.0, 3.0], [5.0, 7.0]])).tolist()
    [2.0, 6.0]
    >>> mean_of_rows(jnp.array([[1.0, 3.0], [5.0, 7.0]]), jnp.array([[True, False], [True, True]])).tolist()
    [1.0, 6.0]
    """
    if weight is not None:
        at = of_positions(values, weight.shape)
        values = at * weight.astype(at.dtype)
    if mask is None:
        return jnp.mean(values, axis=tuple(range(1, values.ndim)))
    at, places = of_positions(values, mask.shape), tuple(range(1, mask.ndim))
    count = jnp.maximum(jnp.sum(mask, axis=places), 1)
    return jnp.sum(jnp.where(mask, at, 0), axis=places) / count.astype(at.dtype)


def of_positions(values: Shaped[Array, "batch ..."], shape: tuple[int, ...]) -> Float[Array, "batch ..."]:
    """The mean over the axes behind those of the positions: [batch, time, ...] -> `shape`, that of a mask of steps.

    Raises:
        ContractError: the values have no such axes.
    """
    if values.shape[: len(shape)] != shape:
        raise ContractError(
            f"the values have shape {values.shape}, and the real steps are told apart by a mask or weights {shape}.\n"
            "  Return a number for each step, [batch, time, ...]; or end the network in a layer that reads the mask, "
            "such as LSTM(64) or GlobalAveragePooling1D()."
        )
    return jnp.mean(values, axis=tuple(range(len(shape), values.ndim)))


def beside(target: Any, output: Shaped[Array, "batch ..."]) -> Any:
    """`target` as a user's function finds it: in the shape and dtype of `output`, where it has a number for each.

    Other targets, such as class numbers, keep their shape.

    >>> beside(jnp.array([1, 0]), jnp.zeros((2, 1))).shape, beside(jnp.array([1, 0]), jnp.zeros((2, 3))).shape
    ((2, 1), (2,))
    """
    if target is None:
        return None
    if target.size == output.size and target.shape in (output.shape, output.shape[:-1], (*output.shape, 1)):
        return aligned(target, output)
    narrow = jnp.issubdtype(target.dtype, jnp.unsignedinteger) or target.dtype == bool
    return target.astype(jnp.int32) if narrow else target  # 0 - 1 is 255 in uint8


def answered(function: Callable[..., Any], target: Any, output: Shaped[Array, "batch ..."]) -> Shaped[Array, "..."]:
    """What a user's `function` of (target, output) gives: a value for each row, or one number.

    Raises:
        ContractError: it gives another shape, or computes with NumPy or Python on numbers that a compiled program does
            not know yet.
    """
    try:
        values = jnp.asarray(function(beside(target, output), output))
    except (jax.errors.JAXTypeError, jax.errors.JAXIndexError) as error:
        raise ContractError(
            f"{function!r} cannot be compiled: {str(error).splitlines()[0]}\n"
            "  Write jnp instead of NumPy and of float(...), and jnp.where instead of `if` and of y[mask]; what only "
            "NumPy can do goes through jax.pure_callback."
        ) from error
    if values.ndim and values.shape[:1] != output.shape[:1]:
        raise ContractError(
            f"{function!r} returned shape {values.shape} for {output.shape[0]} rows.\n  Return one number for each row."
        )
    return values
