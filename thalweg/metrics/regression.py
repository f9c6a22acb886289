"""Metrics of real numbers: y the target, p the prediction.

Two are called by their letters, since a stored description tells a metric from the loss of its name by the class.
"""

from dataclasses import field

import jax.numpy as jnp
import numpy as np

from thalweg.errors import ContractError
from thalweg.metrics import sums
from thalweg.metrics.base import MEAN, MeanOfRows, Metric, masked, wide
from thalweg.ops.precision import widen
from thalweg.ops.targets import aligned
from thalweg.types import Array, Shaped, ShapeDtype, Tree


class MSE(MeanOfRows):
    """mean (p - y)^2."""

    name: str = field(default="mean_squared_error", kw_only=True)

    def values(self, y: Array, p: Array, /) -> Shaped[Array, "batch ..."]:
        """(p - y)^2."""
        return _squared_error(y, p)


class RootMeanSquaredError(MeanOfRows):
    """The root of mean (p - y)^2, in the unit of the target."""

    name: str = field(default="root_mean_squared_error", kw_only=True)

    def values(self, y: Array, p: Array, /) -> Shaped[Array, "batch ..."]:
        """(p - y)^2."""
        return _squared_error(y, p)

    def result(self, acc: Tree) -> float | np.ndarray:
        """The root of the mean."""
        return float(np.sqrt(MEAN.result(acc)))


class MAE(MeanOfRows):
    """mean |p - y|."""

    name: str = field(default="mean_absolute_error", kw_only=True)

    def values(self, y: Array, p: Array, /) -> Shaped[Array, "batch ..."]:
        """|p - y|."""
        p = widen(p)
        return jnp.abs(p - aligned(y, p))


class R2Score(Metric):
    """R^2 = 1 - sum (y - p)^2 / sum (y - mean y)^2, the mean over the columns.

    A step of a sequence is a column of its own. A column of one value only has R^2 = 1 where the predictions are exact
    and 0 elsewhere, as in scikit-learn.
    Targets are summed as differences from the first row, so that a large mean costs no digits.
    """

    name: str = field(default="r2_score", kw_only=True)

    def init(self, rows: int, output: ShapeDtype) -> Tree:
        """See `Metric.init`."""
        del rows
        dtype, columns = wide(output), (int(np.prod(output.shape[1:])),)
        names = ("difference", "square", "error")
        empty = {name: sums.zero(columns, dtype) for name in names}
        return {"origin": jnp.zeros(columns, dtype), "weight": sums.zero(columns, dtype), **empty}

    def update(self, acc: Tree, target: Array, prediction: Array, weight: Array) -> Tree:
        """See `Metric.update`."""
        p = widen(prediction).reshape(len(prediction), -1)
        y = aligned(target, prediction).reshape(p.shape).astype(p.dtype)
        if p.shape[1:] != acc["origin"].shape:
            raise ContractError(
                f"{self.name} is one of {len(acc['origin'])} columns; a batch has {p.shape[1]}.\n"
                "  Give rows of one length: pad(ids)."
            )
        w = _of_columns(weight, p)
        first = jnp.take_along_axis(y, jnp.argmax(w > 0, axis=0)[None], axis=0)[0]
        origin = jnp.where(acc["weight"]["hi"] > 0, acc["origin"], first)
        d = y - origin[None]
        terms = {"difference": d, "square": d**2, "error": (y - p) ** 2}
        added = {n: sums.plus(acc[n], jnp.sum(masked(v, w), axis=0)) for n, v in terms.items()}
        return {"origin": origin, "weight": sums.plus(acc["weight"], jnp.sum(w, axis=0)), **added}

    def merge(self, a: Tree, b: Tree) -> Tree:
        """The accumulator of both parts, with differences from one origin: d' = d + s, d'^2 = d^2 + 2 s d + s^2."""
        origin = jnp.where(a["weight"]["hi"] > 0, a["origin"], b["origin"])
        return {"origin": origin, **Metric.merge(self, _moved(a, origin), _moved(b, origin))}

    def result(self, acc: Tree) -> float | np.ndarray:
        """See `Metric.result`."""
        n, d, d2, error = (sums.value(acc[name]) for name in ("weight", "difference", "square", "error"))
        spread = d2 - sums.ratio(d**2, n)
        spread = np.where(np.isfinite(spread), spread, np.nan)  # over squares that overflowed, any error would be none
        r2 = np.where(spread <= 0, error == 0, 1 - sums.ratio(error, spread))
        return float(np.mean(r2[n > 0])) if np.any(n > 0) else float("nan")


def _squared_error(y: Array, p: Array) -> Array:
    p = widen(p)
    return (p - aligned(y, p)) ** 2


def _of_columns(weight: Array, values: Array) -> Array:
    """The weights [batch] or [batch, time] for values [batch, columns], where columns = time * outputs."""
    return jnp.repeat(weight.reshape(len(values), -1), values.shape[1] // (weight.size // len(weight)), axis=1)


def _moved(acc: Tree, origin: Array) -> Tree:
    s, n, d = acc["origin"] - origin, acc["weight"]["hi"], acc["difference"]["hi"]
    return {
        "weight": acc["weight"],
        "difference": sums.plus(acc["difference"], n * s),
        "square": sums.plus(acc["square"], 2 * s * d + n * s**2),
        "error": acc["error"],
    }
