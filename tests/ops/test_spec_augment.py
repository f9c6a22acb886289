"""SpecAugment: what is drawn follows the paper's distributions, row by row, by the key alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from thalweg import core, layers, ops, random
from thalweg.errors import ConfigError

ROWS, TIME, FEATURES = 2000, 12, 9
ONES = jnp.ones((ROWS, TIME, FEATURES))


def test_bands_are_drawn_as_in_the_paper():
    y = np.asarray(ops.mask_bands(random.key(0), ONES, 1, 4))
    hidden = y == 0
    assert (hidden == hidden[:, :1]).all()  # a band hides all times alike
    width = hidden[:, 0].sum(1)
    assert np.bincount(width).tolist() == pytest.approx([ROWS / 5] * 5, rel=0.2)  # f ~ U{0 .. 4}
    starts = hidden[:, 0].argmax(1)[width == 2]
    assert np.bincount(starts).tolist() == pytest.approx([len(starts) / 7] * 7, rel=0.35)  # f_0 ~ U[0, 9 - 2)
    for row in hidden[:, 0]:
        assert np.diff(np.flatnonzero(row)).sum() == max(0, row.sum() - 1)  # one stretch


def test_times_stay_within_the_real_frames():
    lengths = jnp.asarray([4, 8] * (ROWS // 2), jnp.int32)
    hidden = np.asarray(ops.mask_times(random.key(1), ONES, 1, 5, 0.5, lengths)) == 0
    assert (hidden == hidden[..., :1]).all()
    width = hidden[:, :, 0].sum(1)
    assert width[::2].max() == 2  # half of 4
    assert width[1::2].max() == 4
    assert not hidden[::2, 4:].any()
    assert not hidden[1::2, 8:].any()
    assert (np.bincount(width[1::2]) > 0).all()


def test_time_is_warped_by_two_straight_pieces():
    ramp = jnp.broadcast_to(jnp.arange(40.0)[None, :, None], (200, 40, 1))
    y = np.asarray(ops.warp_time(random.key(2), ramp, 5))[..., 0]
    u = np.asarray(random.uniform(random.key(2), (2, 200)))
    c, w = 5 + np.floor(u[0] * 30), np.floor(u[1] * 11) - 5
    assert (c.min(), c.max(), w.min(), w.max()) == (5, 34, -5, 5)
    for b in range(200):
        for s in range(40):
            end = c[b] + w[b]
            want = s * c[b] / max(end, 1) if s <= end else c[b] + (s - end) * (39 - c[b]) / (39 - end)
            assert y[b, s] == pytest.approx(want, abs=1e-3)
    assert (np.diff(y, axis=1) >= -1e-4).all()  # time never runs back


def test_short_rows_and_padding_are_not_warped():
    x = random.normal(random.key(3), (2, 20, 3))
    y = ops.warp_time(random.key(4), x, 4, jnp.asarray([8, 16], jnp.int32))
    np.testing.assert_array_equal(y[0], x[0])
    np.testing.assert_array_equal(y[1, 16:], x[1, 16:])
    assert float(jnp.abs(y[1] - x[1]).max()) > 0


def test_the_key_decides():
    x = random.normal(random.key(5), (3, 30, 20))
    a, b, c = (ops.spec_augment(random.key(k), x, 2, 5, 2, 6, warp=4) for k in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert float(jnp.abs(a - c).max()) > 0
    compiled = jax.jit(lambda key: ops.spec_augment(key, x, 2, 5, 2, 6, warp=4))(random.key(0))
    np.testing.assert_allclose(compiled, a, atol=1e-5)
    np.testing.assert_array_equal(ops.spec_augment(random.key(0), x, 0, 5, 0, 6), x)


def test_the_layer_hides_in_training_only():
    layer, x = layers.SpecAugment(2, 5, 2, 6), jnp.ones((3, 30, 20))
    (a, _), (b, _) = (core.apply(layer, {}, {}, x, key=random.key(k), train=True) for k in (0, 1))
    assert 0 < float((a == 0).mean()) < 0.7
    assert float(jnp.abs(a - b).max()) == 1
    np.testing.assert_array_equal(core.apply(layer, {}, {}, x, key=random.key(0))[0], x)
    with pytest.raises(ConfigError, match="time_share must be a number of at least 0 and at most 1"):
        layers.SpecAugment(time_share=2.0)
