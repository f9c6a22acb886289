"""chart: curves over epochs as SVG whose text stays text and whose colours follow the reader's theme.

    polyline points = (left + (epoch - 1) / (epochs - 1) width, top + (high - value) / (high - low) height)

No plotting library takes part: the first run on a new machine waits for no font list.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 460, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 34, 38
DOTS = 30  # curves of fewer points than this show each of them


class Axis(NamedTuple):
    """Where values stand on the chart: `ticks` are the values with a line, `scale` is what runs evenly."""

    ticks: list[float]
    scale: Callable[[float], float]

    def y(self, value: float) -> float:
        """The height of `value`, counted from the top as SVG counts."""
        low, high, at = (self.scale(v) for v in (self.ticks[0], self.ticks[-1], value))
        return TOP + (high - at) / (high - low) * (HEIGHT - TOP - BOTTOM)


def curves(
    title: str,
    series: Mapping[str, Sequence[float]],
    *,
    first: int = 1,
    logarithmic: bool = False,
    axis_title: str = "epoch",
) -> str:
    """One chart of the `series`, a value for each epoch. Values that are not finite are left out.

    Args:
        title: above the chart, and what a screen reader says.
        series: values by the name in the legend, drawn in this order.
        first: the number of the first epoch.
        logarithmic: whether equal quotients are equal distances, where all values are above 0.
        axis_title: what is counted from left to right.

    >>> curves("loss", {"training": [2.0, 1.0]}).startswith("<svg")
    True
    """
    finite = [v for values in series.values() for v in values if math.isfinite(v)] or [0.0, 1.0]
    by_quotient = logarithmic and min(finite) > 0
    axis = Axis((decades if by_quotient else nice)(min(finite), max(finite)), math.log10 if by_quotient else float)
    count = max((len(values) for values in series.values()), default=1)
    last = first + max(count - 1, 1)
    parts = [_grid(axis, [epoch for epoch in whole(first, last) if epoch < first + count], first, last)]
    parts += [_line(number, values, axis, first, last) for number, values in enumerate(series.values())]
    parts.append(_legend(list(series)))
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 6}">{escape(axis_title)}</text>')
    ends = ", ".join(f"{name} ends at {values[-1]:.4g}" for name, values in series.items() if len(values))
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{escape(f"{title}: {ends}")}</title>'
        f'<text class="title" x="{LEFT}" y="16">{escape(title)}</text>{"".join(parts)}</svg>'
    )


def nice(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers at equal steps that enclose `low` to `high`: steps of 1, 2 or 5 times a power of ten.

    >>> nice(0.12, 0.93)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = high - low or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / count))
    step = next(m * power for m in (1, 2, 5, 10) if m * power * count >= span * (1 - 1e-9))
    start, end = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(start, max(end, start + 1) + 1)]


def decades(low: float, high: float, count: int = 8) -> list[float]:
    """1, 2, 5 times powers of ten that enclose `low` to `high`; fewer of them where they would be more than `count`.

    >>> decades(0.03, 2.2)
    [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]
    """
    first, last = math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1
    for factors, step in (((1, 2, 5), 1), ((1,), 1), ((1,), 5), ((1,), 25)):
        every = [float(f"{m}e{e}") for e in range(first // step * step, last + step, step) for m in factors]
        start = max(i for i, v in enumerate(every[:-1]) if v <= low)
        end = next(i for i, v in enumerate(every) if v >= high and i > start)
        if end - start < count:
            break
    return every[start : end + 1]


def whole(first: int, last: int, count: int = 8) -> list[int]:
    """About `count` epochs to label, from `first` to `last`.

    >>> whole(1, 30)
    [1, 5, 10, 15, 20, 25, 30]
    >>> whole(-191, 96)
    [-191, -150, -100, -50, 0, 50]
    """
    steps = (m * 10**e for e in range(10) for m in (1, 2, 5))
    step = next(s for s in steps if (last - first) / s <= count)
    after = range((first // step + 1) * step, last + 1, step)
    return [first, *(n for n in after if 2 * (n - first) >= step)]


def _x(epoch: float, first: int, last: int) -> float:
    return LEFT + (epoch - first) / (last - first) * (WIDTH - LEFT - RIGHT)


def _grid(axis: Axis, epochs: list[int], first: int, last: int) -> str:
    out = []
    for tick in axis.ticks:
        y = axis.y(tick)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for epoch in epochs:
        x = _x(epoch, first, last)
        out.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{epoch}</text>')
    return "".join(out)


def _line(number: int, values: Sequence[float], axis: Axis, first: int, last: int) -> str:
    points = [(_x(first + i, first, last), axis.y(v)) for i, v in enumerate(values) if math.isfinite(v)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle class="s{number}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in points)
    return f'<polyline class="s{number}" points="{path}"/>{dots if len(points) < DOTS else ""}'


def _legend(names: list[str]) -> str:
    out, right = [], float(WIDTH - RIGHT)
    for number, name in reversed(list(enumerate(names))):
        out.append(f'<text x="{right:.0f}" y="16" text-anchor="end">{escape(name)}</text>')
        right -= 6 * len(name) + 8
        out.append(f'<circle class="s{number}" cx="{right:.0f}" cy="12" r="4"/>')
        right -= 14
    return "".join(out)
