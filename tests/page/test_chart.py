"""Curves: the points stand where the equation puts them."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from thalweg.page import chart


def points(svg, number):
    text = re.search(rf'<polyline class="s{number}" points="([^"]*)"', svg).group(1)
    return np.array([[float(v) for v in pair.split(",")] for pair in text.split()])


def test_points_are_a_linear_map_of_epoch_and_value():
    values = [2.0, 1.0, 0.5, 0.25]
    svg = chart.curves("loss", {"training": values, "validation": [1.5, 1.2, 0.9, 1.0]})
    ET.fromstring(svg)
    for number, series in enumerate([values, [1.5, 1.2, 0.9, 1.0]]):
        found = points(svg, number)
        x, y = np.polyfit(range(4), found[:, 0], 1), np.polyfit(series, found[:, 1], 1)
        np.testing.assert_allclose(np.polyval(x, range(4)), found[:, 0], atol=0.11)
        np.testing.assert_allclose(np.polyval(y, series), found[:, 1], atol=0.11)
        assert x[0] > 0 > y[0]
        assert chart.LEFT <= found[:, 0].min() < found[:, 0].max() <= chart.WIDTH - chart.RIGHT
        assert chart.TOP <= found[:, 1].min() < found[:, 1].max() <= chart.HEIGHT - chart.BOTTOM


def test_one_epoch_equal_values_and_numbers_that_are_not_finite_are_drawn():
    for series in ([0.5], [0.0, 0.0], [1.0, float("nan"), 3.0], [float("inf")], [-1e-9, 1e-9], []):
        svg = chart.curves("loss", {"training": series})
        ET.fromstring(svg)
        assert "nan" not in points(svg, 0).astype(str) if np.isfinite(series).any() else True
    assert len(points(chart.curves("loss", {"training": [1.0, float("nan"), 3.0]}), 0)) == 2


def test_a_logarithmic_chart_puts_equal_quotients_at_equal_distances():
    values = [4.0, 2.0, 1.0, 0.5]
    found = points(chart.curves("loss", {"training": values}, logarithmic=True), 0)
    np.testing.assert_allclose(np.diff(found[:, 1]), np.diff(found[:, 1])[0], atol=0.21)
    ET.fromstring(chart.curves("loss", {"training": [0.0, 1.0]}, logarithmic=True))  # 0 has no place on such an axis


@pytest.mark.parametrize(("low", "high"), [(0.03, 2.2), (0.9, 1.1), (1.0, 1.0), (1e-12, 1e9), (2, 5), (5e-324, 1e300)])
def test_decades_rise_and_enclose_the_values(low, high):
    ticks = chart.decades(low, high)
    assert ticks == sorted(set(ticks))
    assert ticks[0] <= low
    assert high <= ticks[-1]
    assert ticks[0] < ticks[-1]
    assert len(ticks) <= 9 or high / low > 1e40


def test_text_is_escaped():
    svg = chart.curves("<b>&", {"<script>": [1.0, 2.0]})
    ET.fromstring(svg)
    assert "<script>" not in svg
    assert "&lt;b&gt;&amp;" in svg


@pytest.mark.parametrize(("low", "high"), [(0.12, 0.93), (0.97, 0.9989), (1e-6, 3e5), (5, 5), (0, 0), (-3.2, -1.1)])
def test_ticks_are_round_equal_steps_that_enclose_the_values(low, high):
    ticks = np.array(chart.nice(low, high))
    steps = np.diff(ticks)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    assert ticks[0] <= low + 1e-9 * steps[0]
    assert ticks[-1] >= high - 1e-9 * steps[0]
    assert 2 <= len(ticks) <= 8
    assert round(steps[0] / 10 ** np.floor(np.log10(steps[0] * (1 + 1e-9))), 6) in (1, 2, 5)


@pytest.mark.parametrize(("first", "last"), [(1, 2), (1, 5), (1, 20), (1, 100), (3, 1000)])
def test_epochs_to_label_rise_and_are_few(first, last):
    found = chart.whole(first, last)
    assert found[0] == first
    assert found == sorted(set(found))
    assert found[-1] <= last
    assert len(found) <= 10
