"""A series cut in the order of time into training, validation and test windows, scaled by what the past alone says.

    |------- train -------|-- validation --|----- test -----|
                     [history]y y ->   [history]y y ->

The windows of a later part may look back over its border, because what is before a forecast is known when it is made;
their targets never cross it. The scale is that of the training rows.
"""

import dataclasses
import itertools
from collections.abc import Collection
from typing import Any

import numpy as np

from thalweg.data.series.series import Series
from thalweg.data.series.windows import WindowSource, forecast_windows
from thalweg.data.transforms import MinMax, Standardize
from thalweg.errors import ConfigError

Scale = Standardize | MinMax


@dataclasses.dataclass(frozen=True, eq=False)
class SeriesSplit:
    """The windows of each part, the scales (None where there are none), and a sentence on how they were cut.

    `scale` is that of all variables, for inputs; `target_scale` that of the targets, whose `inverse` brings forecasts
    [..., targets] back to their units.
    """

    train: WindowSource
    validation: WindowSource | None
    test: WindowSource | None
    scale: Scale | None
    target_scale: Scale | None
    borders: tuple[int, ...]
    note: str

    def __str__(self) -> str:
        parts = {"training": self.train, "validation": self.validation, "test": self.test}
        counted = ", ".join(f"{len(source):,} {name}" for name, source in parts.items() if source is not None)
        return f"{counted} windows: {self.note}"


def split_series(
    series: Any,
    history: int,
    horizon: int = 1,
    validation: float = 0.1,
    test: float = 0.2,
    *,
    train: float | None = None,
    stride: int = 1,
    targets: Collection[str | int] | None = None,
    known: Collection[str | int] = (),
    scale: type[Scale] | None = Standardize,
) -> SeriesSplit:
    """Training, validation and test windows in the order of time; the scale is fitted on the training rows.

    Args:
        series: a `Series`, or what `Series.of` takes.
        history: rows of the past that are seen.
        horizon: rows of the future that are predicted.
        validation: how many rows validate: a share below 1, or a number of rows; 0 for none.
        test: likewise for testing.
        train: likewise for training; all that is left by default. Rows after the three parts are left out.
        stride: rows from one training window to the next; the later parts have every window.
        targets: the variables to predict; all that are not `known` by default.
        known: the variables whose future is known at the time of a forecast.
        scale: `Standardize`, `MinMax`, or None for the numbers as they are.

    Raises:
        DataError: see `Series.of`.
        ConfigError: the parts are more than the series, or a part is too short for one window.

    >>> parts = split_series(np.arange(100.0), history=8, horizon=2)
    >>> print(parts)
    61 training, 9 validation, 19 test windows: in the order of time, rows 0 to 70, 80, 100; scaled by the first 70
    """
    series = Series.of(series)
    borders = _borders(len(series), validation, test, train)
    fitted = None if scale is None else scale.fit(series.values[: borders[0]])
    scaled = series if fitted is None else dataclasses.replace(series, values=fitted(series.values))
    names: dict[str, Any] = {"targets": targets, "known": known}

    def windows(first: int, end: int) -> WindowSource | None:
        if first == end:
            return None
        return forecast_windows(scaled, history, horizon, start_index=first, end_index=end, **names)

    trained = forecast_windows(scaled, history, horizon, stride=stride, end_index=borders[0], **names)
    later = [windows(first, end) for first, end in itertools.pairwise(borders)]
    note = f"in the order of time, rows 0 to {', '.join(map(str, borders))}"
    note += "; not scaled" if fitted is None else f"; scaled by the first {borders[0]}"
    return SeriesSplit(trained, later[0], later[1], fitted, _of(fitted, trained.targets), borders, note)


def _borders(rows: int, validation: float, test: float, train: float | None) -> tuple[int, int, int]:
    counts = [round(share * rows) if 0 < share < 1 else int(share) for share in (validation, test)]
    first = rows - sum(counts) if train is None else round(train * rows) if 0 < train < 1 else int(train)
    if first < 1 or min(counts) < 0 or first + sum(counts) > rows:
        raise ConfigError(
            f"train={train}, validation={validation}, test={test} do not fit {rows} rows.\n"
            "  Write shares below 1, such as validation=0.1, test=0.2, or numbers of rows."
        )
    return first, first + counts[0], first + sum(counts)


def _of(scale: Scale | None, columns: tuple[int, ...]) -> Scale | None:
    if scale is None:
        return None
    numbers = (np.asarray(getattr(scale, field.name))[list(columns)] for field in dataclasses.fields(scale))
    return type(scale)(*(tuple(n.tolist()) for n in numbers))
