"""Parts of a series: nothing later is ever looked at."""

import json

import numpy as np
import pytest

from thalweg import data
from thalweg.data import split_series
from thalweg.errors import ConfigError
from thalweg.record import from_json, to_json

RNG = np.random.default_rng(0)
WALK = np.cumsum(RNG.normal(size=(120, 3)), axis=0)


def rows(source):
    return data.take(source, np.arange(len(source)))


def test_no_part_looks_ahead():
    """A row that changes moves no scale before it, no window that ends before it, no past that does."""
    parts = split_series(WALK, 6, 2, validation=20, test=30)
    for row in (70, 71, 90, 119):
        altered = WALK.copy()
        altered[row:] += 1000
        again = split_series(altered, 6, 2, validation=20, test=30)
        assert again.scale == parts.scale
        for name, first in (("train", 0), ("validation", 70), ("test", 90)):
            a, b = getattr(parts, name), getattr(again, name)
            (x, y, _), (xa, ya, _) = rows(a), rows(b)
            for i, start in enumerate(a.starts):
                assert start + 6 >= first
                assert np.array_equal(x[i], xa[i]) == (start + 6 <= row)
                assert np.array_equal(y[i], ya[i]) == (start + 8 <= row)
    altered = WALK.copy()
    altered[69] += 1000
    assert split_series(altered, 6, 2, validation=20, test=30).scale != parts.scale  # the last training row counts


def test_targets_stay_within_their_part():
    parts = split_series(WALK, 6, 2, validation=20, test=30)
    assert parts.borders == (70, 90, 120)
    targets = {
        name: [{int(s) + 6 + h for h in range(2)} for s in getattr(parts, name).starts]
        for name in ("train", "validation", "test")
    }
    assert set().union(*targets["train"]) == set(range(6, 70))
    assert set().union(*targets["validation"]) == set(range(70, 90))
    assert set().union(*targets["test"]) == set(range(90, 120))
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (63, 19, 29)


def test_the_standard_split_of_ett_in_numbers():
    """The windows that Informer and Autoformer count: 8,640, 2,880, 2,880 hours; history 96, horizon 96."""
    parts = split_series(np.arange(17420.0), 96, 96, validation=2880, test=2880, train=8640)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (8449, 2785, 2785)
    assert parts.borders == (8640, 11520, 14400)


def test_scales_come_from_the_training_rows_and_go_back():
    parts = split_series(WALK, 6, 2, targets=[1])
    mean, std = WALK[:84].mean(0), WALK[:84].std(0)
    np.testing.assert_allclose(parts.scale.mean, mean, rtol=1e-12)
    x, y, _ = rows(parts.test)
    np.testing.assert_allclose(x[0], (WALK[90:96] - mean) / std, rtol=1e-4)
    np.testing.assert_allclose(parts.target_scale.inverse(y)[0, :, 0], WALK[96:98, 1], rtol=1e-4)
    assert from_json(json.loads(json.dumps(to_json(parts.target_scale))), data.ALLOWED) == parts.target_scale
    plain = split_series(WALK, 6, 2, validation=0, scale=None)
    assert (plain.validation, plain.scale, plain.target_scale) == (None, None, None)
    np.testing.assert_array_equal(rows(plain.train)[0][0], WALK[:6].astype(np.float32))
    ranged = split_series(WALK, 6, 2, scale=data.MinMax)
    low, high = WALK[:84].min(0), WALK[:84].max(0)
    np.testing.assert_allclose(rows(ranged.train)[0][3], (WALK[3:9] - low) / (high - low), atol=1e-5)


def test_parts_that_do_not_fit():
    with pytest.raises(ConfigError, match=r"train=None, validation=0.5, test=0.6 do not fit 120 rows"):
        split_series(WALK, 3, 1, 0.5, 0.6)
