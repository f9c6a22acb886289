"""Given: what a call brought, as arrays or as a source. The first of the three steps that `calls` walks."""

import dataclasses
from typing import Any

import jax
import numpy as np

from thalweg import data
from thalweg.errors import ContractError
from thalweg.types import Tree


@dataclasses.dataclass(frozen=True)
class Given:
    """What a call brought: arrays with their rows first, or a source to be streamed."""

    x: Tree = None
    y: Tree = None
    weight: np.ndarray | None = None
    source: data.Source | None = None
    classes: tuple[Any, ...] | None = None  # the texts that integer labels stand for
    buckets: data.BucketSource | None = None  # whose rows x, y and weight are

    def __len__(self) -> int:
        return len(self.source) if self.source is not None else len(jax.tree.leaves(self.x)[0])

    @property
    def spec(self) -> Tree:
        """One row of the inputs, as shapes and dtypes."""
        x = data.take(self.source, np.arange(1))[0] if self.source is not None else self.x
        return jax.tree.map(lambda a: jax.ShapeDtypeStruct((1, *np.shape(a)[1:]), _dtype(a)), x)


def given(
    x: Any,
    y: Any = None,
    weight: Any = None,
    *,
    spec: Tree = None,
    classes: tuple[Any, ...] | None = None,
    dtype: str = "float32",
) -> Given:
    """`x`, `y` and weights as arrays; labels that are texts as codes.

    Args:
        x: inputs as people have them, or a source, which has targets too.
        y: targets, a row for each row of `x`.
        weight: weights of the rows.
        spec: a row of the network's inputs, a tuple where it has several; None where that is not known.
        classes: the texts that labels are known to be; those of `y` unless said.
        dtype: the widest floating type to keep.

    Raises:
        ContractError: a list has more or fewer arrays than the network has inputs.
        DataError: what was given cannot be read as arrays.
    """
    x = _in_order(x, spec)
    buckets = x if isinstance(x, data.BucketSource) else None
    if data.is_source(x):
        source = data.as_source(x)
        if buckets is None and (not isinstance(source, data.ArraySource) or source.mapped):
            return Given(source=source, classes=classes)
        x, y, weight = source.x, source.y, source.weight  # pyright: ignore[reportAttributeAccessIssue]
    if _are_texts(y):
        labels = data.Labels(classes) if classes else data.Labels.fit(y)
        y, classes = labels(y), labels.classes
    arrays = data.from_arrays(x, y, weight, dtype=dtype)
    if isinstance(spec, jax.ShapeDtypeStruct) and isinstance(arrays.x, tuple | dict):
        raise ContractError(
            f"x is a {type(x).__name__} of {len(arrays.x)} arrays; the network has one input.\n"
            "  Give one array with all rows; targets are an argument of their own, fit(x, y)."
        )
    return Given(arrays.x, arrays.y, arrays.weight, classes=classes, buckets=buckets)


def _in_order(x: Any, spec: Tree) -> Any:
    """`x`, where it is a list or tuple for a network of several inputs: their arrays, in the network's order.

    Without this rule a list of arrays of one shape would be rows, as it is for a network of one input.
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


def _are_texts(y: Any) -> bool:
    array = getattr(y, "dtype", None)
    if array is not None:
        return getattr(array, "kind", "") in "USTO" or str(array) in ("category", "string", "str")
    return isinstance(y, list | tuple) and bool(y) and isinstance(y[0], str)


def _dtype(a: Any) -> Any:
    return jax.dtypes.canonicalize_dtype(a.dtype)
