"""The times of a series: how far apart they are, and which follow."""

import numpy as np
import pytest

from thalweg import data


@pytest.mark.parametrize(
    ("times", "step"),
    [
        (["1949-01", "1949-02", "1949-03", "1949-04"], "1 month"),
        (["1981-02-27", "1981-02-28", "1981-03-01"], "1 day"),
        (["2000-01-01 00:00", "2000-01-01 00:15", "2000-01-01 00:30"], "15 minutes"),
        (["2000-01-31", "2000-02-01", "2000-02-02"], "1 day"),
    ],
)
def test_steps_of_time(times, step):
    assert data.time_step(np.array(times, "datetime64[s]")) == step


@pytest.mark.parametrize(
    ("times", "ahead"),
    [
        (["1949-11", "1949-12"], ["1950-01-01", "1950-02-01"]),
        (["2000-01-15", "2000-04-15"], ["2000-07-15", "2000-10-15"]),
        (["2000-02-27", "2000-02-28"], ["2000-02-29", "2000-03-01"]),
        (["1999-12-31 23:30", "1999-12-31 23:45"], ["2000-01-01", "2000-01-01T00:15"]),
    ],
)
def test_the_times_that_follow(times, ahead):
    found = data.next_times(np.array(times, "datetime64[s]"), 2)
    assert found.tolist() == np.array(ahead, "datetime64[s]").tolist()
