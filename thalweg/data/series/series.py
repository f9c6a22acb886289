"""Series over time: [time, variables] with names and times, checked for gaps before anything is learned from them."""

import dataclasses
from collections.abc import Collection
from typing import Any

import numpy as np

from thalweg.data.arrays import plain
from thalweg.data.series.times import read_times, time_step
from thalweg.errors import ConfigError, DataError, nearest


@dataclasses.dataclass(frozen=True, eq=False)
class Series:
    """Values float64 [time, variables], the variables' names, and the time of each row (or None).

    >>> series = Series.of([1.0, 2.0, 4.0], names=["price"])
    >>> series.values.shape, series.names, len(series)
    ((3, 1), ('price',), 3)
    """

    values: np.ndarray
    names: tuple[str, ...]
    times: np.ndarray | None = None

    @classmethod
    def of(cls, values: Any, names: Collection[str] | None = None, times: Any = None) -> "Series":
        """A series of what people have: an array or list [time] or [time, variables], a frame, another series.

        Args:
            values: the numbers, the oldest first.
            names: of the variables; a frame brings its own, others are numbered.
            times: of the rows: ISO texts or datetime64, in even steps of the clock or the calendar: see `time_step`.

        Raises:
            DataError: a value is missing or infinite, or the times are unordered or uneven.
            ConfigError: another number of names than of variables, or of times than of rows.
        """
        if isinstance(values, Series):
            return values
        x = plain(values, "the series").astype(np.float64)
        x = x[:, None] if x.ndim == 1 else x
        if x.ndim != 2 or not x.size:
            raise DataError(f"a series is [time, variables]; it is {list(x.shape)}.\n  Write one row for each time.")
        known = getattr(values, "columns", range(x.shape[1])) if names is None else names
        named = tuple(str(name) for name in known)
        stamps = None if times is None else _stamps(times)
        if len(named) != x.shape[1] or (stamps is not None and len(stamps) != len(x)):
            count = len(x) if stamps is None else len(stamps)
            raise ConfigError(f"{len(named)} names and {count} times for a series {list(x.shape)}.\n  Write one each.")
        _check_values(x, named)
        if stamps is not None:
            time_step(stamps)
        return cls(x, named, stamps)

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str | int) -> int:
        """The place of a variable; `ConfigError` where there is none of that name."""
        if isinstance(name, int | np.integer) and 0 <= name < len(self.names):
            return int(name)
        if name not in self.names:
            raise ConfigError(f"the series has no variable {name!r}.\n  {nearest(str(name), self.names)}")
        return self.names.index(str(name))


def _stamps(times: Any) -> np.ndarray:
    try:
        return read_times(times)
    except ValueError as error:
        raise DataError(f"the times cannot be read: {error}.\n  Write ISO texts, such as 2016-07-01 13:00.") from error


def missing_value(name: str, row: int) -> DataError:
    """The error for a row in which a variable has no value."""
    return DataError(
        f"variable {name!r}: row {row} is missing.\n  Write missing='forward' to repeat the value before it (row 0 has"
        " none), or leave the rows out."
    )


def _check_values(x: np.ndarray, names: tuple[str, ...]) -> None:
    wrong = np.argwhere(~np.isfinite(x))
    if wrong.size:
        row, column = wrong[0]
        if np.isnan(x[row, column]):
            raise missing_value(names[column], int(row))
        raise DataError(f"variable {names[column]!r}: row {row} is infinite.\n  Mend it where it comes from.")
