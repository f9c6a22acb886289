"""The area under the ROC or the precision-recall curve, exact: from all scores of the epoch, ties included."""

from collections.abc import Callable
from dataclasses import field

import jax.numpy as jnp
import numpy as np

from thalweg.errors import ConfigError, ContractError, nearest
from thalweg.metrics.base import Metric, wide
from thalweg.metrics.classification import columns, decided, spread
from thalweg.types import Array, ShapeDtype, Tree


def roc_area(hits: np.ndarray, false_alarms: np.ndarray) -> float:
    """The area under hits against false alarms, by trapezoids: a tie counts one half (Mann and Whitney)."""
    area = np.trapezoid(np.append(0, hits), np.append(0, false_alarms))
    return float(area / hits[-1] / false_alarms[-1])


def average_precision(hits: np.ndarray, false_alarms: np.ndarray) -> float:
    """sum_k (R_k - R_{k-1}) P_k over the distinct scores: the precision-recall area without interpolation."""
    return float(np.sum(np.diff(hits, prepend=0) * hits / (hits + false_alarms)) / hits[-1])


CURVES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {"ROC": roc_area, "PR": average_precision}


class AUC(Metric):
    """The probability that a positive scores above a negative (ROC), or the average precision (PR).

    Several columns are scored one against the rest. A class with no positives or no negatives has no area (NaN) and is
    left out of the mean. Keeps the epoch's scores on the device: rows * columns floats. Keras counts in 200 bins
    instead; no number of thresholds is needed here.

    Args:
        curve: "ROC" or "PR".
        average: "macro", the mean over columns, or None for one number a column.
        name: its word in the history.
    """

    name: str = field(default="auc", kw_only=True)
    curve: str = field(default="ROC", kw_only=True)
    average: str | None = field(default="macro", kw_only=True)

    def __post_init__(self) -> None:
        Metric.__post_init__(self)
        if self.curve not in CURVES:
            raise ConfigError(f"AUC: unknown curve {self.curve!r}.\n  {nearest(self.curve, CURVES)}")
        if self.average not in ("macro", None):
            raise ConfigError(f"AUC: unknown average {self.average!r}.\n  Write average='macro' or average=None.")

    def init(self, rows: int, output: ShapeDtype) -> Tree:
        """Room for all scores."""
        n, k = rows * int(np.prod(output.shape[1:-1])), output.shape[-1] if len(output.shape) > 1 else 1
        return {
            "score": jnp.zeros((n, k), wide(output)),
            "actual": jnp.zeros((n, k), bool),
            "weight": jnp.zeros(n, jnp.float32),
            "used": jnp.zeros((), jnp.int32),
        }

    def update(self, acc: Tree, target: Array, prediction: Array, weight: Array) -> Tree:
        """The real rows of the batch are written behind those that were before it; padding falls over the end."""
        p = columns(prediction)
        actual, _ = decided(target, p, None)
        w = spread(weight, actual)
        real, new = w > 0, {"score": p.reshape(actual.shape), "actual": actual, "weight": w}
        end = acc["used"] + jnp.cumsum(real, dtype=jnp.int32)
        place = jnp.where(real, end - 1, len(acc["weight"]))
        written = {n: acc[n].at[place].set(v.astype(acc[n].dtype), mode="drop") for n, v in new.items()}
        return {**written, "used": end[-1]}

    def merge(self, a: Tree, b: Tree) -> Tree:
        """The scores of both; nothing is written after it."""
        joined = {name: jnp.concatenate([a[name], b[name]]) for name in ("score", "actual", "weight")}
        return {**joined, "used": a["used"] + b["used"]}

    def result(self, acc: Tree) -> float | np.ndarray:
        """The area, or the areas of the columns."""
        score, actual, weight = (np.asarray(acc[name]) for name in ("score", "actual", "weight"))
        if acc["used"] > len(weight):
            raise ContractError(
                f"{self.name} keeps the scores of an epoch, and had room for {len(weight)} of {int(acc['used'])}: the "
                "first row was shorter than others.\n  Give rows of one length: pad(ids)."
            )
        real = weight > 0
        weight = weight[real].astype(np.float64)
        areas = np.array([self._area(s, a, weight) for s, a in zip(score[real].T, actual[real].T, strict=True)])
        if self.average is None and len(areas) > 1:
            return areas
        defined = areas[~np.isnan(areas)]
        return float(defined.mean()) if len(defined) else float("nan")

    def _area(self, score: np.ndarray, actual: np.ndarray, weight: np.ndarray) -> float:
        if actual.all() or not actual.any() or np.isnan(score).any():
            return float("nan")
        order = np.argsort(-score, kind="stable")
        last_of_tie = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
        hits, false_alarms = (np.cumsum(weight[order] * kind[order])[last_of_tie] for kind in (actual, ~actual))
        return CURVES[self.curve](hits, false_alarms)
