"""Given: what a call brought, as arrays or as a source. The first of the three steps that `calls` walks."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from thalweg import data
from thalweg.data.arrays import holds_text, numbers_of, plain
from thalweg.data.sources import Converted
from thalweg.errors import ContractError, DataError
from thalweg.losses import Loss
from thalweg.train.frames import check_rows
from thalweg.types import Tree

CLASSES = ("binary", "identities", "integer classes", "signs")
"""The kinds of target that may be labels: texts, or a categorical."""


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

    @functools.cached_property
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
    loss: Loss | None = None,
    classes: tuple[Any, ...] | None = None,
    dtype: str = "float32",
) -> Given:
    """`x`, `y` and weights as arrays; labels that are texts as codes, where the loss takes classes.

    Args:
        x: inputs as people have them, or a source, which has targets too.
        y: targets, a row for each row of `x`.
        weight: weights of the rows.
        spec: a row of the network's inputs, a tuple where it has several; None where that is not known.
        loss: says what `y` is: classes or numbers.
        classes: the texts that labels are known to be; those of `y` unless said.
        dtype: the widest floating type to keep.

    Raises:
        ContractError: a list has more or fewer arrays than the network has inputs; or tables of pandas have the same
            rows in another order.
        DataError: what was given cannot be read as arrays.
    """
    x = _in_order(x, spec)
    check_rows(x, y=y, sample_weight=weight)
    buckets = x if isinstance(x, data.BucketSource) else None
    if data.is_source(x):
        source = data.as_source(x)
        if buckets is None and (not isinstance(source, data.ArraySource) or source.mapped):
            read = functools.partial(_piece, loss=loss, classes=classes, dtype=dtype)
            return Given(source=Converted(source, read), classes=classes)
        x, y, weight = source.x, source.y, source.weight  # pyright: ignore[reportAttributeAccessIssue]
    y, classes = _targets(y, loss, classes)
    arrays = data.from_arrays(x, y, weight, dtype=dtype)
    if isinstance(spec, jax.ShapeDtypeStruct) and isinstance(arrays.x, tuple | dict):
        raise one_input(arrays.x)
    return Given(arrays.x, arrays.y, arrays.weight, classes=classes, buckets=buckets)


def one_input(x: Tree) -> ContractError:
    """The error for the several arrays of `x`, or their shapes, where the network has one input."""
    return ContractError(
        f"x is a {type(x).__name__} of {len(x)} arrays; the network has one input.\n"
        "  Give one array with all rows; targets are an argument of their own, fit(x, y)."
    )


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


def _piece(
    x: Any, y: Any, weight: Any, *, loss: Loss | None, classes: tuple[Any, ...] | None, dtype: str
) -> data.ArraySource:
    """Rows of a source, of which no one has seen all labels."""
    y, _ = _targets(y, loss, classes, whole=False)
    x = tuple(x) if isinstance(x, list) and x and all(np.ndim(v) for v in x) else x  # inputs, as in a list for `fit`
    return data.from_arrays(x, y, weight, dtype=dtype)


def _targets(
    y: Any, loss: Loss | None, classes: tuple[Any, ...] | None, *, whole: bool = True
) -> tuple[Any, tuple[Any, ...] | None]:
    """`y` as the loss takes it: codes of labels where it takes classes, else numbers; and the labels of the codes."""
    if loss is None or y is None or isinstance(y, jax.Array | Mapping) or _arrays_of_several(y):
        return y, classes
    if hasattr(y, "columns") and len(y.columns) == 1:
        y = y.iloc[:, 0]
    elif hasattr(y, "columns"):
        return y, classes
    values, named = plain(y, "y"), str(getattr(y, "dtype", "")) == "category"
    texts = holds_text(values)
    if loss.target in CLASSES and (texts or (named and values.dtype.kind in "biuO")) and not _shares(loss, values):
        if classes is None and not whole:
            raise DataError(
                f"a source gives its labels as numbers; it gave {values.flat[0]!s:.80}.\n"
                "  Give the codes of `codes, classes = encode_labels(y)`, where y has all labels."
            )
        labels = data.Labels(classes) if classes else data.Labels.fit(y)
        return labels(y), labels.classes
    if texts:
        return numbers_of(values, "y", texts=True, who=type(loss).__name__), classes
    return values, classes


def _arrays_of_several(y: Any) -> bool:
    return isinstance(y, list | tuple) and bool(y) and all(hasattr(v, "__array__") for v in y)


def _shares(loss: Loss, values: np.ndarray) -> bool:
    """Whether texts are probabilities such as ".9", where the loss takes those."""
    if loss.target != "binary" or not holds_text(values):
        return False
    try:
        return bool((values.astype(np.float64) % 1).any())
    except (TypeError, ValueError):
        return False


def _dtype(a: Any) -> Any:
    return jax.dtypes.canonicalize_dtype(a.dtype)
