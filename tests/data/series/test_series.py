"""What is no series."""

import numpy as np
import pytest

from thalweg.data import Series
from thalweg.errors import ConfigError, DataError


def test_what_is_no_series():
    with pytest.raises(DataError, match="variable '1': row 4 is missing"):
        Series.of(np.where(np.arange(18).reshape(9, 2) == 9, np.nan, 1.0))
    with pytest.raises(ConfigError, match="2 names and 120 times"):
        Series.of(np.zeros((120, 3)), "ab")
    with pytest.raises(DataError, match=r"a series is \[time, variables\]"):
        Series.of(np.zeros((3, 2, 1)))
