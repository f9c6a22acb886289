"""Which values a setting may take: a table beside the class, that prints its own error.

    class Dropout(Module):
        rate: float
        limits = {"rate": Range(0, 1, open_high=True)}

A Record checks its `limits` as it is made, so the error stands at the line that wrote the wrong number. None passes:
it means "not set". A tuple is checked number by number.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from thalweg.errors import ConfigError


class Range(NamedTuple):
    """The numbers from `low` to `high`; an `open` bound does not belong to them.

    >>> 1 in Range(0, 1, open_high=True)
    False
    """

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False

    def __contains__(self, value: object) -> bool:
        kind = int if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kind):
            return False
        above = value > self.low if self.open_low else value >= self.low
        return above and (value < self.high if self.open_high else value <= self.high)

    def __str__(self) -> str:
        low = [f"{'above' if self.open_low else 'at least'} {self.low}"] if math.isfinite(self.low) else []
        high = [f"{'below' if self.open_high else 'at most'} {self.high}"] if math.isfinite(self.high) else []
        bounds = " and ".join(low + high)
        return f"a {'whole ' if self.whole else ''}number{' of' if bounds.startswith('at') else ''} {bounds}".rstrip()

    def example(self) -> float:
        """A number of the range."""
        if self.whole:
            return max(self.low, 1)
        return (self.low + self.high) / 2 if math.isfinite(self.high) else self.low + 1


COUNT = Range(1, whole=True, open_high=True)
"""1, 2, 3, ...: units, filters, strides."""
FRACTION = Range(0, 1)
"""From 0 to 1, both included: a momentum."""
RATE = Range(0, 1, open_high=True)
"""From 0 up to but not 1: what share is dropped."""
POSITIVE = Range(0, open_low=True, open_high=True)
NONNEGATIVE = Range(0, open_high=True)


def flag(name: str, value: Any, who: str = "") -> bool:
    """`value` as True or False; 1 and 0 are those.

    Raises:
        ConfigError: it is something else, which Python would take by its truth: "no" is true.

    >>> flag("shuffle", 1)
    True
    """
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise ConfigError(
        f"{who}{who and ': '}{name}={value!r:.80} was given; it is True or False.\n  Write {name}=True or {name}=False."
    )


def check(record: Any, limits: Mapping[str, Range]) -> None:
    """Hold the settings of `record` against `limits`.

    Raises:
        ConfigError: a setting is out of its range.
    """
    for name, allowed in limits.items():
        value = getattr(record, name)
        if value is None or all(v in allowed for v in (value if isinstance(value, tuple) else (value,))):
            continue
        raise ConfigError(
            f"{type(record).__name__}: {name} must be {allowed}; it is {value!r}.\n"
            f"  Write, for example, {name}={allowed.example():g}."
        )
