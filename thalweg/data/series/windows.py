"""Windows over series: a stretch of the past as input, what follows it as target.

    rows      0 1 2 3 4 5 6 7 8 9        history = 4, horizon = 2, stride = 1
    window 0  x x x x y y
    window 1    x x x x y y

A window is made when its row is asked for: the series stands in memory once, however many windows overlap.
"""

import dataclasses
from collections.abc import Collection
from typing import Any

import numpy as np

from thalweg.data.arrays import plain
from thalweg.data.series.series import Series
from thalweg.data.sources import ArraySource, from_arrays
from thalweg.errors import ConfigError
from thalweg.types import Tree


@dataclasses.dataclass(frozen=True, eq=False)
class WindowSource:
    """A source of windows: row i starts at `starts[i]`.

    It gives (x, y): x float32 [rows, history, variables], y [rows, horizon, targets]. With `known` columns, whose
    future is known when a forecast is made (the hour, a holiday, a price that is set), x is a dict of "past" as above
    and "future" [rows, horizon, known].
    """

    values: np.ndarray
    starts: np.ndarray
    history: int
    horizon: int
    targets: tuple[int, ...]
    known: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, indices: np.ndarray, /) -> tuple[Tree, np.ndarray]:
        first = self.starts[indices][:, None]
        past = self.values[first + np.arange(self.history)[None]]  # [rows, history, variables]
        ahead = self.values[first + np.arange(self.history, self.history + self.horizon)[None]]
        y = ahead[..., list(self.targets)]  # [rows, horizon, targets]
        return ({"past": past, "future": ahead[..., list(self.known)]} if self.known else past), y


def forecast_windows(
    series: Any,
    history: int,
    horizon: int = 1,
    *,
    stride: int = 1,
    targets: Collection[str | int] | None = None,
    known: Collection[str | int] = (),
    start_index: int = 0,
    end_index: int | None = None,
) -> WindowSource:
    """All windows of a series whose targets lie in the rows `start_index` to `end_index`.

    The first window's past may lie before `start_index`; what is before it is known by then.

    Args:
        series: a `Series`, or what `Series.of` takes.
        history: rows of the past that are seen.
        horizon: rows of the future that are predicted.
        stride: rows from one window to the next.
        targets: the variables to predict, by name or place; all that are not `known` by default.
        known: the variables whose future is known at the time of the forecast.
        start_index: the first row that may be a target; windows that would start before row 0 are left out.
        end_index: the row after the last target; the end by default.

    Raises:
        DataError: see `Series.of`.
        ConfigError: a length below 1, an unknown variable, or too few rows for one window.

    >>> source = forecast_windows(np.arange(6.0), history=3, horizon=2)
    >>> x, y = source[np.array([1])]
    >>> x.ravel().tolist(), y.ravel().tolist()
    ([1.0, 2.0, 3.0], [4.0, 5.0])
    """
    series = Series.of(series)
    end = len(series) if end_index is None else end_index
    if min(history, horizon, stride) < 1 or not 0 <= start_index < end <= len(series):
        raise ConfigError(
            f"history={history}, horizon={horizon}, stride={stride}, rows {start_index} to {end} of {len(series)}: "
            "lengths are at least 1 and rows those of the series.\n  Write, for example, history=24, horizon=1."
        )
    fixed = tuple(series.column(name) for name in known)
    wanted = [i for i in range(len(series.names)) if i not in fixed] if targets is None else targets
    columns = tuple(series.column(name) for name in wanted)
    if not columns or set(columns) & set(fixed):
        raise ConfigError(
            f"targets {tuple(wanted)} and known {tuple(known)} share a variable, or leave none.\n  Write other targets."
        )
    starts = np.arange(max(0, start_index - history), end - history - horizon + 1, stride)
    if not starts.size:
        raise ConfigError(
            f"history={history} and horizon={horizon} need {history + horizon} rows; rows {start_index} to {end} of the"
            f" series are too few.\n  Write a shorter history or horizon."
        )
    return WindowSource(series.values.astype(np.float32), starts, history, horizon, columns, fixed)


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    *,
    start_index: int | None = None,
    end_index: int | None = None,
) -> ArraySource:
    """Keras's windows: row i is `data[i s], data[i s + r], ...` with the target `targets[i s]`.

    Keras's arguments but for batch size, shuffling and seed, which are `fit`'s. Slicing `targets` so that none of them
    lies in its own window is up to you; `forecast_windows` does it.

    Args:
        data: [time, ...].
        targets: one for each window's first row, or None.
        sequence_length: rows of a window.
        sequence_stride: s, rows from one window to the next.
        sampling_rate: r, rows from one row of a window to the next.
        start_index: the first row used.
        end_index: the row after the last one used.

    Raises:
        ConfigError: a length below 1, or too few rows for one window.

    >>> source = timeseries_dataset_from_array(np.arange(9.0)[:-3], np.arange(9.0)[3:], sequence_length=3)
    >>> source.x[0].tolist(), float(source.y[0])
    ([0.0, 1.0, 2.0], 3.0)
    """
    x = plain(data, "data")[start_index:end_index]
    y = None if targets is None else plain(targets, "targets")[start_index:end_index]
    span = (sequence_length - 1) * sampling_rate
    last = len(x) - span if y is None else min(len(x) - span, len(y))
    if min(sequence_length, sequence_stride, sampling_rate, last) < 1:
        raise ConfigError(
            f"sequence_length={sequence_length}, sequence_stride={sequence_stride}, sampling_rate={sampling_rate} do "
            f"not fit {len(x)} rows: one window spans {span + 1}.\n  Write a smaller sequence_length, all at least 1."
        )
    starts = np.arange(0, last, sequence_stride)
    rows = x[starts[:, None] + sampling_rate * np.arange(sequence_length)[None]]  # [windows, sequence_length, ...]
    return from_arrays(rows, None if y is None else y[starts])
