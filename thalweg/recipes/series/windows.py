"""windows: a series as windows of past and future, in three parts in the order of time.

A named series is cut where the literature cuts it. Of a person's own, the last rows test, those before them validate.
"""

import dataclasses
import warnings
from typing import Any

import numpy as np

from thalweg.data import Series, SeriesSplit, split_series
from thalweg.datasets.series import cut
from thalweg.errors import ConfigError, DataError
from thalweg.recipes.series.corpora import Corpus
from thalweg.recipes.series.reach import Reach


def prepare(series: Series, settings: Any) -> tuple[Series, tuple[int, ...]]:
    """The variables that take part, in logarithms where `values=log`, and the places of the targets among them.

    Raises:
        ConfigError: a target that the series does not have.
        DataError: the logarithm of a number that is not above 0.
    """
    columns = [series.column(name) for name in settings.target or range(len(series.names))]
    if len(set(columns)) < len(columns):
        raise ConfigError(f"target={','.join(settings.target)} names a variable twice.\n  Name each once.")
    if settings.variables == "apart":
        variables, targets = columns, range(len(columns))
    else:
        variables, targets = range(len(series.names)), columns
    names, values = [series.names[i] for i in variables], series.values[:, list(variables)]
    if settings.values == "log":
        values = _logarithm(values, names)
    return dataclasses.replace(series, values=values, names=tuple(names)), tuple(targets)


def _logarithm(values: np.ndarray, names: list[str]) -> np.ndarray:
    low = np.argwhere(values <= 0)
    if low.size:
        row, column = low[0]
        raise DataError(
            f"variable {names[column]!r}: row {row} is {values[row, column]:g}, which has no logarithm.\n"
            "  Write --set values=plain."
        )
    return np.log(values)


def parts(series: Series, targets: tuple[int, ...], settings: Any, corpus: Corpus | None, reach: Reach) -> SeriesSplit:
    """The windows of each part, scaled by the training rows alone.

    Raises:
        ConfigError: the series is too short for a window in each part.
        DataError: no target changes over the training rows.
    """
    options = {"targets": targets, "stride": settings.stride}
    if corpus is not None:
        return cut(series, corpus.entry, corpus.module.VALIDATION, reach.history, reach.horizon, options)
    test = max(reach.horizon, round(settings.test_split * len(series)))
    validation = max(reach.horizon, round(settings.validation_split * (len(series) - test)))
    _check_length(series, reach, test + validation)
    split = split_series(series, reach.history, reach.horizon, validation=validation, test=test, **options)
    _check_changes(series, targets, split.borders[0])
    return split


def _check_length(series: Series, reach: Reach, apart: int) -> None:
    needed = reach.history + reach.horizon + apart
    if len(series) < needed:
        raise ConfigError(
            f"the series has {len(series)} rows, which are too few: a window of history={reach.history} and"
            f" horizon={reach.horizon}, and {apart} rows to validate and test, need {needed}.\n"
            "  Give a longer series, or write --set a shorter history or horizon."
        )


def _check_changes(series: Series, targets: tuple[int, ...], rows: int) -> None:
    """That there is something to learn; where only some targets stand still, a warning names the first."""
    still = [i for i in targets if np.ptp(series.values[:rows, i]) == 0]
    if not still:
        return
    what = f"variable {series.names[still[0]]!r} never changes over the {rows} training rows"
    if len(still) == len(targets):
        raise DataError(f"{what}; there is nothing to learn.\n  Give a series that changes, or another target.")
    warnings.warn(f"{what}, so its errors are not scaled; --set target= leaves it out.", stacklevel=2)
