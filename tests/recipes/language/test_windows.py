"""Windows over one text."""

import numpy as np

from thalweg import data
from thalweg.recipes.language.windows import Everywhere


def test_windows_everywhere_are_those_of_a_stride_of_one():
    ids = np.random.default_rng(0).integers(0, 9, 40).astype(np.int32)
    source, (x, y) = Everywhere(ids, 6), data.windows(ids, 6, stride=1)
    assert data.is_source(source)
    inputs, targets = source[np.arange(len(source))]
    np.testing.assert_array_equal(inputs, x)
    np.testing.assert_array_equal(targets, y)
